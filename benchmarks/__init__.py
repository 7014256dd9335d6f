"""Benchmarks: ratios measured side by side in one run, printed as a table or as JSON."""
