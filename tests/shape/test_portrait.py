from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lggshape.case import FLAIR, Case, Geometry
from lggshape.errors import InputError
from lggshape.phantoms import write_cohort
from lggshape.shape.portrait import portray, read_portraits


def ellipse_mask(shape: tuple[int, int, int], radii: tuple[float, float, float]) -> np.ndarray:
    offsets = np.indices(shape) - np.array([(side - 1) / 2 for side in shape])[:, None, None, None]
    return (offsets**2 / np.square(radii)[:, None, None, None]).sum(axis=0) <= 1


DISC = ellipse_mask((5, 41, 41), (2, 12, 8))


def test_the_contour_surrounds_its_centre_and_the_ellipsoid_the_tumour_analytic() -> None:
    portrait = portray({"manual": Case("a", "p", mask=DISC)})
    assert portrait is not None
    assert portrait.construction is not None
    assert (portrait.case, portrait.patient, portrait.slice) == ("a", "p", 3)
    np.testing.assert_allclose(portrait.construction.centre, (20, 20))
    # x is the column (8 pixels), y the row (12 pixels).
    low, high = portrait.construction.contour.min(axis=0), portrait.construction.contour.max(axis=0)
    np.testing.assert_allclose(high - low, (17, 25))
    assert [section.name for section in portrait.construction.sections] == [
        "along the slices", "along the rows", "along the columns",
    ]  # fmt: skip
    for section in portrait.construction.sections:
        rings = np.vstack(section.rings)
        assert (section.ellipse.min(axis=0) <= rings.min(axis=0) + 0.6).all()
        assert (section.ellipse.max(axis=0) >= rings.max(axis=0) - 0.6).all()
    assert [section.to_scale for section in portrait.construction.sections] == [True, False, False]
    assert np.isnan(portrait.dice)


def test_a_known_orientation_is_shown_radiologically_and_to_scale_analytic() -> None:
    mask = np.zeros((3, 20, 20), dtype=bool)
    mask[:, 4:12, 2:6] = True
    mask[2] = False
    geometry = Geometry((5.0, 2.0, 1.0), np.diag([1.0, 2.0, 5.0, 1.0]))
    portrait = portray({"manual": Case("a", "p", mask=mask, geometry=geometry)})
    assert portrait is not None
    assert portrait.construction is not None
    # The patient's right (high x) is on the left, anterior (high y) on top, rows twice as high.
    np.testing.assert_allclose(portrait.construction.centre, (-3.5, -2 * 7.5))
    np.testing.assert_allclose(portrait.construction.spokes[0], (1.0, 0.0), atol=1e-12)
    sections = portrait.construction.sections
    assert [section.name for section in sections] == ["axial", "coronal", "sagittal"]
    assert all(section.to_scale for section in sections)
    coronal = np.vstack(sections[1].rings)
    np.testing.assert_allclose(np.ptp(coronal, axis=0), (4, 2 * 5), atol=0.5)  # simplified


def test_a_second_mask_is_outlined_and_compared_analytic() -> None:
    other = np.roll(DISC, 41 // 2, axis=2)
    masks = {"manual": Case("a", "p", mask=DISC), "automatic": Case("a", "p", mask=other)}
    portrait = portray(masks)
    assert portrait is not None
    assert list(portrait.outlines) == ["manual", "automatic"]
    assert portrait.dice == 0
    larger = replace(masks["automatic"], mask=np.pad(other, 1))
    portrait = portray({"manual": masks["manual"], "automatic": larger})
    assert portrait is not None
    assert list(portrait.outlines) == ["manual"]


def test_outlines_alone_are_those_of_the_whole_portrait_invariant() -> None:
    case = {"manual": Case("a", "p", mask=DISC)}
    whole, alone = portray(case), portray(case, measured=False)
    assert whole is not None
    assert alone is not None
    assert alone.construction is None
    assert alone.slice == whole.slice
    np.testing.assert_array_equal(alone.outlines["manual"], whole.outlines["manual"])


def test_an_empty_mask_has_no_portrait() -> None:
    assert portray({"manual": Case("a", "p", mask=np.zeros_like(DISC))}) is None


@pytest.mark.parametrize("affine", [None, np.eye(4)])
def test_the_image_lies_under_the_outline_analytic(affine: np.ndarray | None) -> None:
    image = np.where(DISC, 200.0, 100.0)[..., None]
    image[:, :2] = image[:, -2:] = 0.0
    spacing = None if affine is None else (1.0, 1.0, 1.0)
    case = Case("a", "p", image, DISC, sequences=(FLAIR,), geometry=Geometry(spacing, affine))
    portrait = portray({"manual": case})
    assert portrait is not None
    assert portrait.construction is not None
    assert portrait.image is not None
    bright = np.argwhere(portrait.image > 200)[:, ::-1] + 0.5 + portrait.corner
    for found, expected in zip(
        (bright.min(axis=0), bright.max(axis=0)),
        (portrait.construction.contour.min(axis=0), portrait.construction.contour.max(axis=0)),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, atol=0.51)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_cohort(tmp_path / "cases", patients=2, seed=1, size=(8, 48, 48))


def test_cases_are_read_with_images_only_if_asked_and_two_kinds_differ(
    folder: Path,
) -> None:
    for images in (False, True):
        read = read_portraits([folder], images=images, jobs=1)
        assert len(read.drawn) == 2
        assert read.checks == {}
        assert all((one.image is not None) is images for one in read.drawn.values())
    with pytest.raises(InputError, match="masks of different kinds, found manual ones in"):
        read_portraits([folder, folder], jobs=1)
