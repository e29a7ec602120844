"""Many p-values of each of several tests, a strip per test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from lggshape.errors import InputError
from lggshape.figures.style import (
    ACCENT,
    CONTRAST,
    INK,
    MUTED,
    HouseFigure,
    house_style,
    label_powers,
    power_of_ten,
)

# In rows: how far a series lies from the middle of its row, and how far its dots from there.
_OFFSET, _REACH, _STEP = 0.21, 0.14, 0.05
_CELL = 0.06
"""Values less than about this many powers of ten apart would hide each other."""
_DASHES = (0, (4, 3))


def strip_plot(
    names: Sequence[str],
    series: Mapping[str, Sequence[ArrayLike]],
    *,
    marked: Mapping[str, Sequence[float]],
    bounds: Sequence[float | None],
    level: float,
    value_name: str,
    marked_name: str = "primary",
    bound_name: str = "reported bound",
    floor: float = 1e-7,
) -> Figure:
    """Draw the p-values of each test under many choices, and mark the main one.

    Parameters
    ----------
    names : sequence of str, length R
        The tests, from top to bottom.
    series : mapping of str to sequence of R array_like of float
        The p-values of each test; NaN is left out. The first series lies above the middle of the
        row, the second, if there is one, below.
    marked : mapping of str to sequence of R float
        The value of each test to mark, by series; NaN marks nothing.
    bounds : sequence of R float or None
        A published bound of each test.
    level : float
        Level of the tests, drawn as a dashed line.
    value_name : str
        What the values are.
    marked_name, bound_name : str
        Names of the marks and the bounds.
    floor : float
        Where the axis begins. Smaller values, including 0, are drawn as triangles there.

    Returns
    -------
    Figure
        A strip per test, with a logarithmic axis to 1. Values that are nearly equal are spread
        across the strip.

    Raises
    ------
    InputError
        If there are not one or two series, `marked` has other series, a series or the bounds do not
        have a row per name, or a value is not from 0 to 1.

    Examples
    --------
    >>> figure = strip_plot(
    ...     ["volume x group"], {"manual": [[6e-5, 2e-3]]}, marked={"manual": [6e-5]},
    ...     bounds=[2e-4], level=0.005, value_name="p",
    ... )
    >>> figure.axes[0].get_xscale()
    'log'
    """
    _check(len(names), series, marked, bounds)
    known = np.array([np.nan if bound is None else bound for bound in bounds])
    with house_style():
        figure = HouseFigure(figsize=(6.6, 1.1 + 0.46 * len(names)), layout="constrained")
        axes = figure.subplots()
        axes.set_xscale("log")
        label_powers(axes.xaxis)
        rows = np.arange(len(names))
        for edge in rows[1:] - 0.5:
            axes.axhline(edge, color="#e4e7eb", linewidth=0.8, zorder=0)
        axes.axvline(level, color=MUTED, linewidth=1.0, linestyle=_DASHES, zorder=1)
        axes.vlines(known, rows - 0.4, rows + 0.4, color=INK, linewidth=2.0, zorder=3)
        colours = dict(zip(series, (ACCENT, CONTRAST), strict=False))
        offsets = (0.0,) if len(series) == 1 else (-_OFFSET, _OFFSET)
        is_below = False
        for (name, colour), offset in zip(colours.items(), offsets, strict=True):
            main = [[value] for value in marked[name]]
            many = {"s": 10, "color": colour, "alpha": 0.4, "linewidths": 0}
            one = {"s": 46, "color": colour, "edgecolors": INK, "zorder": 4}
            for values, look in ((series[name], many), (main, one)):
                is_below |= _dots(axes, values, offset, floor, look)
        keys = [_key(name, marker="o", markersize=4.5, color=c) for name, c in colours.items()]
        keys.append(
            _key(marked_name, marker="o", markersize=6.5, color="white", markeredgecolor=INK)
        )
        keys.append(_key(f"level {level:g}", linestyle=_DASHES, color=MUTED, linewidth=1.0))
        if np.isfinite(known).any():
            keys.append(_key(bound_name, marker="|", markersize=11, color=INK, markeredgewidth=2.0))
        if is_below:
            keys.append(
                _key(f"below {power_of_ten(floor)}", marker="<", markersize=4.5, color=MUTED)
            )
        figure.legend(handles=keys, loc="outside upper center", ncols=3, frameon=False)
        axes.set_yticks(rows, names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(floor / 1.6, 1.6)
        axes.set_xlabel(value_name)
        axes.tick_params(axis="y", length=0)
    return figure


def _check(
    count: int,
    series: Mapping[str, Sequence[ArrayLike]],
    marked: Mapping[str, Sequence[float]],
    bounds: Sequence[float | None],
) -> None:
    if len(series) not in (1, 2):
        msg = f"Expected `series` to be one or two, found {len(series)}."
        raise InputError(msg)
    if set(marked) != set(series):
        msg = f"Expected `marked` to be of {sorted(series)}, found {sorted(marked)}."
        raise InputError(msg)
    for name, rows in [
        *((f"series[{name!r}]", rows) for name, rows in series.items()),
        *((f"marked[{name!r}]", values) for name, values in marked.items()),
        ("bounds", bounds),
    ]:
        if len(rows) != count:
            msg = f"Expected `{name}` to have {count} rows, as `names` has, found {len(rows)}."
            raise InputError(msg)


def _dots(
    axes: Axes, rows: Sequence[ArrayLike], offset: float, floor: float, look: Mapping[str, Any]
) -> bool:
    """Draw values from the floor on as discs and others as triangles; return if any are such."""
    values = [np.asarray(row, dtype=float) for row in rows]
    values = [row[~np.isnan(row)] for row in values]
    p = np.concatenate(values)
    if not np.all((p >= 0) & (p <= 1)):
        msg = f"Expected p-values from 0 to 1, found {p.min()} to {p.max()}."
        raise InputError(msg)
    x = np.maximum(p, floor)
    y = np.concatenate([i + offset + _spread(np.maximum(v, floor)) for i, v in enumerate(values)])
    for chosen, marker in ((p >= floor, "o"), (p < floor, "<")):
        axes.scatter(x[chosen], y[chosen], marker=marker, **look)
    return bool(np.any(p < floor))


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shifts that set values of one cell of the logarithmic axis evenly about the line."""
    cells = np.round(np.log10(values) / _CELL)
    shift = np.empty(len(values))
    for cell in np.unique(cells):
        members = np.flatnonzero(cells == cell)
        reach = min(_REACH, _STEP * (len(members) - 1) / 2)
        shift[members] = np.linspace(-reach, reach, len(members))
    return shift


def _key(
    label: str, *, linestyle: Any = "none", markeredgewidth: float = 0.8, **look: Any
) -> Line2D:
    return Line2D([], [], label=label, linestyle=linestyle, markeredgewidth=markeredgewidth, **look)
