import io
import re

import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.case import Case, Geometry
from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.shape.conventions import Conventions
from lggshape.shape.extraction import extract_features
from lggshape.shape.features import FEATURES
from lggshape.shape.table import COLUMNS, feature_table


def write_case(folder, name, mask):
    (folder / name).mkdir(parents=True)
    for number, plane in enumerate(mask, start=1):
        image = np.zeros((*plane.shape, 3), dtype=np.uint8)
        tifffile.imwrite(folder / name / f"{name}_{number}.tif", image)
        values = plane.astype(np.uint8) * 255
        tifffile.imwrite(folder / name / f"{name}_{number}_mask.tif", values)


def block(*shape):
    mask = np.zeros((5, 16, 16), dtype=bool)
    mask[tuple(slice(1, 1 + size) for size in shape)] = True
    return mask


@pytest.fixture
def cohort(tmp_path):
    """Three good cases, one with an empty mask, one that cannot be read."""
    folder = tmp_path / "cohort"
    for number, mask in enumerate([block(2, 5, 7), block(3, 4, 9), block(1, 1, 1)], start=1):
        write_case(folder, f"TCGA_AA_000{number}_20000101", mask)
    write_case(folder, "TCGA_AA_0004_20000101", block(0, 0, 0))
    write_case(folder, "TCGA_AA_0005_20000101", block(1, 2, 2))
    (folder / "TCGA_AA_0005_20000101" / "TCGA_AA_0005_20000101_2_mask.tif").write_bytes(b"broken")
    return folder


def test_a_row_a_case_in_order(cohort):
    sources = open_cases(cohort, masks_only=True)
    measured = feature_table(sources, jobs=1)
    table = measured.table
    assert tuple(table.columns) == COLUMNS
    assert list(table["case"]) == [source.id for source in sources]
    assert list(table["patient"]) == [f"TCGA_AA_000{number}" for number in range(1, 6)]
    assert set(table["masks"]) == {"manual"}
    for number, mask in enumerate([block(2, 5, 7), block(3, 4, 9), block(1, 1, 1)]):
        expected = extract_features(mask)
        found = table.loc[number, list(FEATURES)].astype(float).to_dict()
        assert found == pytest.approx(expected.values, nan_ok=True, rel=0)
        assert table.loc[number, "slice"] == 2
        assert table.loc[number, "empty_bins"] == expected.empty_bins
        assert table.loc[number, "reason"] == (
            "the spacing is unknown: no mesh_volume, surface_area, sphericity, elongation, "
            "flatness, maximum_3d_diameter, surface_fractal_dimension; it spans too few voxels for "
            "boxes of several sizes: no contour_fractal_dimension, lacunarity"
        )
    assert list(measured.failures) == ["TCGA_AA_0005_20000101"]


def test_failed_and_empty_cases_have_a_row_with_the_reason(cohort):
    measured = feature_table(open_cases(cohort, masks_only=True), jobs=1)
    table = measured.table
    empty, failed = table.iloc[3], table.iloc[4]
    for row in (empty, failed):
        assert row[list(FEATURES)].isna().all()
        assert row[["slice", "empty_bins"]].isna().all()
    # What was read is known to have no spacing; of what was not, nothing is known.
    assert table["spacing_known"].tolist() == [False, False, False, False, pd.NA]
    written = pd.read_csv(io.StringIO(table.to_csv()), dtype=str)["spacing_known"]
    assert written.fillna("").tolist() == ["False", "False", "False", "False", ""]
    assert empty["reason"] == "the mask is empty"
    assert failed["reason"] == measured.failures["TCGA_AA_0005_20000101"]
    assert "TCGA_AA_0005_20000101_2_mask.tif" in failed["reason"]


def test_the_plane_is_noted_if_it_is_not_axial_invariant():
    thick = {"axial": (5.0, 1.0, 1.0), "coronal": (1.0, 5.0, 1.0), "sagittal": (1.0, 1.0, 5.0)}
    mask, affine = block(2, 5, 7), np.eye(4)
    cases = [
        Case(name, name, mask=mask, geometry=Geometry(spacing, affine), notes=("resampled",))
        for name, spacing in thick.items()
    ]
    table = feature_table(cases, jobs=1).table
    assert table["notes"].tolist() == [
        "resampled",
        "resampled; 2D features in coronal slices",
        "resampled; 2D features in sagittal slices",
    ]
    assert table["slices"].tolist() == [2, 5, 7]
    # So it is for a mask that is changed.
    changed = feature_table(cases, change=lambda case: case.mask, jobs=1).table
    pd.testing.assert_frame_equal(changed, table)


