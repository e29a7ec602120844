from pathlib import Path

import numpy as np
import pytest

from lggshape.case import Case
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.readers.in_memory import sources_of
from lggshape.readers.mask_values import read_mask
from lggshape.readers.packed import pack_masks
from lggshape.readers.read_options import ReadOptions

WHERE = Path("folder/mask.nii")
VALUES = np.zeros((3, 6, 7), dtype=np.uint8)
VALUES[1, 2, 1:6] = [1, 2, 4, 2, 1]
VALUES[0, 5, 6] = 2


def read(values, **options):
    return read_mask(np.asarray(values), case="A", path=WHERE, options=ReadOptions(**options))


def reason(values, **options):
    with pytest.raises(CaseError) as caught:
        read(values, **options)
    return str(caught.value)


def test_several_values_are_refused_with_their_voxels_and_the_options_analytic():
    message = reason(VALUES)
    assert message.startswith(
        "Expected the mask of case A to have two values, 0 and a positive whole one, found 0 (120 "
        f"voxels), 1 (2), 2 (3), 4 (1): {WHERE}. "
    )
    assert "--regions" in message
    assert "--mask-values" in message
    assert "--threshold" not in message


def test_fractions_are_refused_with_their_option_analytic():
    message = reason([0, 0.25, 1, 0.25])
    assert f"found 0 (1 voxel), 0.25 (2), 1 (1): {WHERE}. " in message
    assert "--threshold" in message
    assert "--regions" not in message


@pytest.mark.parametrize("values", [[0, 1, np.nan], [0, np.inf], [0, -1, 3]])
def test_no_option_mends_what_is_no_mask_analytic(values):
    message = reason(values)
    assert message.endswith(f": {WHERE}. Save the mask with 0 outside the tumour and positive "
                            "numbers inside.")  # fmt: skip
    assert reason(values, regions="brats").endswith("numbers inside.")


def test_one_fraction_is_no_mask_without_a_threshold_analytic():
    values = np.float32([0, 0.5, 0.5])
    assert "--threshold" in reason(values)
    assert read(values, threshold=0.5).mask.tolist() == [False, True, True]


@pytest.mark.parametrize("options", [{"regions": ["a"]}, {"mask_values": 1}, {"threshold": "0.5"}])
def test_options_of_another_type_are_refused_analytic(options):
    with pytest.raises(InputError, match=r"found: (\['a'\]|1|'0.5')\."):
        ReadOptions(**options)


def test_values_have_to_be_numbers_analytic():
    for options in ({}, {"threshold": 0.5}, {"mask_values": (1,)}):
        assert "to hold numbers, found complex128" in reason(np.zeros(3, complex), **options)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.float32, ">f8"])
def test_regions_whatever_the_type_of_the_values_analytic(dtype):
    found = read(VALUES.astype(dtype), regions="brats")
    expected = {"whole_tumour": (1, 2, 4), "tumour_core": (1, 4), "enhancing_tumour": (4,)}
    assert tuple(found.regions) == tuple(expected)
    for name, values in expected.items():
        assert found.regions[name].dtype == bool
        np.testing.assert_array_equal(found.regions[name], np.isin(VALUES, values))
    np.testing.assert_array_equal(found.mask, VALUES > 0)


def test_the_mask_is_the_union_of_the_regions_analytic():
    found = read(VALUES, regions={"necrosis": [1], "enhancing": [4]})
    np.testing.assert_array_equal(found.mask, np.isin(VALUES, (1, 4)))
    found = read(VALUES, mask_values=(2, 4))
    assert list(found.regions) == ["2+4"]
    np.testing.assert_array_equal(found.mask, np.isin(VALUES, (2, 4)))


@pytest.mark.parametrize("options", [{"regions": "brats"}, {"mask_values": (1,)}, {}])
def test_an_empty_mask_has_empty_regions_invariant(options):
    found = read(np.zeros((2, 3, 4), dtype=np.uint8), **options)
    assert not found.mask.any()
    assert found.mask.shape == (2, 3, 4)
    assert not any(one.any() for one in found.regions.values())


