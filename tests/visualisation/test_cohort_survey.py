import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.visualisation import survey
from lggshape.visualisation.cohort_survey import (
    ADDED,
    COLUMNS,
    GRID,
    HEAD,
    MISSED,
    RAW,
    STANDARDISED,
    describe_case,
    to_grid,
)
from lggshape.visualisation.shown_cases import PREDICTED, REFERENCE, find_cases

CENTROID = ["centroid_z", "centroid_y", "centroid_x"]


def write_slices(folder, flair, mask):
    """Write a case as a slice folder of its name: without spacing and orientation."""
    folder.mkdir()
    for number, (plane, outline) in enumerate(zip(flair, mask, strict=True), start=1):
        name = f"{folder.name}_{number}"
        tifffile.imwrite(folder / f"{name}.tif", plane.astype(np.float32))
        tifffile.imwrite(folder / f"{name}_mask.tif", outline.astype(np.uint8))


@pytest.fixture
def folders(tmp_path, write_nifti, head, tumour):
    """Write a case with image and masks, one without an image, and one without a mask."""
    data, predicted = tmp_path / "data", tmp_path / "predicted"
    write_nifti(data, "a", flair=head, mask=tumour)
    write_nifti(data, "b", mask=tumour)
    write_nifti(data, "c", flair=head)
    write_nifti(predicted, "a", mask=np.roll(tumour, 1, axis=2))
    return data, predicted


def test_a_row_tells_size_and_place_of_the_tumour_analytic(folders):
    table = survey(folders[0], jobs=1).table
    assert tuple(table.columns) == COLUMNS
    row = table.set_index("case").loc["a"]
    # 2 x 6 x 5 voxels of 3 x 2 x 1 mm.
    assert (row["volume"], row["spacing_known"], row["mask"]) == (360.0, True, REFERENCE)
    assert (row["slices"], row["tumour_slices"], row["reason"]) == (10, 2, "")
    # The block from (4, 20, 14) in a head from (1, 5, 4) of 8 x 30 x 20 voxels.
    np.testing.assert_allclose(
        row[CENTROID].astype(float), [(5 - 1) / 8, (23 - 5) / 30, (16.5 - 4) / 20]
    )


def test_a_row_tells_the_intensities_of_the_head_analytic(folders, head):
    (shown,) = find_cases(folders[0], names="a")
    row = describe_case(shown).row
    assert [row[name] for name in RAW] == sorted(row[name] for name in RAW)
    assert row["flair_p50"] == pytest.approx(np.median(head[1:9, 5:35, 4:24]), rel=0.01)
    # 0 is the median, and the quartiles are 1.349 apart; the cavity is not in the scale.
    assert row["standardised_p50"] == pytest.approx(0, abs=0.1)
    spread = row["standardised_p75"] - row["standardised_p25"]
    assert spread == pytest.approx(1.349, abs=0.1)


def test_what_is_missing_has_a_reason_and_is_no_failure_analytic(folders):
    found = survey(folders[0], jobs=1)
    assert not found.failures
    rows = found.table.set_index("case")
    assert rows.loc["b", "reason"] == "no FLAIR: no centroid, no intensities"
    assert rows.loc["c", "reason"] == "no mask: no volume, no centroid"
    assert rows.loc["b", ["volume", "slices"]].tolist() == [360, 10]
    assert rows.loc["b", [*CENTROID, *RAW, *STANDARDISED]].isna().all()
    assert rows.loc["c", ["mask", "volume", "tumour_slices", *CENTROID]].isna().all()
    assert rows.loc["c", [*RAW, *STANDARDISED]].notna().all()


def test_an_empty_mask_has_a_volume_and_no_centroid_analytic(tmp_path, write_nifti, head):
    write_nifti(tmp_path, "a", flair=head, mask=np.zeros_like(head, dtype=bool))
    row = survey(tmp_path, jobs=1).table.iloc[0]
    assert (row["volume"], row["tumour_slices"]) == (0, 0)
    assert row["reason"] == "the mask is empty: no centroid"
    assert row[CENTROID].isna().all()


def test_places_are_counted_over_the_cases_analytic(folders, tumour):
    data, predicted = folders
    found = survey(data, predicted=predicted, jobs=1)
    assert found.counts == {HEAD: 2, REFERENCE: 1, PREDICTED: 1, MISSED: 1, ADDED: 1}
    # The shift adds one column of five and misses another.
    one = found.located[REFERENCE].sum()
    # From 2 x 6 x 5 voxels of 8 x 30 x 20 to the cells of the grid, which are smaller.
    assert one == pytest.approx(np.prod(GRID) * tumour.sum() / (8 * 30 * 20), rel=0.15)
    assert found.located[PREDICTED].sum() == one
    assert found.located[MISSED].sum() == found.located[ADDED].sum() == one / 5
    assert found.located[HEAD].max() == 2
    # The heads have 8 x 30 x 20 voxels.
    assert found.size == (24, 60, 20)
    assert found.oriented


def test_without_the_spacing_heights_are_unknown_analytic(tmp_path, head, tumour):
    write_slices(tmp_path / "a", head, tumour)
    found = survey(tmp_path, jobs=1)
    np.testing.assert_array_equal(found.size, (np.nan, 30, 20))
    assert not found.oriented
    assert found.table["volume"].tolist() == [60]
    assert found.table["spacing_known"].tolist() == [False]


def test_heads_of_known_and_unknown_orientation_are_not_laid_on_each_other_analytic(
    tmp_path, write_nifti, head, tumour
):
    """The more numerous are mapped."""
    for name in "ab":
        write_nifti(tmp_path, name, flair=head, mask=tumour)
    write_slices(tmp_path / "c", head, tumour)
    found = survey(tmp_path, jobs=1)
    assert found.failures == {}
    assert len(found.table) == 3
    assert found.counts == {HEAD: 2, REFERENCE: 2}
    assert found.oriented
    assert found.size == (24, 60, 20)


def test_a_sequence_that_is_not_shown_may_be_bad_analytic(tmp_path, write_nifti, head, tumour):
    write_nifti(tmp_path, "a", flair=head, t1gd=np.full_like(head, np.nan), mask=tumour)
    found = survey(tmp_path, jobs=1)
    assert found.failures == {}
    assert found.table.loc[0, [*CENTROID, *RAW, *STANDARDISED]].notna().all()


def test_a_bad_case_has_a_row_with_the_reason_analytic(folders):
    data, _ = folders
    (data / "a_flair.nii.gz").write_bytes(b"broken")
    calls = []
    found = survey(data, jobs=1, on_progress=calls.append)
    assert list(found.failures) == ["a"]
    row = found.table.set_index("case").loc["a"]
    assert row["reason"] == found.failures["a"]
    assert row.drop(["patient", "site", "reason"]).isna().all()
    assert [call.done for call in calls] == [0, 1, 2, 3]


def test_the_number_of_processes_does_not_matter_invariant(folders):
    one, two = (survey(folders[0], jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)
    np.testing.assert_array_equal(one.located[HEAD], two.located[HEAD])


def test_a_box_is_brought_to_the_grid_analytic():
    # Every voxel of the box becomes a block of cells; what lies outside is left out.
    inside = np.zeros((5, 5, 5), dtype=bool)
    inside[1, 2, 3] = inside[0, 0, 0] = True
    found = to_grid(inside, (slice(1, 3), slice(1, 4), slice(3, 5)))
    expected = np.zeros(GRID, dtype=bool)
    z, y, x = GRID
    expected[: z // 2, y // 3 : 2 * y // 3, : x // 2] = True
    np.testing.assert_array_equal(found, expected)
