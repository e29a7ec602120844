"""Feature tables of regions and lesions."""

import numpy as np
import pytest

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.readers.source import UnreadableCase
from lggshape.shape.conventions import Conventions
from lggshape.shape.extraction import extract_features
from lggshape.shape.features import FEATURES
from lggshape.shape.table import COLUMNS, feature_table

SPACING = (2.0, 1.0, 1.0)
NAMES = ["whole_tumour", "tumour_core", "enhancing_tumour"]


def labels(enhancing=4):
    """Return a mask (6, 16, 16): oedema around a core, part of which enhances, and an islet."""
    values = np.zeros((6, 16, 16), dtype=np.uint8)
    values[1:5, 2:12, 2:12] = 2
    values[2:4, 4:9, 4:10] = 1
    values[2:4, 5:7, 5:8] = enhancing
    values[0, 15, 14:] = 1
    return values


def case_of(name, values):
    masks = {
        "whole_tumour": values > 0,
        "tumour_core": np.isin(values, (1, 4)),
        "enhancing_tumour": values == 4,
    }
    return Case(name, f"P{name}", mask=values > 0, geometry=Geometry(SPACING), regions=masks)


@pytest.fixture
def cases():
    return [case_of("a", labels()), case_of("b", labels(enhancing=1))]


def features_of(row):
    return row[list(FEATURES)].astype(float).to_dict()


def test_a_row_per_case_and_region_invariant(cases):
    measured = feature_table(cases, jobs=1)
    table = measured.table
    assert list(table.columns) == [*COLUMNS[:3], "region", *COLUMNS[3:]]
    assert list(zip(table["case"], table["region"], strict=True)) == [
        (case, region) for case in "ab" for region in NAMES
    ]
    for place, (name, mask) in enumerate(cases[0].regions.items()):
        alone = extract_features(mask, spacing=SPACING)
        assert features_of(table.loc[place]) == pytest.approx(alone.values, nan_ok=True, rel=0)
        assert table.loc[place, "slice"] == alone.slice
        assert table.loc[place, "region"] == name
    assert table.loc[1, "volume"] == 2 * 5 * 6 * 2
    assert repr(measured) == "FeatureTable(2 cases, 6 rows, 0 failed)"


def test_a_region_that_is_absent_has_a_row_that_says_so_analytic(cases):
    measured = feature_table(cases, jobs=1)
    row = measured.table.loc[5]
    assert row["region"] == "enhancing_tumour"
    assert row[list(FEATURES)].isna().all()
    assert row["reason"] == "the region enhancing_tumour is absent"
    assert measured.failures == {}
    assert set(measured.reasons) == {f"{case}, {name}" for case in "ab" for name in NAMES}
    assert measured.reasons["b, enhancing_tumour"]["volume"] == row["reason"]


def test_a_failed_case_has_a_row_per_region_invariant(tmp_path, write_labels):
    write_labels(tmp_path / "A_seg.nii.gz", labels())
    write_labels(tmp_path / "B_seg.nii.gz", labels() * 2)
    measured = feature_table(open_cases(tmp_path, masks_only=True, regions="brats"), jobs=1)
    assert list(measured.table["case"]) == [*"AAABBB"]
    assert list(measured.table["region"]) == NAMES * 2
    assert list(measured.failures) == ["B"]
    assert "found 2, 4, 8" in measured.failures["B"]
    assert set(measured.table["reason"][3:]) == {measured.failures["B"]}


def test_files_and_memory_are_measured_alike_invariant(tmp_path, write_labels):
    write_labels(tmp_path / "a_seg.nii.gz", labels())
    from_file = feature_table(open_cases(tmp_path, masks_only=True, regions="brats"), jobs=1)
    in_memory = feature_table([case_of("a", labels())], jobs=1)
    names = list(FEATURES)
    found, expected = (one.table[names].astype(float) for one in (from_file, in_memory))
    np.testing.assert_array_equal(found, expected)
    assert list(from_file.table["region"]) == list(in_memory.table["region"])


