"""What the stored values of a mask mean: inside and outside, or the regions of a tumour."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import CaseError, InputError
from lggshape.masks import Mask, as_mask, bounding_box
from lggshape.readers.read_options import ReadOptions
from lggshape.regions import BUNDLED, Regions, Values

_SAY_REGIONS = (
    f"Say what the values mean with --regions ({', '.join(BUNDLED)} or a TOML file), or which of "
    "them are the tumour with --mask-values (regions=, mask_values= in Python)."
)
_SAY_NAMES = "Its values have names: --regions names reads each as a region. "
_SAY_OTHER = (
    "brats2013 is the coding of 2012 and 2013. For another one, write the values of each region to "
    "a TOML file (--regions FILE.toml)."
)
_SAY_THRESHOLD = (
    "Say from which value on a voxel is inside with --threshold (threshold= in Python)."
)

_SAY_AGAIN = "Save the mask with 0 outside the tumour and positive numbers inside."


class MaskRead(NamedTuple):
    """A mask as it was read.

    Attributes
    ----------
    mask : ndarray of bool
        True inside the tumour: of several regions, in any of them.
    regions : dict of str to ndarray of bool
        The regions that were asked for, each of the shape of the mask; empty if none were.
    """

    mask: Mask
    regions: Mapping[str, Mask] = {}


def read_mask(
    values: NDArray[np.generic],
    *,
    case: str,
    path: Path,
    slices: Sequence[Path] = (),
    options: ReadOptions | None = None,
    value_names: Callable[[], Mapping[str, Values]] = dict,
) -> MaskRead:
    """Return what the stored values of a mask mean.

    Parameters
    ----------
    values : ndarray
        The values as stored, of any shape and type.
    case : str
        Name of the case, for the message.
    path : Path
        Where the values come from, for the message.
    slices : sequence of Path
        The file of each slice, if they are several: the message names the first that is not binary.
    options : ReadOptions, optional
        What the user says of them: the regions, the values that are the tumour, or a threshold.
        Without any of it, a mask has the value 0 and at most one other, a positive whole number.
    value_names : callable
        Returns the names of the values, if the files tell them, for the message.

    Returns
    -------
    MaskRead
        The mask and its regions, on one grid.

    Raises
    ------
    CaseError
        If the values are not numbers or not finite, or contradict what is said of them; and if
        nothing is said of a mask of several values. The message names them.

    Examples
    --------
    >>> values = np.array([[[0, 1, 2, 4]]])
    >>> options = ReadOptions(regions="brats")
    >>> read = read_mask(values, case="a", path=Path("a.nii"), options=options)
    >>> read.mask.astype(int).tolist(), read.regions["tumour_core"].astype(int).tolist()
    ([[[0, 1, 1, 1]]], [[[0, 1, 0, 1]]])
    """
    options = ReadOptions() if options is None else options
    called = f"the mask of case {case}"
    try:
        if options.threshold is not None:
            _check_numbers(values, called)
            return MaskRead(np.greater_equal(values, options.threshold))
        if options.wanted_regions is not None:
            return _regions(values, options.wanted_regions, called)
        return MaskRead(as_mask(values, called=called))
    except InputError as error:
        odd = (file for file, one in zip(slices, values, strict=False) if np.unique(one).size > 2)
        hint = _hint(values, options.wanted_regions)
        if hint == _SAY_REGIONS and value_names():
            hint = _SAY_NAMES + hint
        msg = f"{str(error).removesuffix('.')}: {next(odd, path)}. {hint}"
        raise CaseError(msg) from error


def _regions(values: NDArray[Any], regions: Regions, called: str) -> MaskRead:
    """Return the regions of a mask and their union."""
    _check_numbers(values, called)
    # Everything is done in the box around the tumour, which is a small part of most volumes.
    box = bounding_box(np.not_equal(values, 0)) or (slice(0),) * values.ndim
    part = values[box]
    if not _are_whole(part):
        msg = f"Expected {called} to have whole numbers as values, found fractions."
        raise InputError(msg)
    if part.size and part.min() < 0:
        msg = f"Expected {called} to have no negative values, found {part.min()}."
        raise InputError(msg)
    found = np.flatnonzero(np.bincount(part.ravel())) if part.dtype == np.uint8 else np.unique(part)
    try:
        coding = regions.coding_of(int(value) for value in found if value)
    except InputError as error:
        msg = f"{str(error).removesuffix('.')} in {called}."
        raise InputError(msg) from error
    masks = {name: _placed(np.isin(part, list(of)), box, values) for name, of in coding.items()}
    union = np.isin(part, list(frozenset().union(*coding.values())))
    return MaskRead(_placed(union, box, values), masks)


def _placed(inside: Mask, box: tuple[slice, ...], values: NDArray[Any]) -> Mask:
    """Return a mask of the shape of `values` that is `inside` in a box and False elsewhere."""
    mask = np.zeros(values.shape, dtype=bool)
    mask[box] = inside
    return mask


def _check_numbers(values: NDArray[Any], called: str) -> None:
    if values.dtype.kind not in "biuf":
        msg = f"Expected {called} to hold numbers, found {values.dtype}."
        raise InputError(msg)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        msg = f"Expected {called} to hold finite numbers, found NaN or infinity."
        raise InputError(msg)


def _are_whole(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "biu" or bool(np.all(values == np.rint(values)))


def _hint(values: NDArray[Any], regions: Regions | None) -> str:
    """Return what would make the mask readable."""
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all() or values.min() < 0:
        return _SAY_AGAIN
    if not _are_whole(values):
        return _SAY_THRESHOLD
    return _SAY_REGIONS if regions is None else _SAY_OTHER
