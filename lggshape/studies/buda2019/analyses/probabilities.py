"""The calibrated probabilities of automatic masks, kept small and read back."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import CaseError
from lggshape.files import written_whole
from lggshape.results import recorded_in_place
from lggshape.segmentation.inference.postprocessing import select_component

if TYPE_CHECKING:
    from lggshape.segmentation import Segmentation

_NOTHING = 0.001
"""Lower probabilities count as 0."""


class Probability(NamedTuple):
    """The probability of tumour in a case.

    Attributes
    ----------
    values : ndarray of float32, shape (z, y, x)
        Within the smallest box that holds all that is not next to nothing.
    corner : tuple of int
        Where the box begins.
    shape : tuple of int
        (Z, Y, X) of the case.
    threshold : float
        The lowest probability inside the mask.
    """

    values: NDArray[np.float32]
    corner: tuple[int, int, int]
    shape: tuple[int, int, int]
    threshold: float

    def whole(self, box: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a mask of the box (z, y, x) put back into the case (Z, Y, X)."""
        mask = np.zeros(self.shape, dtype=bool)
        window = tuple(
            slice(start, start + side) for start, side in zip(self.corner, box.shape, strict=True)
        )
        mask[window] = box
        return mask

    def mask(self, threshold: float) -> NDArray[np.bool_]:
        """Return the chosen component (Z, Y, X) at another threshold."""
        return self.whole(select_component(self.values, threshold).mask)

    def chosen(self, box: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the component of a mask of the box that would be chosen, in the case (Z, Y, X)."""
        inside = np.where(box, np.maximum(self.values, _NOTHING), 0)
        return self.whole(select_component(inside, _NOTHING).mask)


def keep_probability(folder: Path, case: str, found: "Segmentation") -> None:
    """Write the probability of a case, rounded to half precision, and its samples if it has any."""
    probability = found.probability
    values = np.where(probability >= _NOTHING, probability, 0).astype(np.float16)
    places = np.argwhere(values)
    # Without any, a box of one voxel is still one to draw masks in.
    first, last = (
        (places.min(axis=0), places.max(axis=0) + 1) if len(places) else ([0] * 3, [1] * 3)
    )
    box = tuple(slice(start, stop) for start, stop in zip(first, last, strict=True))
    samples: dict[str, Any] = {}
    if found.samples is not None:
        samples["samples"] = np.packbits(found.samples, axis=None)
    place = _place(folder, case)
    with (
        recorded_in_place(folder, place),
        written_whole(place) as temporary,
        temporary.open("wb") as file,
    ):
        np.savez_compressed(
            file,
            values=values[box],
            corner=first,
            shape=values.shape,
            # Rounded as the values are, so that what reached it still does.
            threshold=np.float16(found.threshold),
            **samples,
        )


def read_probability(folder: Path, case: str) -> Probability:
    """Read the probability of a case.

    Raises
    ------
    CaseError
        If it cannot be read.
    """
    kept = _read(folder, case, ("values", "corner", "shape", "threshold"))
    z, y, x = kept["corner"].tolist()
    planes, rows, columns = kept["shape"].tolist()
    values = kept["values"].astype(np.float32)
    return Probability(values, (z, y, x), (planes, rows, columns), float(kept["threshold"]))


def read_samples(folder: Path, case: str) -> NDArray[np.bool_]:
    """Read the masks (N, Z, Y, X) of each network and flip by itself.

    Raises
    ------
    CaseError
        If they cannot be read.
    """
    kept = _read(folder, case, ("samples", "shape"))
    shape = kept["shape"].tolist()
    bits = np.unpackbits(kept["samples"]).astype(bool)
    size = int(np.prod(shape))
    return bits[: bits.size // size * size].reshape(-1, *shape)


def generator(seed: int, case: str, *numbers: int) -> np.random.Generator:
    """Return the random numbers of a case: the same whatever else is drawn, in whatever order."""
    name = int.from_bytes(hashlib.sha256(case.encode()).digest()[:8])
    return np.random.default_rng([seed, name, *numbers])


def _read(folder: Path, case: str, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    path = _place(folder, case)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except Exception as error:  # damaged archives raise nearly anything
        msg = f"Expected {path} to hold {', '.join(names)} of case {case}, found: {error}."
        raise CaseError(msg) from error


def _place(folder: Path, case: str) -> Path:
    return folder / f"{case}.npz"
