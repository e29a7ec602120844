"""Segmentations as 3D Slicer writes them: one layer or several, with names and values."""

import numpy as np
import pytest
import SimpleITK

from lggshape.readers import open_cases
from lggshape.readers.slicer_file import FORMAT

RNG = np.random.default_rng(0)
ONE = np.zeros((7, 6, 5), dtype=np.uint8)
ONE[2:5, 1:4, 1:3] = 1
OTHER = np.zeros_like(ONE)
OTHER[5, 4, 3:] = 1


def write(path, layers, **segments):
    """Write layers (Z, Y, X[, L]); segments by name as (value, layer), or None if not said."""
    image = SimpleITK.GetImageFromArray(layers, isVector=layers.ndim == 4)
    image.SetSpacing((0.5, 0.8, 3.0))
    for number, (name, said) in enumerate(segments.items()):
        image.SetMetaData(f"Segment{number}_Name", name)
        for field, value in zip(("LabelValue", "Layer"), said or (), strict=False):
            image.SetMetaData(f"Segment{number}_{field}", str(value))
    SimpleITK.WriteImage(image, path)
    return path


def test_one_segment_is_the_mask_of_its_case_analytic(tmp_path, read_only):
    write(tmp_path / "P7_flair.nrrd", RNG.integers(0, 99, ONE.shape, dtype=np.uint8))
    write(tmp_path / "P7.seg.nrrd", ONE, tumour=(1, 0))
    case = read_only(tmp_path)
    np.testing.assert_array_equal(case.mask, ONE[:, ::-1, ::-1] == 1)
    assert case.id == "P7"


@pytest.mark.parametrize("name", ["P7_flair.seg.nrrd", "P7_mask.seg.nrrd", "P7.SEG.NRRD"])
def test_it_is_a_mask_whatever_its_name_says(tmp_path, name):
    write(tmp_path / "A.seg.nrrd", ONE, tumour=(1, 0)).rename(tmp_path / name)
    (source,) = open_cases(tmp_path)
    assert (source.id, source.has_mask, source.has_image) == ("P7", True, False)


def load(path):
    values, _ = FORMAT.load(path)
    return values[:, ::-1, ::-1]


def test_segments_of_one_layer_keep_their_values_analytic(tmp_path):
    path = write(tmp_path / "A.seg.nrrd", ONE * 2 + OTHER * 4, core=(2, 0), oedema=(4, 0))
    np.testing.assert_array_equal(load(path), ONE * 2 + OTHER * 4)


def test_segments_of_several_layers_are_joined_analytic(tmp_path):
    layers = np.stack([ONE * 3, OTHER * 5], axis=-1)
    path = write(tmp_path / "A.seg.nrrd", layers, core=(3, 0), oedema=(5, 1))
    np.testing.assert_array_equal(load(path), ONE * 3 + OTHER * 5)


@pytest.mark.parametrize("said", [True, False])
def test_equal_values_in_layers_are_numbered_analytic(tmp_path, said):
    """As old versions write them, which say neither the values nor the layers."""
    layers = np.stack([ONE, OTHER], axis=-1)
    segments = {"core": (1, 0) if said else None, "oedema": (1, 1) if said else None}
    np.testing.assert_array_equal(
        load(write(tmp_path / "A.seg.nrrd", layers, **segments)), ONE + OTHER * 2
    )


@pytest.mark.parametrize(
    ("layers", "segments", "found"),
    [
        (np.stack([ONE, ONE], axis=-1), {"a": (1, 0), "b": (1, 1)}, "overlap, 'a' and 'b'"),
        (ONE * 3, {"a": (1, 0)}, "values that no segment has, such as 3"),
        (ONE, {"a": (1, 1)}, "layers that are not there"),
        (ONE, {"a": ("x", 0)}, "segment 0 with the value 'x'"),
        (ONE, {"a": (0, 0)}, "segment 0 with the value '0'"),
        (np.stack([ONE, OTHER], axis=-1), {}, "values that no segment has"),
    ],
)
def test_what_gives_no_value_to_a_voxel_is_refused_analytic(
    tmp_path, layers, segments, found, failure
):
    assert found in failure(write(tmp_path / "A.seg.nrrd", layers, **segments), masks_only=True)


def test_a_label_map_without_segments_is_read_analytic(tmp_path):
    np.testing.assert_array_equal(load(write(tmp_path / "A.seg.nrrd", ONE)), ONE)


def test_a_written_mask_is_a_segment_invariant(tmp_path):
    grid = FORMAT.grid_of(write(tmp_path / "A.seg.nrrd", ONE, a=(1, 0)))
    mask = ONE[:, ::-1, ::-1] == 1
    FORMAT.write(tmp_path / "B.seg.nrrd", mask, grid)
    FORMAT.write(tmp_path / "C.seg.nrrd", mask, grid)
    assert (tmp_path / "B.seg.nrrd").read_bytes() == (tmp_path / "C.seg.nrrd").read_bytes()
    image = SimpleITK.ReadImage(tmp_path / "B.seg.nrrd")
    assert image.GetMetaData("Segment0_Name") == "tumour"
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), ONE)
    np.testing.assert_array_equal(FORMAT.load(tmp_path / "B.seg.nrrd")[0], mask)
