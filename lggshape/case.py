"""A case: the images and the mask of one examination of one patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLAIR = "FLAIR"
"""Name of the sequence that shows the tumour, which every image has to have to be segmented."""

SEQUENCES = ("pre-contrast", FLAIR, "post-contrast")
"""Names of the MR sequences, in the order of the channels."""

_Values = TypeVar("_Values", bound=np.generic)

Spacing = tuple[float, float, float]
"""Distances between voxel centres along (z, y, x), in mm."""

_GRID_TOLERANCE = 0.01
"""How far apart the corners of two grids in one place may lie, in voxels: enough for the rounding
of qform and sform, far below what shifts a mask."""

CLEARLY_LARGER = 1.5
"""By which factor the distance between slices has to exceed the other two to tell the plane of
acquisition: volumes that are nearly isotropic are acquired in 3D and may be cut in any plane."""


class Plane(NamedTuple):
    """The plane in which the slices of a volume were acquired.

    Attributes
    ----------
    name : {"axial", "coronal", "sagittal", "unknown"}
        Its name.
    axis : {0, 1, 2}
        The axis of the array (Z, Y, X) along which the slices follow each other.
    """

    name: str
    axis: int

    def turn(self, volume: NDArray[_Values]) -> NDArray[_Values]:
        """Return a volume (Z, Y, X) with its slices along the first axis: (slices, rows, columns).

        Examples
        --------
        >>> Plane("sagittal", 2).turn(np.zeros((7, 6, 5))).shape
        (5, 7, 6)
        """
        return np.moveaxis(volume, self.axis, 0)

    def turn_spacing(self, spacing: Spacing) -> Spacing:
        """Return the distances (z, y, x) in the order of a turned volume.

        Examples
        --------
        >>> Plane("coronal", 1).turn_spacing((0.5, 6.0, 0.7))
        (6.0, 0.5, 0.7)
        """
        rows, columns = (step for axis, step in enumerate(spacing) if axis != self.axis)
        return spacing[self.axis], rows, columns


_PLANES = (Plane("axial", 0), Plane("coronal", 1), Plane("sagittal", 2))
_UNKNOWN_PLANE = Plane("unknown", 0)


@dataclass(frozen=True)
class Geometry:
    """Where the voxels of a case lie.

    Attributes
    ----------
    spacing : tuple of float or None
        Distances between voxel centres along (z, y, x) in mm; None if the files do not tell.
    affine : ndarray of shape (4, 4) or None
        Maps voxel indices (z, y, x, 1) to millimetres, right-anterior-superior; None if the files
        do not tell.
    """

    spacing: Spacing | None = None
    affine: NDArray[np.float64] | None = field(default=None, compare=False)

    @property
    def plane(self) -> Plane:
        """The plane of acquisition: across the axis of the largest distance between voxel centres.

        It counts if it is more than 1.5 times the next smaller one; a volume that is nearly
        isotropic is axial. Without the affine nobody knows which axis is which: the plane is
        unknown, and the slices are those along the first axis.

        Examples
        --------
        >>> Geometry((1.0, 1.0, 5.0), np.eye(4)).plane
        Plane(name='sagittal', axis=2)
        >>> Geometry((1.0, 1.0, 1.2), np.eye(4)).plane.name, Geometry((1.0, 1.0, 5.0)).plane.name
        ('axial', 'unknown')
        """
        if self.spacing is None or self.affine is None:
            return _UNKNOWN_PLANE
        widest = int(np.argmax(self.spacing))
        _, middle, largest = sorted(self.spacing)
        return _PLANES[widest if largest > CLEARLY_LARGER * middle else 0]

    def difference(
        self, other: "Geometry", shape: Sequence[int], other_shape: Sequence[int] | None = None
    ) -> str:
        """Return in what two grids differ, as far as both are known.

        Parameters
        ----------
        other : Geometry
            The geometry of the other grid.
        shape : sequence of int
            (Z, Y, X) of this grid.
        other_shape : sequence of int, optional
            (Z, Y, X) of the other grid; by default the same.

        Returns
        -------
        str
            Both values of what differs, and how far apart the corners lie. Empty if the grids lie
            in one place: the same shape, and corners to within a hundredth of a voxel.

        Examples
        --------
        >>> one = Geometry((5.0, 1.0, 1.0))
        >>> one.difference(Geometry((6.0, 1.0, 1.0)), (20, 256, 256))
        'voxels of 5 x 1 x 1 and 6 x 1 x 1 mm (z, y, x)'
        """
        shapes = tuple(shape), tuple(shape if other_shape is None else other_shape)
        found = [f"shapes {shapes[0]} and {shapes[1]}"] if shapes[0] != shapes[1] else []
        own, others = self.spacing, other.spacing
        if own and others and not np.allclose(own, others, rtol=_GRID_TOLERANCE, atol=0):
            one, two = (" x ".join(f"{size:g}" for size in grid) for grid in (own, others))
            found.append(f"voxels of {one} and {two} mm (z, y, x)")
        if self.affine is None or other.affine is None:
            return ", ".join(found)
        ends = [
            corners(grid.affine, of)
            for grid, of in zip((self, other), shapes, strict=True)
            if grid.affine is not None
        ]
        shifts = np.linalg.norm(ends[0] - ends[1], axis=1)
        worst = int(shifts.argmax())
        if found or shifts[worst] > _GRID_TOLERANCE * min(self.spacing or (1.0,)):
            places = [", ".join(f"{value:.4g}" for value in end[worst]) for end in ends]
            found.append(
                f"a corner at ({places[0]}) and at ({places[1]}) mm (x, y, z), "
                f"{shifts[worst]:.3g} mm apart"
            )
        return ", ".join(found)


def corners(affine: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.float64]:
    """Return where the outer corners of a grid lie.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        Maps voxel indices (z, y, x, 1) to millimetres.
    shape : sequence of int
        (Z, Y, X).

    Returns
    -------
    ndarray of float, shape (8, 3)
        In millimetres (x, y, z): the corners of the outermost voxels, not their centres.

    Examples
    --------
    >>> corners(np.eye(4), (2, 2, 2))[[0, -1]].tolist()
    [[-0.5, -0.5, -0.5], [1.5, 1.5, 1.5]]
    """
    ends = np.array(list(np.ndindex(2, 2, 2)), dtype=np.float64) * np.array(shape) - 0.5
    placed: NDArray[np.float64] = ends @ affine[:3, :3].T + affine[:3, 3]
    return placed


@dataclass(frozen=True, repr=False)
class Case:
    """The images and the mask of one examination of one patient.

    Attributes
    ----------
    id : str
        Name of the examination, unique within a data set.
    patient : str
        Key of the patient, the one that label tables use.
    image : ndarray of shape (Z, Y, X, C) or None
        Intensities as stored, one channel per sequence; None if the case has masks alone or the
        image was not asked for.
    mask : ndarray of bool, shape (Z, Y, X), or None
        True inside the tumour; None if the case has no mask or the mask was not asked for. Of
        several regions it is their union.
    sequences : tuple of str
        Names of the channels of `image`, in order: "pre-contrast", "FLAIR", "post-contrast".
    geometry : Geometry
        Where the voxels lie, as far as it is known.
    notes : tuple of str
        What was done to the files to read them, and what is unusual about them. Tables show it.
    regions : mapping of str to ndarray of bool, shape (Z, Y, X)
        The regions of the mask by name, which may overlap; empty if none were asked for.

    Examples
    --------
    >>> mask = np.zeros((20, 256, 256), dtype=bool)
    >>> Case("scan_1", "patient_7", mask=mask, geometry=Geometry((5.0, 0.9, 0.9)))
    Case(scan_1: patient patient_7, 20 x 256 x 256, voxels of 5 x 0.9 x 0.9 mm, no image, mask)
    """

    id: str
    patient: str
    image: NDArray[np.generic] | None = field(default=None, compare=False)
    mask: NDArray[np.bool_] | None = field(default=None, compare=False)
    sequences: tuple[str, ...] = ()
    geometry: Geometry = field(default_factory=Geometry)
    notes: tuple[str, ...] = ()
    regions: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        """Return what there is of the case in one line."""
        patient, *rest = self._described().values()
        return f"Case({self.id}: patient {patient}, {', '.join(rest)})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{name}</th><td>{escape(value)}</td></tr>"
            for name, value in {"case": self.id, **self._described()}.items()
        )
        return f"<table>{rows}</table>"

    def plot(self, *, predicted: ArrayLike | None = None, sequence: str | None = None) -> "Figure":
        """Draw the slices of the case with the outline of its mask.

        Parameters
        ----------
        predicted : array_like, shape (Z, Y, X), optional
            Another mask of the case, which is drawn as well.
        sequence : str, optional
            The sequence to show. By default it is FLAIR, or the first one of an image without
            FLAIR.

        Returns
        -------
        matplotlib.figure.Figure
            The slices with tumour, or all slices with a part of the head if there is no tumour. A
            case without an image is drawn on white.

        Raises
        ------
        CaseError
            If the case has neither an image nor a mask, or its intensities are not finite.
        InputError
            If the image has no such sequence, or `predicted` is no mask of the shape of the case.

        Examples
        --------
        >>> mask = np.zeros((5, 20, 20), dtype=bool)
        >>> mask[1:4, 5:12, 6:15] = True
        >>> figure = Case("patient_1", "patient_1", mask=mask).plot()
        >>> len(figure.axes) >= 3
        True
        """
        # Imported here, because everything else imports this module, and because drawing is slow
        # to import.
        from lggshape.visualisation import plot_case

        return plot_case(self, predicted=predicted, sequence=sequence)

    def _described(self) -> dict[str, str]:
        """Return what is known of the case, in words."""
        voxels = self.mask if self.image is None else self.image
        spacing = self.geometry.spacing
        size = " x ".join(f"{length:g}" for length in spacing or ())
        regions = " + ".join(self.regions)
        return {
            "patient": self.patient,
            "shape": "no voxels" if voxels is None else " x ".join(map(str, voxels.shape[:3])),
            "spacing": f"voxels of {size} mm" if spacing else "spacing unknown",
            "image": "no image" if self.image is None else " + ".join(self.sequences) or "image",
            "mask": "no mask" if self.mask is None else f"mask{regions and ' of '}{regions}",
        }

    def missing_sequences(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the sequences of which the image holds nothing of their own.

        Parameters
        ----------
        names : sequence of str
            The sequences that an image may have.

        Returns
        -------
        tuple of str
            Those of `names` without a channel, with a channel of one value throughout, or with a
            copy of FLAIR, by which data sets fill gaps. All, if there is no image.
        """
        if self.image is None:
            return tuple(names)
        channels = dict(zip(self.sequences, np.moveaxis(self.image, -1, 0), strict=True))
        return tuple(
            name
            for name in names
            if (channel := channels.get(name)) is None
            or channel.min() == channel.max()
            or (name != FLAIR and FLAIR in channels and np.array_equal(channel, channels[FLAIR]))
        )
