"""Volumes fitted to the square grid of a network, and back."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case, Spacing
from lggshape.errors import CaseError
from lggshape.head import find_head
from lggshape.segmentation.preprocessing.frame import FIELD_OF_VIEW, Frame
from lggshape.segmentation.preprocessing.intensities import standardise
from lggshape.segmentation.preprocessing.slabs import Slabs

MOST_COARSE = 2.0
"""How far sagittal or coronal slices may lie apart, in mm, to make axial ones of them.

`benchmarks/field_of_view.py` prints what thicker slices cost."""

MOST_OBLONG = 2.0
"""How many times as long as wide pixels may be that are coarser than that."""

_NEARLY_SQUARE = 0.01


class InputConfiguration(Protocol):
    """What a network is shown, as a `NetworkConfiguration` describes it."""

    @property
    def sequences(self) -> tuple[str, ...]:
        """The MR sequences, in the order of the channels. FLAIR is one of them."""

    @property
    def neighbours(self) -> int:
        """How many FLAIR slices below and above the slice are further channels."""

    @property
    def size(self) -> int:
        """Side of the square of pixels that slices are fitted to."""


class Volume(NamedTuple):
    """A case as a network is shown it.

    Attributes
    ----------
    codes : ndarray of uint8, shape (S, size, size, C)
        Standardised intensities, one channel per sequence.
    frame : Frame
        How the slices lie in the square.
    slabs : Slabs
        How the Z slices of the case were averaged to S.
    missing : tuple of str
        The sequences that the case lacks.
    notes : tuple of str
        What was done to slices of an unusual geometry.
    """

    codes: NDArray[np.uint8]
    frame: Frame
    slabs: Slabs
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def restore(self, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring values (S, size, size) back to the grid of the case (Z, Y, X)."""
        return self.slabs.restore(self.frame.restore(squares))


def prepare_input(case: Case, configuration: InputConfiguration) -> Volume:
    """Standardise the image of a case and fit it to the grid of a network.

    Where the size of a pixel is known, slices are brought to square pixels and to `FIELD_OF_VIEW`:
    they are cut around the head where they show more, and padded where they show less. Otherwise
    they are scaled by their number of pixels, see `Frame.of`. Where the orientation is known, the
    networks see it as they were trained: rows from front to back, columns from right to left.
    Slices that lie close together are averaged first, see `Slabs.of`.

    Raises
    ------
    CaseError
        If the case has no image with FLAIR, one that cannot be scaled, or no axial slices of a fair
        resolution.
    """
    spacing = case.geometry.spacing
    if spacing is not None:
        _refuse_coarse(case, spacing)
    count = 0 if case.image is None else len(case.image)
    slabs = Slabs.of(count, None if spacing is None else spacing[0])
    found = standardise(case, configuration.sequences, slabs)
    assert case.image is not None  # it was standardised
    shape = (case.image.shape[1], case.image.shape[2])
    # Then rows run from back to front, and columns from left to right.
    turned = case.geometry.affine is not None
    if spacing is None:
        frame = Frame.of(shape, configuration.size)._replace(turned=turned)
        return Volume(frame.fit(found.codes()), frame, slabs, found.missing)
    frame = Frame.with_pixels(shape, configuration.size, spacing[1:])._replace(turned=turned)
    if frame.is_cut:
        frame = frame.around(find_head(found.codes_of(FLAIR)))
    notes = _notes(case, shape, spacing, frame, slabs)
    return Volume(frame.fit(found.codes()), frame, slabs, found.missing, notes)


def _refuse_coarse(case: Case, spacing: Spacing) -> None:
    """Raise for axial slices that are much coarser along one side than along the other.

    Networks look at axial slices. Those of a volume of thick sagittal or coronal slices would be
    made up of little more than interpolation.
    """
    fine, coarse = sorted(spacing[1:])
    if coarse <= MOST_COARSE or coarse <= MOST_OBLONG * fine:
        return
    plane = case.geometry.plane
    if plane.axis:
        found = f"{plane.name} slices {spacing[plane.axis]:g} mm apart"
    else:
        found = f"pixels of {spacing[1]:g} x {spacing[2]:g} mm (y, x)"
    msg = (
        f"Expected case {case.id} to have axial slices, or sagittal or coronal ones at most "
        f"{MOST_COARSE:g} mm apart, found {found}. Use an axial or a 3D series of the examination."
    )
    raise CaseError(msg)


def _notes(
    case: Case, shape: tuple[int, int], spacing: Spacing, frame: Frame, slabs: Slabs
) -> tuple[str, ...]:
    """Return what was done to slices that are not axial, thick, of square pixels and usual size."""
    plane, (apart, height, width) = case.geometry.plane, spacing
    notes = []
    if plane.axis:
        made = f"made from {plane.name} ones {spacing[plane.axis]:g} mm apart"
        notes.append(f"segmented in axial slices {made}")
    elif not np.isclose(height, width, rtol=_NEARLY_SQUARE):
        notes.append(f"pixels of {height:g} x {width:g} mm (y, x) made square for the networks")
    field = [n * mm for n, mm in zip(shape, (height, width), strict=True)]
    if frame.is_cut:
        notes.append(
            f"field of view of {field[0]:.0f} x {field[1]:.0f} mm cut to {FIELD_OF_VIEW:g} mm "
            "around the head for the networks"
        )
    if slabs.each > 1:
        notes.append(
            f"slices {apart:g} mm apart averaged to slabs of {slabs.each * apart:g} mm for the "
            "networks"
        )
    return tuple(notes)


def with_neighbours(
    codes: NDArray[np.uint8],
    slices: NDArray[np.intp],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    configuration: InputConfiguration,
) -> NDArray[np.uint8]:
    """Gather slices with their neighbouring FLAIR slices as further channels.

    Parameters
    ----------
    codes : ndarray of uint8, shape (N, size, size, C)
        The slices of one volume, or of several one after the other.
    slices : ndarray of int, shape (B,)
        Which slices to gather.
    first, last : ndarray of int, shape (B,)
        The first and the last slice of the volume that each belongs to. Beyond them the outermost
        slice is repeated.
    configuration : InputConfiguration
        Says how many neighbours, and which channel is FLAIR.

    Returns
    -------
    ndarray of uint8, shape (B, size, size, C + 2 * neighbours)
        The sequences, then FLAIR from the lowest neighbour to the highest.
    """
    reach = configuration.neighbours
    if reach == 0:
        return codes[slices]
    flair = configuration.sequences.index(FLAIR)
    offsets = [offset for offset in range(-reach, reach + 1) if offset]
    around = [codes[np.clip(slices + offset, first, last), ..., flair] for offset in offsets]
    return np.concatenate([codes[slices], np.stack(around, axis=-1)], axis=-1)
