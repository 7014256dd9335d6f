"""The whole-process fault matrix: ``python -m benchmarks.faults``."""
