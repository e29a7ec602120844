"""Choices that the definitions of the features leave open."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from lggshape.errors import InputError

ComponentRule = Literal["largest", "all"]
EllipsoidPoints = Literal["corners", "centres"]
SliceRule = Literal["largest", "all"]
WindowRule = Literal["round", "up", "down", "odd"]


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """Choices that the published definitions leave open.

    The defaults were fixed before any automatic mask was measured. The others show how much a
    result depends on a choice.

    Attributes
    ----------
    component : {"largest", "all"}
        What is measured: the largest 6-connected component (on a tie, the first in the order of
        slices, rows and columns), or all of the mask.
    points : {"corners", "centres"}
        What the bounding ellipsoid encloses: the corners of the voxels, or their centres.
    slices : {"largest", "all"}
        Where the 2D features are measured: in the slice of the largest area (on a tie, the one with
        the lowest number), or in every slice of the mask, as the plain mean.
    bin_offset : float
        Where the first bin of the angular standard deviation starts, in degrees from -180. Whole
        multiples of 36 change nothing; 18 has the effect of a quarter-turn of the mask.
    window : {"round", "up", "down", "odd"}
        How a tenth of the contour's points becomes the length of the moving average: the nearest
        whole number, the next one up or down, or the nearest odd one.

    Raises
    ------
    InputError
        If a value is not one of those above.
    """

    component: ComponentRule = "largest"
    points: EllipsoidPoints = "corners"
    slices: SliceRule = "largest"
    bin_offset: float = 0.0
    window: WindowRule = "round"

    def __post_init__(self) -> None:
        for name, rule in (
            ("component", ComponentRule),
            ("points", EllipsoidPoints),
            ("slices", SliceRule),
            ("window", WindowRule),
        ):
            value = getattr(self, name)
            if value not in get_args(rule):
                msg = f"Expected {name} to be one of {', '.join(get_args(rule))}, found: {value}."
                raise InputError(msg)
        if not math.isfinite(self.bin_offset):
            msg = f"Expected bin_offset to be a finite angle in degrees, found: {self.bin_offset}."
            raise InputError(msg)


DEFAULT_CONVENTIONS = Conventions()
"""The conventions that are used unless others are given."""