def test_number_of_jobs_changes_nothing_invariant(cohort):
    sources = open_cases(cohort, masks_only=True)
    alone, together = (feature_table(sources, jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(alone.table, together.table)
    assert alone.failures == together.failures


def test_options_reach_every_case(cohort):
    seen = []
    table = feature_table(
        open_cases(cohort, masks_only=True, spacing=(2.0, 1.0, 1.0)),
        masks="automatic",
        conventions=Conventions(points="centres"),
        jobs=1,
        on_progress=seen.append,
    ).table
    assert [progress.done for progress in seen] == [0, 1, 2, 3, 4, 5]
    assert seen[-1] == ("measuring", 5, 5)
    assert set(table["masks"]) == {"automatic"}
    assert table["spacing_known"].tolist() == [True, True, True, True, pd.NA]
    expected = extract_features(
        block(2, 5, 7), spacing=(2.0, 1.0, 1.0), conventions=Conventions(points="centres")
    )
    found = table.loc[0, list(FEATURES)].astype(float).to_dict()
    assert found == pytest.approx(expected.values, nan_ok=True, rel=0)
    assert table.loc[2, "reason"] == (
        "no ellipsoid over voxel centres: all points are one: no bounding_ellipsoid_volume_ratio; "
        "one voxel has no principal axes: no elongation, flatness; it spans too few voxels for "
        "boxes of several sizes: no contour_fractal_dimension, surface_fractal_dimension, "
        "lacunarity"
    )


def test_no_cases_give_an_empty_table():
    measured = feature_table([], jobs=1)
    assert tuple(measured.table.columns) == COLUMNS
    assert measured.table.empty
    assert measured.failures == measured.reasons == {}


@pytest.mark.parametrize("masks", ["", " ", " manual", "a\nb"])
def test_kind_of_mask_that_is_no_word_is_refused(cohort, masks):
    with pytest.raises(InputError, match="manual or automatic, found: '"):
        feature_table(open_cases(cohort), masks=masks, jobs=1)


def test_two_cases_of_one_name_are_refused(cohort):
    twice = [*open_cases(cohort), *open_cases(cohort)[1:2]]
    with pytest.raises(InputError, match=r"every case once, found TCGA_AA_0002_20000101 twice: "):
        feature_table(twice, jobs=1)


def test_case_without_a_mask_is_a_failure(cohort):
    (source,) = open_cases(cohort / "TCGA_AA_0001_20000101")
    for path in source.path.glob("*_mask.tif"):
        path.unlink()
    measured = feature_table(open_cases(source.path), jobs=1)
    assert "to have a mask, found none" in measured.failures[source.id]


def test_a_path_and_cases_in_memory_are_measured_alike_invariant(cohort):
    by_path = feature_table(str(cohort), jobs=1).table
    readable = open_cases(cohort, masks_only=True)[:4]
    in_memory = feature_table([source.read(image=False) for source in readable], jobs=2).table
    pd.testing.assert_frame_equal(in_memory, by_path[:4])


@pytest.mark.parametrize(
    ("case", "found"),
    [
        (Case("a", "a"), "Expected case a to have an image or a mask, found none: in memory"),
        (Case("a", "a", mask=np.array([[[0, 1, 2]]])), "Case a in memory: .* two values"),
        (Case("a", "a", mask=np.ones((2, 2)) > 0), r"Case a in memory: .*\(Z, Y, X\)"),
        (
            Case("a", "a", mask=block(1, 1, 1), geometry=Geometry(spacing=(0.0, 1.0, 1.0))),
            "Case a in memory: .* three positive numbers",
        ),
    ],
)
def test_an_unusable_case_in_memory_is_a_failure(case, found):
    measured = feature_table([case, Case("b", "b", mask=block(1, 2, 3))], jobs=1)
    assert list(measured.failures) == ["a"]
    assert re.match(found, measured.failures["a"])
    assert measured.table["volume"].tolist()[1:] == [6]


def test_two_cases_in_memory_of_one_name_are_refused():
    case = Case("a", "a", mask=block(1, 1, 1))
    with pytest.raises(InputError, match=r"every case once, found a twice"):
        feature_table([case, Case("a", "b", mask=case.mask)], jobs=1)


def test_reasons_are_kept_by_case_and_feature_invariant(cohort):
    measured = feature_table(open_cases(cohort, masks_only=True, spacing=(2.0, 1.0, 1.0)), jobs=1)
    missing = measured.table.set_index("case")[list(FEATURES)].isna()
    assert {case: set(reasons) for case, reasons in measured.reasons.items()} == {
        case: set(missing.columns[missing.loc[case]]) for case in missing.index
    }
    assert measured.reasons["TCGA_AA_0003_20000101"]["flatness"].startswith("one voxel has")


def test_a_feature_table_shows_itself_in_a_line(cohort):
    measured = feature_table(cohort, jobs=1)
    assert repr(measured) == "FeatureTable(5 cases, 1 failed)"
    assert "<table" in measured._repr_html_()


def without_first_slice(case):
    mask = case.mask.copy()
    mask[:2] = False
    return mask


def test_a_changed_mask_is_measured_in_place_of_the_own_invariant(cohort):
    sources = open_cases(cohort, masks_only=True)[:2]
    changed = feature_table(sources, change=without_first_slice, jobs=2).table
    expected = [
        extract_features(without_first_slice(source.read(image=False))).values["volume"]
        for source in sources
    ]
    assert changed["volume"].tolist() == expected == [5 * 7, 2 * 4 * 9]
