"""Worlds in which the engine can be proven: a model of Lambda, a model disk, and others who act at the same time.

Not shipped. ``python -m benchmarks.simulation`` plays schedules; the tests replay those that once broke a promise.
"""
