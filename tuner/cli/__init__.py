"""The composition root: the only place that prints and ends the process."""
