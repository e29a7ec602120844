import math

import numpy as np
import pytest

from lggshape.shape.solid import axis_ratios, convex_hull, measure_mesh, mesh


def ibsi_phantom():
    """The digital phantom of the IBSI reference manual: 5 x 4 x 4 voxels of 2 mm."""
    mask = np.ones((4, 4, 5), dtype=bool)
    mask[1, 2, 0] = False
    mask[2:, 0, 3:] = False
    mask[2, 2, 2] = False
    return mask


def potato():
    z, y, x = np.ogrid[:16, :24, :30]
    body = ((z - 7) / 5.5) ** 2 + ((y - 11) / 8.0) ** 2 + ((x - 12) / 10.0) ** 2 <= 1
    return body | (((z - 9) / 4.0) ** 2 + ((y - 14) / 5.0) ** 2 + ((x - 21) / 6.0) ** 2 <= 1)


def notched():
    mask = np.zeros((7, 9, 9), dtype=bool)
    mask[1:6, 1:8, 1:8] = True
    mask[3:6, 3:6, 4:8] = False
    mask[2, 2, 2] = mask[1, 1, 1] = False
    mask[5, 1, 1:3] = False
    return mask


def measured(mask, spacing):
    return (
        *measure_mesh(mesh(mask, spacing=spacing)),
        *axis_ratios(mask, spacing=spacing),
    )


def test_digital_phantom_ibsi():
    # Reference values and their tolerances, arXiv 1612.07003, tables of the morphological features.
    volume, area, sphericity, diameter, elongation, flatness = measured(
        ibsi_phantom(), (2.0, 2.0, 2.0)
    )
    assert ibsi_phantom().sum() * 8 == 592
    assert volume == pytest.approx(556, abs=4)
    assert area == pytest.approx(388, abs=3)
    assert sphericity == pytest.approx(0.843, abs=0.005)
    assert diameter == pytest.approx(13.1, abs=0.1)
    assert elongation == pytest.approx(0.816, abs=0.005)
    assert flatness == pytest.approx(0.749, abs=0.005)


# MeshVolume, SurfaceArea, Sphericity, Maximum3DDiameter, Elongation and Flatness of pyradiomics
# 3.1.0 on these masks.
PYRADIOMICS = [
    (
        ibsi_phantom(), (2.0, 2.0, 2.0),
        (556.3333333333334, 388.0706298811095, 0.8429401437117412,
         13.114877048604, 0.8163212280802619, 0.7486135157421723),
    ),
    (
        potato(), (5.0, 0.9, 0.9),
        (8653.500000000025, 2980.8969454433973, 0.683804090622446,
         61.18970501644864, 0.38914880557761483, 0.24490834231358324),
    ),
    (
        np.ones((3, 4, 7), dtype=bool), (3.0, 1.0, 1.0),
        (233.0, 222.2504595750483, 0.823908033546242,
         11.224972160321824, 0.816496580927726, 0.45643546458763845),
    ),
    (
        notched(), (1.0, 1.0, 1.0),
        (197.58333333333334, 229.1071117102793, 0.7160539741495643,
         10.04987562112089, 0.9387890278318852, 0.6568436771379814),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("mask", "spacing", "expected"), PYRADIOMICS)
def test_masks_pyradiomics(mask, spacing, expected):
    assert measured(mask, spacing) == pytest.approx(expected, rel=1e-9)


def test_one_voxel_is_an_octahedron_analytic():
    # Its mesh has its vertices half a voxel from the centre along each axis.
    volume, area, sphericity, diameter = measure_mesh(
        mesh(np.ones((1, 1, 1), dtype=bool), spacing=(1.0, 1.0, 1.0))
    )
    assert volume == pytest.approx(1 / 6)
    assert area == pytest.approx(math.sqrt(3))
    assert sphericity == pytest.approx((36 * math.pi / 36) ** (1 / 3) / math.sqrt(3))
    assert diameter == pytest.approx(1)


def test_mesh_is_closed_and_in_place_analytic():
    generator = np.random.default_rng(3)
    surface = mesh(generator.random((6, 7, 8)) < 0.6, spacing=(2.0, 1.0, 1.5))
    edges = np.sort(
        np.concatenate([surface.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))]), axis=1
    )
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert np.all(counts % 2 == 0)
    assert surface.vertices.min(axis=0).tolist() == [-1.0, -0.5, -0.75]
    assert surface.vertices.max(axis=0).tolist() == [11.0, 6.5, 11.25]


def test_mesh_keeps_diagonal_voxels_apart_analytic():
    # Two voxels that share an edge: two octahedra.
    mask = np.eye(2, dtype=bool)[None]
    found = measure_mesh(mesh(mask, spacing=(1.0, 1.0, 1.0)))
    assert found.volume == pytest.approx(2 / 6)
    assert found.surface_area == pytest.approx(2 * math.sqrt(3))


def test_mesh_of_a_ball_analytic():
    z, y, x = np.mgrid[-22:23, -22:23, -22:23]
    found = measure_mesh(mesh(z**2 + y**2 + x**2 <= 20.5**2, spacing=(0.5, 0.5, 0.5)))
    radius = 20.5 / 2
    assert found.volume == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.01)
    assert found.maximum_diameter == pytest.approx(2 * radius, rel=0.03)
    # The staircase of the voxels makes the surface too large, by a known tenth.
    assert found.surface_area == pytest.approx(4 * math.pi * radius**2, rel=0.12)


def test_hull_of_an_l_analytic():
    mask = np.ones((1, 3, 3), dtype=bool)
    mask[0, 1:, 1:] = False
    # The corners of 5 voxels: a 3 x 3 square less a triangle of 2 x 2 / 2.
    hull = convex_hull(mask)
    assert hull.volume == pytest.approx(7)
    assert len(hull.vertices) == 10


@pytest.mark.parametrize(
    ("shape", "expected"), [((1, 1, 5), (0, 0)), ((1, 5, 5), (1, 0)), ((5, 5, 5), (1, 1))]
)
def test_axes_of_boxes_analytic(shape, expected):
    mask = np.ones(shape, dtype=bool)
    assert axis_ratios(mask, spacing=(3.0, 3.0, 3.0)) == pytest.approx(expected, abs=1e-7)


def test_axes_of_one_voxel_are_missing():
    ratios = axis_ratios(np.ones((1, 1, 1), dtype=bool), spacing=(1.0, 1.0, 1.0))
    assert all(map(math.isnan, ratios))