def test_values_of_no_coding_fail_the_case_analytic():
    message = reason(np.where(VALUES == 2, 3, VALUES), regions="brats")
    assert "Expected the values of brats (1, 2, 4 or 1, 2, 3), found 1, 3, 4" in message
    assert f"of case A: {WHERE}. brats2013 is the coding of 2012 and 2013." in message


def test_fractions_have_no_regions_analytic():
    message = reason(VALUES / 3, regions="brats")
    assert "whole numbers as values, found fractions" in message
    assert "--threshold" in message


def test_a_threshold_is_the_lowest_value_inside_analytic():
    probability = np.array([[[0, 0.499, 0.5, 1.0]]])
    assert read(probability, threshold=0.5).mask.tolist() == [[[False, False, True, True]]]
    assert read(probability, threshold=0.5).regions == {}
    assert read(np.array([0, 128, 255], np.uint8), threshold=128).mask.tolist() == [
        False,
        True,
        True,
    ]
    assert "finite numbers" in reason([0, np.nan], threshold=0.5)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"threshold": 0}, "a number above 0, found: 0"),
        ({"threshold": np.nan}, "a number above 0, found: nan"),
        ({"threshold": "0.5"}, "a number above 0"),
        ({"mask_values": (0, 1)}, "whole numbers from 1"),
        ({"regions": "brats", "threshold": 0.5}, "found several"),
        ({"regions": "brats", "mask_values": (1,)}, "found several"),
    ],
)
def test_unusable_options_are_refused_analytic(options, found):
    with pytest.raises(InputError, match=found):
        ReadOptions(**options)


def test_every_layout_reads_regions_alike_invariant(tmp_path, write_slices, save_nifti):
    write_slices(tmp_path / "slices", image=None, mask=VALUES, value=1)
    save_nifti(tmp_path / "nifti" / "A_seg.nii.gz", VALUES.T)
    cases = [
        open_cases(tmp_path / layout, masks_only=True, regions="brats")[0].read()
        for layout in ("slices", "nifti")
    ]
    for case in cases:
        assert list(case.regions) == ["whole_tumour", "tumour_core", "enhancing_tumour"]
        np.testing.assert_array_equal(case.regions["tumour_core"], np.isin(VALUES, (1, 4)))
        np.testing.assert_array_equal(case.mask, VALUES > 0)
    (source,) = open_cases(tmp_path / "nifti", masks_only=True, mask_values=[1, 4])
    assert source.region_names == ("1+4",)
    np.testing.assert_array_equal(source.read().mask, np.isin(VALUES, (1, 4)))


def test_masks_of_segment_have_no_regions_analytic(tmp_path, save_nifti):
    save_nifti(tmp_path / "A_mask.nii.gz", np.minimum(VALUES, 1).T)
    (tmp_path / "segmentation.csv").write_text("case,patient,status,reason\nA,A,ok,\n")
    assert open_cases(tmp_path, masks_only=True)[0].read().mask.any()
    with pytest.raises(InputError, match=r"those that `segment` wrote.*Leave --regions"):
        open_cases(tmp_path, masks_only=True, regions="brats")


def test_packed_masks_have_no_regions_analytic(tmp_path, save_nifti):
    save_nifti(tmp_path / "A_seg.nii.gz", (VALUES > 0).astype(np.uint8).T)
    pack_masks(open_cases(tmp_path, masks_only=True), tmp_path / "packed")
    (source,) = open_cases(tmp_path / "packed", masks_only=True, mask_values=[1])
    with pytest.raises(CaseError, match="the regions 1, found the whole tumour alone"):
        source.read()


def test_regions_in_memory_are_checked_analytic():
    regions = {"whole": VALUES > 0, "core": np.isin(VALUES, (1, 4))}
    (source,) = sources_of([Case("a", "p", mask=VALUES > 0, regions=regions)])
    assert source.region_names == ("whole", "core")
    assert list(source.read().regions) == ["whole", "core"]
    assert source.read(mask=False).regions == {}
    for mask in (VALUES == 1, None, VALUES[:1] > 0):
        (source,) = sources_of([Case("a", "p", mask=mask, regions=regions)])
        with pytest.raises(CaseError, match="the union of its regions"):
            source.read()


def test_options_are_for_paths_analytic():
    with pytest.raises(InputError, match="for which regions tell how it is read"):
        sources_of([Case("a", "p", mask=VALUES > 0)], regions="brats")
