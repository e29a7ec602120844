"""Distances between voxel centres: what is taken for one, and what the user states."""

from collections.abc import Iterable
from dataclasses import replace
from numbers import Real
from typing import Any

from lggshape.case import Geometry, Spacing
from lggshape.errors import InputError

VOXEL_SIZES = (1e-3, 1e3)
"""Smallest and largest distance between voxel centres that is taken for one, in mm.

Far outside any scanner, and far inside what can be computed with.
"""

_MOST_DIFFERENT = 0.01
"""By which part a stated spacing may differ from that of a file: headers and users round."""


def check_spacing(spacing: Iterable[float]) -> Spacing:
    """Return a spacing as three numbers; raise InputError if it is anything else.

    Examples
    --------
    >>> check_spacing([5, 1, 1])
    (5.0, 1.0, 1.0)
    """
    low, high = VOXEL_SIZES
    steps = tuple(spacing) if isinstance(spacing, Iterable) else ()
    if len(steps) != 3 or not all(_is_within(step, low, high) for step in steps):
        msg = (
            f"Expected spacing to be three positive numbers (z, y, x) of {low:g} to {high:g} mm, "
            f"found: {spacing}."
        )
        raise InputError(msg)
    z, y, x = map(float, steps)
    return z, y, x


def _is_within(value: Any, low: float, high: float) -> bool:
    # A NaN fails both comparisons.
    return isinstance(value, Real) and low <= float(value) <= high


def with_stated(geometry: Geometry, stated: Spacing | None) -> Geometry:
    """Return a geometry with the stated spacing, if it has none of its own.

    Examples
    --------
    >>> with_stated(Geometry(), (5.0, 1.0, 1.0)).spacing
    (5.0, 1.0, 1.0)
    """
    if stated is None or geometry.spacing is not None:
        return geometry
    return replace(geometry, spacing=stated)


def contradiction(geometry: Geometry, stated: Spacing | None) -> str:
    """Return how a stated spacing contradicts that of a geometry; empty if it does not.

    Examples
    --------
    >>> contradiction(Geometry((5.0, 1.0, 1.0)), (6.0, 1.0, 1.0))
    'found voxels of 5 x 1 x 1 mm (z, y, x) in the file, and 6 x 1 x 1 mm by --spacing'
    """
    own = geometry.spacing
    if own is None or stated is None:
        return ""
    if all(abs(b - a) <= _MOST_DIFFERENT * a for a, b in zip(own, stated, strict=True)):
        return ""
    told, said = (" x ".join(f"{step:.6g}" for step in steps) for steps in (own, stated))
    return f"found voxels of {told} mm (z, y, x) in the file, and {said} mm by --spacing"
