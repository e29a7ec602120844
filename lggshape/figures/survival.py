"""Survival of groups: Kaplan-Meier curves."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.figures.style import LEVELS, HouseFigure, house_style, link_or_rasterise


class SurvivalGroup(NamedTuple):
    """The curve of a group.

    Attributes
    ----------
    name : str
        What the legend calls it.
    times, surviving : array_like of float, shape (K,)
        The corners of the stair: from each time on, the share without an event. The last time is
        the end of follow-up.
    censored, censored_at : array_like of float, shape (C,)
        Times at which follow-up ended without an event, and the share at each.
    at_risk : sequence of int
        How many are at risk at each of the labelled times.
    """

    name: str
    times: ArrayLike
    surviving: ArrayLike
    censored: ArrayLike
    censored_at: ArrayLike
    at_risk: Sequence[int]


def survival_curves(
    groups: Sequence[SurvivalGroup],
    *,
    moments: Sequence[float],
    time_name: str,
    group_name: str,
) -> Figure:
    """Draw Kaplan-Meier curves, with the numbers at risk below them.

    Parameters
    ----------
    groups : sequence of SurvivalGroup
        The groups.
    moments : sequence of float
        Times, ascending from 0, that the axis labels.
    time_name : str
        What the time is, with its unit.
    group_name : str
        What divides the groups.

    Returns
    -------
    Figure
        A stair per group; ticks mark the ends of follow-up without an event.

    Examples
    --------
    >>> group = SurvivalGroup("all", [0, 2, 5], [1, 0.5, 0.5], [5], [0.5], at_risk=[2, 1])
    >>> figure = survival_curves([group], moments=[0, 3], time_name="months", group_name="")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['all']
    """
    with house_style():
        figure = HouseFigure(figsize=(4.6, 3.0 + 0.17 * len(groups)), layout="constrained")
        heights = [3.0, 0.25 + 0.2 * len(groups)]
        axes, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": heights})
        for place, group in enumerate(groups):
            colour = LEVELS[place % len(LEVELS)]
            axes.step(
                group.times, group.surviving, where="post", color=colour, linewidth=1.6,
                label=group.name,
            )  # fmt: skip
            ends = axes.scatter(
                group.censored, group.censored_at, marker="|", s=24, color=colour, linewidths=0.8
            )
            link_or_rasterise(ends, (), total=sum(np.size(one.censored) for one in groups))
            for moment, count in zip(moments, group.at_risk, strict=True):
                below.text(moment, place, str(count), color=colour, ha="center", va="center")
        axes.set_ylim(0.0, 1.03)
        axes.set_xlim(left=0.0)
        axes.set_ylabel("share without event")
        axes.legend(frameon=False, title=group_name, loc="best", fontsize=8, title_fontsize=8)
        below.set_ylim(len(groups) - 0.4, -0.6)
        below.set_yticks([])
        below.set_ylabel("at risk", rotation=0, ha="right", va="center", fontsize=8, labelpad=14)
        below.spines[:].set_visible(False)
        below.tick_params(length=0)
        below.set_xticks(list(moments), [f"{moment:g}" for moment in moments])
        below.set_xlabel(time_name)
    return figure
