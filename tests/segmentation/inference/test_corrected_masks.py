"""Masks that were corrected by hand, and folders of runs that were interrupted."""

import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tifffile

from helpers.case_files import contents, first, write_nifti
from lggshape import evaluate, feature_table
from lggshape.errors import InputError
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases


def correct(out, name, *, by=3):
    """Change the mask of one slice, as someone does who draws; return its file and its bytes."""
    path = out / name / f"{name}_{by}_mask.tif"
    mask = np.zeros((56, 48), np.uint8)
    mask[10:14, 20:25] = 255
    tifffile.imwrite(path, mask)
    return path, path.read_bytes()


def only_row(table, name):
    (row,) = table[table["case"] == name].to_dict("records")
    return row


def test_a_corrected_mask_is_kept_and_called_so_analytic(cohort, networks, tmp_path):
    sources, out = open_cases(cohort)[:2], tmp_path / "out"
    name = sources[0].id
    before = segment_cases(sources, out, networks=networks)
    path, drawn = correct(out, name)
    area = before.slices[(before.slices["case"] == name) & (before.slices["slice"] == 3)]["area"]
    for _ in range(2):  # and again
        found = segment_cases(sources, out, networks=networks, resume=True)
        assert path.read_bytes() == drawn
        row, earlier = only_row(found.table, name), only_row(before.table, name)
        assert (row["status"], row["reason"]) == ("corrected", "")
        assert row["volume"] == earlier["volume"] - area.iloc[0] + 4 * 5
        assert (row["fold"], row["networks"]) == (earlier["fold"], earlier["networks"])
        slices = found.slices[found.slices["case"] == name]
        assert slices["area"].iloc[2] == 4 * 5
        assert slices["score"].tolist() == before.slices["score"].tolist()[: len(slices)]
        assert only_row(found.table, sources[1].id) == only_row(before.table, sources[1].id)
        assert pd.read_csv(out / "segmentation.csv")["status"].tolist() == [
            "corrected",
            before.table["status"].iloc[1],
        ]
    # It is a mask like another one.
    features = feature_table(out, jobs=1)
    assert features.failures == {}
    assert evaluate(out, cohort, jobs=1).failures == {}


def test_the_volume_of_a_corrected_mask_has_the_stated_spacing_analytic(cohort, networks, tmp_path):
    sources, out = open_cases(cohort, spacing=(13.5, 4.0, 4.5))[:1], tmp_path / "out"
    segment_cases(sources, out, networks=networks)
    correct(out, sources[0].id)
    found = segment_cases(sources, out, networks=networks, resume=True)
    table, slices = found.table, found.slices
    assert table["spacing_known"].tolist() == [True]
    assert table["volume"].iloc[0] == pytest.approx(slices["area"].sum() * 13.5 * 4.0 * 4.5)


def test_a_corrected_mask_outlives_another_image_and_is_written_over_by_nothing_invariant(
    cohort, networks, tmp_path
):
    source, out = first(cohort), tmp_path / "out"
    folder = shutil.copytree(source.path, tmp_path / "in" / source.id)
    cases = open_cases(tmp_path / "in")
    segment_cases(cases, out, networks=networks)
    path, drawn = correct(out, source.id)
    image = tifffile.imread(folder / f"{source.id}_3.tif")
    tifffile.imwrite(folder / f"{source.id}_3.tif", np.ascontiguousarray(image[:, ::-1]))
    found = segment_cases(cases, out, networks=networks, resume=True)
    assert found.table["status"].tolist() == ["corrected"]
    (folder / f"{source.id}_3.tif").write_bytes(b"no image")
    segment_cases(cases, out, networks=networks, resume=True)
    before = contents(out)
    with pytest.raises(InputError, match=rf"{path.name} in .*Move them away"):
        segment_cases(cases, out, networks=networks, overwrite=True)
    assert contents(out) == before
    assert path.read_bytes() == drawn


def test_a_mask_that_is_as_it_was_again_is_no_longer_corrected_invariant(
    cohort, networks, tmp_path
):
    sources, out = [first(cohort)], tmp_path / "out"
    segment_cases(sources, out, networks=networks)
    before = contents(out)
    path = out / sources[0].id / f"{sources[0].id}_3_mask.tif"
    whole = path.read_bytes()
    correct(out, sources[0].id)
    segment_cases(sources, out, networks=networks, resume=True)
    path.write_bytes(whole)
    segment_cases(sources, out, networks=networks, resume=True)
    assert contents(out) == before


def test_a_correction_on_another_grid_or_without_a_slice_is_refused(cohort, networks, tmp_path):
    sources, out = [first(cohort)], tmp_path / "out"
    segment_cases(sources, out, networks=networks)
    path, _ = correct(out, sources[0].id)
    (out / sources[0].id / f"{sources[0].id}_10_mask.tif").unlink()
    with pytest.raises(InputError, match=rf"changed ones: .*{path.name}"):
        segment_cases(sources, out, networks=networks, resume=True)


def test_a_corrected_nifti_mask_counts_in_mm3_analytic(networks, tmp_path):
    stranger = make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    affine = np.diag([0.5, 0.5, 4.0, 1.0])
    write_nifti(tmp_path / "in" / "Ann_flair.nii.gz", stranger.image[..., 1], affine)
    cases, out = open_cases(tmp_path / "in"), tmp_path / "out"
    segment_cases(cases, out, networks=networks)
    drawn = np.zeros((44, 40, 10), np.uint8)
    drawn[20:30, 20:24, 4] = 1
    path = out / "Ann_mask.nii.gz"
    nib.save(nib.Nifti1Image(drawn, affine), path)
    found = segment_cases(cases, out, networks=networks, resume=True)
    assert found.table[["status", "volume"]].to_numpy().tolist() == [["corrected", 40.0]]
    # Saved on another grid it contradicts its image.
    nib.save(nib.Nifti1Image(drawn, np.diag([1.0, 0.5, 4.0, 1.0])), path)
    with pytest.raises(InputError, match=r"changed ones: Ann_mask.nii.gz"):
        segment_cases(cases, out, networks=networks, resume=True)


def test_the_folder_of_an_interrupted_run_is_refused_with_what_is_done_analytic(
    cohort, networks, tmp_path
):
    sources, out = open_cases(cohort)[:3], tmp_path / "out"
    done = []

    def interrupt(name, _):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(name)

    with pytest.raises(KeyboardInterrupt):
        segment_cases(sources, out, networks=networks, on_result=interrupt)
    said = r"of `segment` that is finished, found one that was interrupted after 2 cases: .*resume"
    with pytest.raises(InputError, match=said):
        feature_table(out, jobs=1)
    with pytest.raises(InputError, match=said):
        evaluate(out, cohort, jobs=1)
    segment_cases(sources, out, networks=networks, resume=True)
    assert len(feature_table(out, jobs=1).table) == 3
