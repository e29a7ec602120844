"""A mask that is ready to be measured: what several features need is computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Spacing
from lggshape.masks import Components, Mask, bounding_box, count_faces, find_components
from lggshape.shape import radial, solid
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.ellipsoid import Ellipsoid, minimum_volume_ellipsoid
from lggshape.shape.points import extreme_points

MOST_VOXELS, MOST_FACES = 2**24, 2**22
"""The most voxels of a component, and faces of them on its surface, that are measured.

Sixteen litres of 1 mm, and some hundred times the surface of a glioma at that resolution: noise has
more, and its mesh would fill the memory."""


@dataclass(frozen=True, eq=False)
class PreparedMask:
    """A mask to be measured. Each part is computed when it is first asked for, and kept.

    Attributes
    ----------
    whole : ndarray of bool, shape (Z, Y, X)
        The mask, cut to the box that holds it.
    first_slice : int
        Number of the first slice of the box in the volume, counted from 1.
    spacing : tuple of float or None
        Distances between voxel centres along (z, y, x), in mm; None if unknown.
    conventions : Conventions
        What the definitions leave open.
    """

    whole: Mask
    first_slice: int
    spacing: Spacing | None
    conventions: Conventions

    @property
    def steps(self) -> Spacing:
        """The spacing, or steps of 1 if it is unknown."""
        return self.spacing or (1.0, 1.0, 1.0)

    @cached_property
    def components(self) -> Components:
        """The 6-connected components of the whole mask."""
        return find_components(self.whole)

    @cached_property
    def component(self) -> Mask:
        """The part that is measured, shape (Z, Y, X) of `whole`: the largest component, or all."""
        keep_all = self.conventions.component == "all" or self.components.number == 1
        return self.whole if keep_all else self.components.largest()

    @cached_property
    def areas(self) -> NDArray[np.int_]:
        """Number of pixels of the component in each slice, shape (Z,)."""
        pixels: NDArray[np.int_] = self.component.sum(axis=(1, 2))
        return pixels

    @cached_property
    def voxels(self) -> int:
        """Number of voxels of the component."""
        return int(self.areas.sum())

    @property
    def oversized(self) -> str:
        """Why the component is not measured, if it is larger or rougher than any tumour's."""
        if self.voxels > MOST_VOXELS:
            return f"the mask has {self.voxels} voxels, more than the {MOST_VOXELS} of a tumour"
        faces = count_faces(self.component)
        if faces > MOST_FACES:
            most = f"more than the {MOST_FACES} of a tumour"
            return f"the surface of the mask has {faces} voxel faces, {most}; it may be noise"
        return ""

    @cached_property
    def largest_slice(self) -> int:
        """Index of the slice of the largest area in the box; the lowest on a tie."""
        return int(self.areas.argmax())

    @cached_property
    def planes(self) -> list[Mask]:
        """The component in the slices where the 2D features are measured, each of shape (Y, X)."""
        every = self.conventions.slices == "all"
        chosen = np.flatnonzero(self.areas) if every else [self.largest_slice]
        return [self.component[index] for index in chosen]

    @cached_property
    def parts(self) -> list[Mask]:
        """The largest part of each plane, with its holes filled, shape (Y, X)."""
        return [radial.largest_part(plane) for plane in self.planes]

    @cached_property
    def contours(self) -> list[radial.Contour]:
        """The contours of the parts, in mm or pixels."""
        return [radial.trace_part(part, spacing=self.steps[1:]) for part in self.parts]

    @cached_property
    def deviations(self) -> list[radial.AngularDeviation]:
        """The angular standard deviation of each contour."""
        offset = self.conventions.bin_offset
        return [radial.angular_standard_deviation(one, offset=offset) for one in self.contours]

    @cached_property
    def hull(self) -> solid.Hull:
        """The convex hull of the corners of the component's voxels, in voxels."""
        return solid.convex_hull(self.component)

    @cached_property
    def ellipsoid(self) -> Ellipsoid:
        """The smallest ellipsoid around the component, in voxels."""
        points = self.conventions.points
        if points == "corners":
            return minimum_volume_ellipsoid(self.hull.vertices)
        return minimum_volume_ellipsoid(extreme_points(self.component, points=points))

    @cached_property
    def mesh(self) -> solid.MeshMeasures:
        """The measures of the triangle mesh around the component, in mm. Needs the spacing."""
        return solid.measure_mesh(solid.mesh(self.component, spacing=self._known_spacing))

    @cached_property
    def axes(self) -> solid.AxisRatios:
        """The ratios of the component's principal axes. Needs the spacing."""
        return solid.axis_ratios(self.component, spacing=self._known_spacing)

    @property
    def _known_spacing(self) -> Spacing:
        if self.spacing is None:
            msg = "A feature that uses the mesh or the axes has to be registered as needs_spacing."
            raise TypeError(msg)
        return self.spacing


def prepare_mask(
    mask: Mask,
    *,
    spacing: Spacing | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> PreparedMask | None:
    """Return a mask ready to be measured.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        A mask. It may touch the border. The 2D features are measured in its slices along the first
        axis.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm.
    conventions : Conventions
        What the definitions leave open.

    Returns
    -------
    PreparedMask or None
        None if the mask is empty.

    Examples
    --------
    >>> mask = np.zeros((4, 8, 8), dtype=bool)
    >>> mask[1:3, 2:4, 2:6] = True
    >>> prepared = prepare_mask(mask)
    >>> prepared.voxels, prepared.areas.tolist(), prepared.hull.volume
    (16, [8, 8], 16.0)
    """
    box = bounding_box(mask)
    if box is None:
        return None
    return PreparedMask(mask[box], box[0].start + 1, spacing, conventions)
