import numpy as np
import pytest

from helpers.case_files import contents, first, write_nifti
from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases


def test_earlier_results_are_replaced_only_if_asked(cohort, networks, tmp_path):
    out = tmp_path / "out"
    sources = open_cases(cohort)[:2]
    segment_cases(sources, out, networks=networks, maps=["entropy"])
    with pytest.raises(InputError, match="To replace it, use --overwrite"):
        segment_cases(sources, out, networks=networks)
    # What is not of a run stays.
    case = sources[0].id
    mine = {
        "notes.txt",
        f"manual/{case}_mask.nii.gz",
        f"{case}/other_1_mask.tif",
        f"{case}/{case}_99_mask.tif",
        "Ann_mask.nii.gz",
    }
    for name in mine:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine", encoding="utf-8")
    result = segment_cases(sources[1:], out, networks=networks, overwrite=True)
    masks = {f"{sources[1].id}/{sources[1].id}_{number}_mask.tif" for number in range(1, 11)}
    tables = {"segmentation.csv", "segmentation.json", "segmentation.jsonl", "slices.csv"}
    assert set(result.files) == masks | tables
    assert set(contents(out)) == {*result.files, *mine}
    assert not list(out.rglob("*entropy*"))


def test_folder_of_other_files_is_refused(cohort, networks, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    for options in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(InputError, match=f"Expected {out} to"):
            segment_cases([first(cohort)], out, networks=networks, **options)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_folder_of_the_images_is_refused_and_its_masks_stay(cohort, networks, tmp_path):
    folder = tmp_path / "in"
    case = first(cohort).read()
    write_nifti(folder / "Ann_flair.nii.gz", case.image[..., 1])
    write_nifti(folder / "Ann_mask.nii.gz", case.mask.astype(np.uint8))
    # As if these were the results of a run.
    (folder / "run.json").write_text('{"outputs": []}', encoding="utf-8")
    before = contents(folder)
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(InputError, match="results outside the input"):
            segment_cases(open_cases(folder), folder, networks=networks, **options)
        assert contents(folder) == before


def test_a_manifest_that_names_missing_files_may_lie_around_the_results(networks, tmp_path):
    (tmp_path / "manifest.csv").write_text("case,patient,flair\nA,P-1,gone/a.nii.gz\n")
    found = segment_cases(tmp_path / "manifest.csv", tmp_path / "masks", networks=networks)
    assert "no such file: gone/a.nii.gz" in found.failures["A"]


def test_same_case_twice(cohort, networks, tmp_path):
    with pytest.raises(InputError, match=r"every case once, found PHANTOM\w+ twice"):
        segment_cases([first(cohort)] * 2, tmp_path / "out", networks=networks)
    assert not (tmp_path / "out").exists()


def test_options_that_cannot_work_are_refused_before_networks_are_read(
    networks, cohort, tmp_path, monkeypatch
):
    monkeypatch.setattr("lggshape.segmentation.inference.segment_cases.read_ensemble", None)
    sources, out = open_cases(cohort), tmp_path / "out"
    with pytest.raises(InputError, match="resume or overwrite, found both"):
        segment_cases(sources, out, networks=networks, resume=True, overwrite=True)
    with pytest.raises(InputError, match="maps among probability, uncertainty, entropy, found: p"):
        segment_cases(sources, out, networks=networks, maps=["p"])
    with pytest.raises(InputError, match="results outside the input"):
        segment_cases(cohort, cohort / sources[0].id / "masks", networks=networks)
    with pytest.raises(InputError, match=f"found case {sources[0].id} in memory"):
        segment_cases([sources[0].read()], out, networks=networks)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="to be a folder, found a file"):
        segment_cases(sources, tmp_path / "file", networks=networks)
    assert not out.exists()
