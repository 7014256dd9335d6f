"""Cold starts: from samples to percentiles that can be believed, and to what they cost.

    recognition   which samples are cold starts, and what the others are
    batches       values that came in batches: percentiles, means and their differences, with intervals
    modes         whether one mode describes a distribution
    cells         samples -> ColdCell
    precision     whether a quantile is known well enough to stop
    differences   quantiles of one cell against another
    economics     what cold starts cost, and what the ways around them would

Each module imports only from those above it.
"""
