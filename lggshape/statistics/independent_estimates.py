"""Differences of estimates from different people."""

import math

from lggshape.statistics.contingency import Effect


def difference_of_estimates(first: Effect, second: Effect) -> Effect:
    """Return the difference of two independent estimates, with an interval made from theirs.

    Parameters
    ----------
    first, second : Effect
        The same effect size in two samples without common members, each with its interval. The
        intervals have to be of the same level, which is then that of the difference.

    Returns
    -------
    Effect
        First less second. The ends of the interval need not be equally far from it, as those of the
        two need not be. NaN where an end is NaN.

    References
    ----------
    Zou GY. Toward using confidence intervals to compare correlations. Psychological Methods 12
    (2007) 399-413.

    Examples
    --------
    >>> apart = difference_of_estimates(Effect(0.5, 0.2, 0.7), Effect(0.1, -0.3, 0.5))
    >>> round(apart.estimate, 2), round(apart.low, 2), round(apart.high, 2)
    (0.4, -0.1, 0.85)
    """
    estimate = first.estimate - second.estimate
    down = math.hypot(first.estimate - first.low, second.high - second.estimate)
    up = math.hypot(first.high - first.estimate, second.estimate - second.low)
    return Effect(estimate, estimate - down, estimate + up)
