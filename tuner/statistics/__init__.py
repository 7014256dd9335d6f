"""From samples to estimates, curves and recommendations: pure functions, and the only users of numpy and scipy.

    observations   which samples count, and what is known of the environments behind them
    components     how much of the spread lies between environments, how much within
    intervals      quantiles of Student's t, ranks of distribution-free intervals
    estimates      means, percentiles and ratios with their intervals
    curve          samples -> CurvePoint; notices about the curve
    fit            CurvePoint -> CurveFit
    decision       the rule that names a winner, over draws from any posterior
    rationale      the reasons for a proposal, in words
    recommendation CurvePoint and samples -> Recommendation
    search         the adaptive policy: where to measure next, and what to conclude from few samples

Each module imports only from those above it. Importing the package costs nothing: numpy and scipy come with the
modules that need them.
"""
