"""Hull, mesh and principal axes of a mask, as IBSI and pyradiomics define them."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes

from lggshape.case import Spacing
from lggshape.shape.points import extreme_points


class Hull(NamedTuple):
    """The convex hull of the corners of a mask's voxels.

    Attributes
    ----------
    vertices : ndarray of shape (n, 3)
        (z, y, x) in voxels; voxel centres are whole numbers.
    volume : float
        In voxels.
    """

    vertices: NDArray[np.float64]
    volume: float


class Mesh(NamedTuple):
    """The closed triangle mesh around a mask.

    Attributes
    ----------
    vertices : ndarray of shape (n, 3)
        (z, y, x) in mm from the centre of the first voxel.
    faces : ndarray of int, shape (m, 3)
        Numbers of the vertices of each triangle.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int_]


class MeshMeasures(NamedTuple):
    """The measures of a mesh, in mm3, mm2, 1 and mm."""

    volume: float
    surface_area: float
    sphericity: float
    maximum_diameter: float


class AxisRatios(NamedTuple):
    """The second and the third principal axis divided by the first.

    Both are NaN for a single voxel.
    """

    elongation: float
    flatness: float


def convex_hull(mask: NDArray[np.bool_]) -> Hull:
    """Compute the convex hull of the corners of a mask's voxels.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        A mask with at least one voxel inside. Corners always have a volume, so one voxel is a cube.

    Returns
    -------
    Hull

    Examples
    --------
    >>> convex_hull(np.ones((1, 1, 4), dtype=bool)).volume
    4.0
    """
    points = extreme_points(mask)
    hull = ConvexHull(points)
    return Hull(points[hull.vertices], float(hull.volume))


def mesh(mask: NDArray[np.bool_], *, spacing: Spacing) -> Mesh:
    """Wrap a mask in triangles by marching cubes at level 0.5.

    Voxels that touch only in an edge or a corner stay apart, as in a 6-connected component. The
    mesh is closed.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        A mask with at least one voxel inside. It may touch the border.
    spacing : tuple of float
        Distances between voxel centres along (z, y, x), in mm.

    Returns
    -------
    Mesh

    References
    ----------
    Lorensen WE, Cline HE. Marching cubes: a high resolution 3D surface construction algorithm. ACM
    SIGGRAPH Comput Graph 1987;21:163-169.
    """
    padded = np.pad(mask, 1).astype(np.float32)
    vertices, faces, _, _ = marching_cubes(padded, 0.5, method="lorensen")
    # Half voxels are exact in single precision, millimetres are not: so they are multiplied here.
    return Mesh((vertices.astype(float) - 1) * spacing, faces)


def measure_mesh(surface: Mesh) -> MeshMeasures:
    """Measure volume, surface area, sphericity and diameter of a mesh.

    Parameters
    ----------
    surface : Mesh
        As from `mesh`.

    Returns
    -------
    MeshMeasures
        The sphericity is the surface area of the ball of the same volume divided by that of the
        mesh; the diameter is the largest distance between two vertices.

    References
    ----------
    Zwanenburg A, Leger S, Vallieres M, Lock S. Image biomarker standardisation initiative,
    reference manual. arXiv 1612.07003: RNU0, C0JK, QCFX, L0JK.
    """
    first, second, third = (surface.vertices[surface.faces[:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(second - first, third - first), axis=1).sum() / 2
    volume = abs(np.einsum("ij,ij->", first, np.cross(second, third))) / 6
    # The two vertices farthest from each other are vertices of the hull.
    corners = surface.vertices[ConvexHull(surface.vertices).vertices]
    return MeshMeasures(
        volume=float(volume),
        surface_area=float(area),
        sphericity=float((36 * math.pi * volume**2) ** (1 / 3) / area),
        maximum_diameter=float(pdist(corners).max()),
    )


def axis_ratios(mask: NDArray[np.bool_], *, spacing: Spacing) -> AxisRatios:
    """Compute the ratios of the principal axes of the voxel centres.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        A mask with at least one voxel inside.
    spacing : tuple of float
        Distances between voxel centres along (z, y, x), in mm.

    Returns
    -------
    AxisRatios
        1 is round; 0 is a line (elongation) or flat (flatness).

    References
    ----------
    Zwanenburg A, Leger S, Vallieres M, Lock S. Image biomarker standardisation initiative,
    reference manual. arXiv 1612.07003: Q3CK, N17B.
    """
    voxels = np.argwhere(mask)
    if len(voxels) == 1:
        return AxisRatios(math.nan, math.nan)
    scatter = np.cov((voxels * np.array(spacing)).T, bias=True)
    # Rounding can make the variance across a flat mask slightly negative.
    least, middle, most = np.maximum(np.linalg.eigvalsh(scatter), 0)
    return AxisRatios(float(np.sqrt(middle / most)), float(np.sqrt(least / most)))
