"""Asynchronous effects behind small ports: what a run does, in which order, and how it is undone."""
