"""The slices of a case, with the outlines of its masks."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from lggshape.case import FLAIR, Case, Spacing
from lggshape.errors import CaseError, InputError
from lggshape.figures.montage import Slice, montage
from lggshape.figures.view import plane_axes
from lggshape.head import find_head
from lggshape.masks import Mask, as_mask, bounding_box, dice
from lggshape.readers.in_memory import sources_of
from lggshape.shape.radial import trace_rings
from lggshape.visualisation.shown_cases import PREDICTED, outlined, predicted_name

Image = NDArray[np.generic]

Window = tuple[tuple[float, float], tuple[float, float]]
"""Lowest and highest row, lowest and highest column."""

MOST_SLICES = 22
"""Slices with tumour that a montage shows, besides the one beyond each end."""

_GREY = (1.0, 98.0)  # percentiles of the head that are black and white
_MARGINS = (0.02, 0.06)  # around the head, as a share of it; with letters there


def plot_case(
    case: Case, *, predicted: ArrayLike | None = None, sequence: str | None = None
) -> Figure:
    """Draw the slices of a case with the outlines of its masks.

    Parameters
    ----------
    case : Case
        With an image, a mask, or both.
    predicted : array_like, shape (Z, Y, X), optional
        Another mask of the case, which is drawn as well: 0 outside and one positive value inside.
    sequence : str, optional
        The sequence to show. By default it is FLAIR, or the first one of an image without FLAIR.

    Returns
    -------
    matplotlib.figure.Figure
        The slices with tumour, or all slices with a part of the head if there is no tumour; if they
        are many, every second, third and so on.

    Raises
    ------
    CaseError
        If the case has neither an image nor a mask, contradicts itself, or its intensities are not
        finite.
    InputError
        If the image has no such sequence, or `predicted` is no mask of the shape of the case.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.zeros((5, 20, 20), dtype=bool)
    >>> mask[1:4, 5:12, 6:15] = True
    >>> figure = plot_case(Case("patient_1", "patient_1", mask=mask))
    >>> figure.texts[0].get_text()
    'patient_1'
    """
    (source,) = sources_of([case])
    case = source.read()
    masks = outlined(case)
    image = image_of(case, sequence)
    if predicted is not None:
        other = as_mask(predicted, ndim=3, called="the predicted mask")
        shape = next(iter(masks.values())).shape if image is None else image.shape
        if other.shape != shape:
            msg = f"Expected the predicted mask to have the shape {shape} of case {case.id}, "
            raise InputError(f"{msg}found {other.shape}.")
        masks[PREDICTED] = other
    return draw_slices(case, image, masks)


def draw_slices(case: Case, image: Image | None, masks: Mapping[str, Mask]) -> Figure:
    """Draw slices of an image with the outlines of masks.

    Parameters
    ----------
    case : Case
        The case, for its name and its geometry.
    image : ndarray of shape (Z, Y, X) or None
        Finite intensities; without them the slices are white.
    masks : mapping of str to ndarray of bool, shape (Z, Y, X)
        The masks by name. There is an image or a mask.

    Returns
    -------
    Figure
        As that of `plot_case`.
    """
    volumes = [*masks.values(), *([] if image is None else [image])]
    tumour = np.logical_or.reduce([np.zeros(volumes[0].shape, dtype=bool), *masks.values()])
    head, grey = (np.zeros_like(tumour), (0.0, 1.0)) if image is None else head_and_grey(image)
    seen = tumour | head
    seen = seen if seen.any() else ~seen
    numbers = _choose_slices(tumour if tumour.any() else seen, beyond=bool(tumour.any()))
    oriented = case.geometry.affine is not None
    pairs = {name: other for name in masks if (other := predicted_name(name)) in masks}
    slices = [
        Slice(
            str(number + 1),
            {name: trace_rings(mask[number]) for name, mask in masks.items()},
            None if image is None else image[number],
        )
        for number in numbers
    ]
    return montage(
        slices,
        title="   ".join(filter(None, (case.id, _dice_text(case, masks, pairs)))),
        note=f"Slices {numbers[0] + 1} to {numbers[-1] + 1} of {len(tumour)}, {len(numbers)} "
        f"shown. {_view_note(oriented=oriented)}",
        window=_window(seen[numbers].any(axis=0), _MARGINS[oriented]),
        grey=grey,
        aspect=aspects(case.geometry.spacing)[0] or 1.0,
        oriented=oriented,
        dashed={other: name for name, other in pairs.items()},
    )


def _dice_text(case: Case, masks: Mapping[str, Mask], pairs: Mapping[str, str]) -> str:
    """Return the Dice of the masks, or of each region that both of them have."""
    if PREDICTED in masks and case.mask is not None:
        return f"Dice {dice(masks[PREDICTED], case.mask):.3f}"
    found = [f"{name} {dice(masks[name], masks[other]):.3f}" for name, other in pairs.items()]
    return f"Dice {', '.join(found)}" if found else ""


def image_of(case: Case, sequence: str | None = None) -> Image | None:
    """Return the intensities to show; None if the case has no image.

    Raises
    ------
    CaseError
        If they are not finite.
    InputError
        If the image has no such sequence.
    """
    if sequence is not None and sequence not in case.sequences:
        known = ", ".join(case.sequences) or "none"
        msg = f"Expected a sequence of case {case.id}, found {sequence!r}. It has: {known}."
        raise InputError(msg)
    if case.image is None or not case.sequences:
        return None
    name = sequence or (FLAIR if FLAIR in case.sequences else case.sequences[0])
    image = case.image[..., case.sequences.index(name)]
    if not np.isfinite(image).all():
        msg = f"Expected {name} of case {case.id} to be finite, found NaN or infinity."
        raise CaseError(msg)
    return image


def head_and_grey(image: Image) -> tuple[Mask, tuple[float, float]]:
    """Find the head in an image, and the intensities that are drawn black and white.

    Parameters
    ----------
    image : ndarray of shape (Z, Y, X)
        Finite intensities.

    Returns
    -------
    head : ndarray of bool, shape (Z, Y, X)
        True everywhere if no head is found.
    grey : tuple of float
        Nearly the lowest and nearly the highest intensity in it.
    """
    head = find_head(image)
    head = head if head.any() else ~head
    low, high = np.percentile(image[head].astype(np.float64), _GREY)
    return head, (float(low), float(high))


def aspects(spacing: Spacing | None) -> tuple[float | None, float | None, float | None]:
    """Return height by width of a voxel seen along z, y and x.

    Pixels of unknown size count as square; what needs the unknown distance of slices is None.
    """
    if spacing is None:
        return 1.0, None, None
    axial, coronal, sagittal = (
        spacing[upright] / spacing[across] for upright, across in map(plane_axes, range(3))
    )
    return axial, coronal, sagittal


def _choose_slices(inside: NDArray[np.bool_], *, beyond: bool) -> NDArray[np.intp]:
    """Choose slices of those that hold something, evenly; and the ones beyond, before and after."""
    holding = np.flatnonzero(inside.any(axis=(1, 2)))
    most = MOST_SLICES if beyond else MOST_SLICES + 2
    steps = np.linspace(0, len(holding) - 1, min(len(holding), most)).round().astype(int)
    ends = np.array([holding[0] - beyond, holding[-1] + beyond]).clip(0, len(inside) - 1)
    return np.union1d(holding[steps], ends)


def _window(plane: NDArray[np.bool_], margin: float) -> Window:
    """Return lowest and highest row and column of what is inside, with a margin on all sides."""
    box = bounding_box(plane)
    assert box is not None  # there is a tumour
    room = margin * max(side.stop - side.start for side in box)
    rows, columns = ((side.start - 0.5 - room, side.stop - 0.5 + room) for side in box)
    return rows, columns


def _view_note(*, oriented: bool) -> str:
    if oriented:
        return "Radiological view: the patient's right is on the left."
    return "As stored: which side is which is unknown."