def test_values_of_the_tumour_are_one_region_analytic(tmp_path, write_labels):
    write_labels(tmp_path / "a_seg.nii.gz", labels())
    table = feature_table(open_cases(tmp_path, masks_only=True, mask_values=[1, 4]), jobs=1).table
    assert list(table["region"]) == ["1+4"]
    assert table.loc[0, "volume"] == 2 * 5 * 6 * 2


def test_a_threshold_makes_a_plain_table_invariant(tmp_path, write_labels):
    write_labels(tmp_path / "a_seg.nii.gz", labels() / np.float32(8))
    table = feature_table(open_cases(tmp_path, masks_only=True, threshold=0.5), jobs=1).table
    assert tuple(table.columns) == COLUMNS
    assert table.loc[0, "volume"] == (labels() == 4).sum() * 2


def test_cases_of_different_regions_are_refused_analytic(cases):
    other = Case("c", "Pc", mask=cases[0].mask)
    with pytest.raises(InputError, match=r"same regions, found b: whole_tumour, .*; c: none"):
        feature_table([*cases, other], jobs=1)


def test_a_change_gets_one_region_at_a_time_invariant(cases):
    seen = []

    def change(case):
        seen.append(int(case.mask.sum()))
        return np.zeros_like(case.mask)

    table = feature_table(cases[:1], jobs=1, change=change).table
    assert seen == [int(mask.sum()) for mask in cases[0].regions.values()]
    assert table["volume"].isna().all()


# --- lesions


def test_a_row_per_lesion_the_largest_first_invariant():
    mask = np.zeros((5, 16, 16), dtype=bool)
    mask[1, 1:3, 1:3] = True
    mask[2, 3, 3] = True  # touches the first in a corner: one lesion, two 6-connected parts
    mask[2:4, 8:12, 8:12] = True
    mask[4, 15, 15] = True
    case = Case("a", "p", mask=mask, geometry=Geometry(SPACING))
    measured = feature_table([case], lesions=True, jobs=1)
    table = measured.table
    assert list(table.columns) == [*COLUMNS[:3], "lesion", *COLUMNS[3:]]
    assert list(table["lesion"]) == [1, 2, 3]
    assert list(table["volume"]) == [64, 10, 2]
    assert list(table["slice"]) == [3, 2, 5]
    assert list(table["components"]) == [1, 2, 1]
    alone = np.zeros_like(mask)
    alone[1:3, :4, :4] = mask[1:3, :4, :4]
    expected = extract_features(alone, spacing=SPACING, conventions=Conventions(component="all"))
    assert features_of(table.loc[1]) == pytest.approx(expected.values, nan_ok=True, rel=0)
    assert set(measured.reasons) == {"a, lesion 1", "a, lesion 2", "a, lesion 3"}


def test_lesions_of_regions_and_of_none_analytic(cases):
    table = feature_table(cases, lesions=True, jobs=1).table
    assert list(table.columns[3:5]) == ["region", "lesion"]
    found = [tuple(row) for row in table[["case", "region"]].to_numpy()]
    expected = [("a", name) for name in NAMES for _ in range(1 + (name != "enhancing_tumour"))]
    assert found[:5] == expected
    assert table["lesion"].tolist()[:5] == [1, 2, 1, 2, 1]
    last = table.iloc[-1]
    assert (last["region"], last["reason"]) == (
        "enhancing_tumour",
        "the region enhancing_tumour is absent",
    )
    assert table["lesion"].isna().tolist() == [False] * 9 + [True]


def test_an_empty_mask_and_a_failed_case_have_a_row_each_analytic(tmp_path):
    sources = [
        Case("a", "a", mask=np.zeros((2, 3, 4), dtype=bool)),
        UnreadableCase("b", "b", tmp_path, reason="broken"),
    ]
    table = feature_table(sources, lesions=True, jobs=1).table
    assert list(table["reason"]) == ["the mask is empty", "broken"]
    assert table["lesion"].isna().all()
    with pytest.raises(CaseError):
        sources[1].read()
