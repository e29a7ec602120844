"""What was found in a case: its mask, and how sure the networks are of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.segmentation.inference.mask_check import UNKNOWN, Check
from lggshape.segmentation.inference.restored import Restored

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation:
    """The mask of a case by networks, and how sure they are of it.

    Attributes
    ----------
    case : Case
        What was segmented, with its image.
    mask : ndarray of bool, shape (Z, Y, X)
        The tumour: one 6-connected component, or nothing.
    threshold : float
        The lowest probability that is inside the mask.
    restored, spread : Restored
        What `probability` and `uncertainty` return, some slices at a time.
    slice_scores : ndarray of float32, shape (Z,)
        Score for tumour in each slice: the mean of its highest probabilities, those of a thousandth
        of its pixels.
    removed : int
        Components that were removed.
    networks : tuple of str
        Names of the networks that were used.
    fold : int or None
        The fold that the patient was held out in, for a patient of the networks' data set.
    missing : tuple of str
        The sequences that the case lacks.
    notes : tuple of str
        What was done to slices of an unusual geometry before the networks saw them.
    samples : ndarray of bool, shape (N, Z, Y, X), or None
        The mask of each network and flip alone; None unless it was asked for. There is nothing in
        it where not all networks have looked.
    measures : mapping of str to float
        What tells how good the mask may be, see `mask_measures`; nothing if it is empty.
    check : Check
        The Dice to expect and whether to look at the mask, if the networks come with a model.
    """

    case: Case
    mask: NDArray[np.bool_]
    threshold: float
    restored: Restored
    spread: Restored
    slice_scores: NDArray[np.float32]
    removed: int
    networks: tuple[str, ...]
    fold: int | None
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()
    samples: NDArray[np.bool_] | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    check: Check = UNKNOWN

    @property
    def probability(self) -> NDArray[np.float32]:
        """Calibrated probability of tumour (Z, Y, X), the mean over networks and flips.

        Unless all of them see every slice, it is that of the networks that looked first where these
        found no tumour.
        """
        return self.restored.whole()

    @property
    def uncertainty(self) -> NDArray[np.float32]:
        """Standard deviation of the probability (Z, Y, X) over networks and flips.

        Each is calibrated by itself. It is 0 where only the first networks have looked.
        """
        return self.spread.whole()

    @property
    def entropy(self) -> NDArray[np.float32]:
        """Entropy of the probability, in bits: 1 where it is one half, 0 where it is certain."""
        from scipy.special import entr

        return np.stack([(entr(p) + entr(1 - p)) / np.float32(np.log(2)) for p in self.probability])

    def __repr__(self) -> str:
        """Return what was found, in one line."""
        described, count = self._described(), len(self.networks)
        networks = f"{count} network{'' if count == 1 else 's'}"
        without = [f"without {', '.join(self.missing)}"] if self.missing else []
        parts = [described["case"], described["tumour"], networks, *without]
        return f"Segmentation({', '.join(parts)})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{name}</th><td>{escape(value)}</td></tr>"
            for name, value in self._described().items()
        )
        return f"<table>{rows}</table>"

    def plot(self) -> "Figure":
        """Draw the slices with the outline of the mask, and of the case's own mask if it has one.

        Returns
        -------
        matplotlib.figure.Figure
            FLAIR of the slices with tumour, or of all slices if none was found.
        """
        return self.case.plot(predicted=self.mask)

    def _described(self) -> dict[str, str]:
        """Return what was found, in words."""
        voxels = int(np.count_nonzero(self.mask))
        spacing = self.case.geometry.spacing
        volume = f" ({voxels * float(np.prod(spacing)) / 1000:.1f} ml)" if spacing else ""
        slices = int(self.mask.any(axis=(1, 2)).sum())
        return {
            "case": self.case.id,
            "tumour": f"{voxels} voxels{volume} in {slices} of {len(self.mask)} slices"
            if voxels
            else "no tumour found",
            "networks": ", ".join(self.networks),
            "missing sequences": ", ".join(self.missing) or "none",
        }
