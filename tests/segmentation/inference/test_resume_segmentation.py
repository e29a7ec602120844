import json
import shutil
from dataclasses import replace
from pathlib import Path
from time import process_time

import nibabel as nib
import numpy as np
import pytest
import tifffile

from helpers.case_files import contents, first, write_nifti, write_slices
from helpers.segmentations import assert_same_results, stamps
from lggshape.case import SEQUENCES, Case
from lggshape.errors import InputError
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import Segmentation, Segmenter, segment_cases

MAPS = ("probability", "uncertainty", "entropy")


def test_what_is_missing_is_made_again_invariant(cohort, networks, tmp_path):
    sources, out = open_cases(cohort)[:3], tmp_path / "out"
    segment_cases(sources, out, networks=networks)
    before = contents(out)
    one_slice, whole, kept = (out / source.id for source in sources)
    sorted(one_slice.iterdir())[2].unlink()
    shutil.rmtree(whole)
    written = stamps(kept)
    calls = []
    result = segment_cases(sources, out, networks=networks, resume=True, on_progress=calls.append)
    assert contents(out) == before
    assert result.table["case"].tolist() == [source.id for source in sources]
    assert calls[-1] == ("segmenting", 3, 3)
    assert stamps(kept) == written
    (out / "slices.csv").unlink()
    segment_cases(sources, out, networks=networks, resume=True)
    assert contents(out) == before


def test_masks_and_tables_that_were_changed_are_not_written_over(cohort, networks, tmp_path):
    sources, out = open_cases(cohort)[:2], tmp_path / "out"
    segment_cases(sources, out, networks=networks)
    drawn = sorted((out / sources[0].id).iterdir())[0]
    other = out / f"{sources[1].id}_mask.nii.gz"  # in the other layout, by someone else
    for path, content in (
        (drawn, drawn.read_bytes()[:60]),
        (other, b"mine"),
        (out / "segmentation.csv", b"case,patient\n"),
    ):
        whole = path.read_bytes() if path.exists() else None
        path.write_bytes(content)
        before = contents(out)
        for options in ({"resume": True}, {"overwrite": True}):
            with pytest.raises(InputError, match=f"Expected .*{path.name}"):
                segment_cases(sources, out, networks=networks, **options)
            assert contents(out) == before
        path.unlink() if whole is None else path.write_bytes(whole)
    segment_cases(sources, out, networks=networks, resume=True)


def test_case_whose_image_was_replaced_is_segmented_anew(cohort, networks, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    kept, changed = (shutil.copytree(s.path, folder / s.id) for s in open_cases(cohort)[:2])
    segment_cases(open_cases(folder), out, networks=networks)
    before, written = contents(out), stamps(out / kept.name)
    # The same image in other files is the same.
    path = changed / f"{changed.name}_3.tif"
    image = tifffile.imread(path)
    tifffile.imwrite(path, image, compression="deflate")
    segment_cases(open_cases(folder), out, networks=networks, resume=True)
    assert contents(out) == before
    for number in range(1, 11):
        path = changed / f"{changed.name}_{number}.tif"
        tifffile.imwrite(path, np.ascontiguousarray(tifffile.imread(path)[:, ::-1]))
    segment_cases(open_cases(folder), out, networks=networks, resume=True)
    segment_cases(open_cases(folder), tmp_path / "fresh", networks=networks)
    assert contents(out) == contents(tmp_path / "fresh") != before
    assert stamps(out / kept.name) == written


def test_a_mask_follows_its_image_to_another_place_nibabel(networks, tmp_path):
    stranger = make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    affine, out = np.diag([0.5, 0.5, 4.0, 1.0]), tmp_path / "out"
    for shift in (0.0, 7.5):
        affine[:3, 3] = shift
        write_nifti(tmp_path / "in" / "Ann_flair.nii.gz", stranger.image[..., 1], affine)
        segment_cases(open_cases(tmp_path / "in"), out, networks=networks, resume=True)
        np.testing.assert_allclose(nib.load(out / "Ann_mask.nii.gz").affine, affine)


def as_written_by_earlier_versions(out):
    """Take away what versions without a journal did not write."""
    for name in ("segmentation.jsonl", ".lggshape-outputs.jsonl"):
        (out / name).unlink()
    (out / "run.json").write_text('{"command": "segment", "versions": {}, "outputs": []}')


def test_folder_of_an_earlier_version_is_resumed_invariant(cohort, networks, tmp_path):
    sources, out = open_cases(cohort)[:3], tmp_path / "out"
    expected = segment_cases(sources, out, networks=networks)
    as_written_by_earlier_versions(out)
    missing, kept = out / sources[0].id, out / sources[2].id
    shutil.rmtree(missing)
    written = stamps(kept)
    assert_same_results(segment_cases(sources, out, networks=networks, resume=True), expected)
    assert stamps(kept) == written
    as_written_by_earlier_versions(out)
    changed = sorted(kept.iterdir())[0]
    tifffile.imwrite(changed, np.full((56, 48), 255, np.uint8))
    with pytest.raises(InputError, match=f"as an earlier run wrote them, .* {kept.name}"):
        segment_cases(sources, out, networks=networks, resume=True)
    assert tifffile.imread(changed).all()


def test_results_that_are_taken_back_are_those_that_were_returned_invariant(
    cohort, networks, tmp_path
):
    known, stranger = first(cohort), make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    write_nifti(tmp_path / "in" / "Ann.nii.gz", stranger.image)
    sources, out = [known, *open_cases(tmp_path / "in", sequences=SEQUENCES)], tmp_path / "out"
    returned = segment_cases(sources, out, networks=networks)
    # Among them: a fold and none, voxels and mm3.
    assert returned.table["spacing_known"].tolist() == [False, True]
    assert returned.table["fold"].tolist()[1] == ""
    assert_same_results(segment_cases(sources, out, networks=networks, resume=True), returned)


def test_run_of_more_cases_is_resumed_and_of_fewer_is_not_invariant(cohort, networks, tmp_path):
    sources, out = open_cases(cohort)[:3], tmp_path / "out"
    segment_cases(sources[:2], out, networks=networks)
    before = contents(out)
    for fewer in (sources[:1], sources[1:]):
        missing = ({source.id for source in sources[:2]} - {source.id for source in fewer}).pop()
        with pytest.raises(InputError, match=f"among those to segment, found no {missing}: "):
            segment_cases(fewer, out, networks=networks, resume=True)
        assert contents(out) == before
    segment_cases(sources, out, networks=networks, resume=True)
    segment_cases(sources, tmp_path / "unbroken", networks=networks)
    assert contents(out) == contents(tmp_path / "unbroken")


def test_case_that_now_fails_loses_its_mask(cohort, networks, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    kept, bad = (shutil.copytree(s.path, folder / s.id) for s in open_cases(cohort)[:2])
    segment_cases(open_cases(folder), out, networks=networks, maps=MAPS)
    before = contents(out / kept.name)
    sorted((out / bad.name).glob("*_mask.tif"))[2].unlink()
    (bad / f"{bad.name}_3.tif").write_bytes(b"II*\0 and no more")
    result = segment_cases(open_cases(folder), out, networks=networks, maps=MAPS, resume=True)
    assert list(result.failures) == [bad.name]
    assert not (out / bad.name).exists()
    assert contents(out / kept.name) == before
    assert sorted(result.files) == sorted(contents(out))
    assert set(result.slices["case"]) == {kept.name}


@pytest.mark.parametrize("skip_seen", [False, True])
def test_case_that_turns_out_to_be_known_loses_its_mask(networks, tmp_path, skip_seen):
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    alone = shutil.copytree(networks, tmp_path / "alone")
    shutil.rmtree(alone / "fold1-member0")
    stranger = make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    write_nifti(tmp_path / "in" / "Ann.nii.gz", stranger.image)
    sources, out = open_cases(tmp_path / "in", sequences=SEQUENCES), tmp_path / "out"
    segment_cases(sources, out, networks=alone, maps=MAPS)
    # A manifest now says who she is, and the network was trained on her.
    patient = next(name for name, fold in folds.items() if fold == 1)
    told = [replace(sources[0], patient=patient)]
    result = segment_cases(told, out, networks=alone, maps=MAPS, resume=True, skip_seen=skip_seen)
    assert result.table["status"].tolist() == ["skipped" if skip_seen else "failed"]
    assert "not trained on the patient of case Ann" in result.table["reason"].iloc[0]
    assert sorted(contents(out)) == [
        "segmentation.csv", "segmentation.json", "segmentation.jsonl", "slices.csv",
    ]  # fmt: skip


def test_case_of_another_patient_is_done_again(networks, cohort, tmp_path):
    stranger = make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    write_slices(tmp_path / "in", "Ann", stranger.image)
    sources, out = open_cases(tmp_path / "in"), tmp_path / "out"
    assert segment_cases(sources, out, networks=networks).table["fold"].tolist() == [""]
    # A manifest now says that she is known.
    patient = first(cohort).patient
    told = [replace(sources[0], patient=patient)]
    table = segment_cases(told, out, networks=networks, resume=True).table
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    assert table["fold"].tolist() == [folds[patient]]
    assert table["networks"].tolist() == [f"fold{folds[patient]}-member0"]


def test_only_the_same_run_is_resumed(cohort, networks, tmp_path):
    out, sources = tmp_path / "out", [first(cohort)]
    segment_cases(sources, out, networks=networks)
    before = contents(out)
    others = tmp_path / "networks"
    shutil.copytree(networks, others)
    (others / "fold0-member0" / "weights.npz").write_bytes(
        (others / "fold1-member0" / "weights.npz").read_bytes()
    )
    for options, name in (
        ({"networks": others}, "networks"),
        ({"networks": networks, "effort": "fast"}, "effort"),
        ({"networks": networks, "maps": ["entropy"]}, "maps"),
        ({"networks": networks, "prepare_settings": {"noise": 0.1}}, "noise"),
    ):
        with pytest.raises(InputError, match=f"earlier run, found other {name}"):
            segment_cases(sources, out, **options, resume=True)
    assert contents(out) == before
    record = out / "segmentation.json"
    settings = json.loads(record.read_text())
    # As earlier versions wrote them, in which all networks saw all slices.
    earlier = {name: value for name, value in settings.items() if name != "effort"}
    record.write_text(json.dumps(earlier | {"flips": True}))
    segment_cases(sources, out, networks=networks, effort="thorough", resume=True)
    for flips, effort in ((True, "usual"), (False, "fast"), (False, "thorough")):
        record.write_text(json.dumps(earlier | {"flips": flips}))
        with pytest.raises(InputError, match="earlier run, found other effort"):
            segment_cases(sources, out, networks=networks, effort=effort, resume=True)
    # And noise was an option.
    record.write_text(json.dumps(settings | {"noise": 0.0, "seed": 3}))
    segment_cases(sources, out, networks=networks, resume=True)
    record.write_text(json.dumps(settings | {"noise": 0.1, "seed": 3}))
    noisy = {"noise": 0.1, "seed": 3}
    segment_cases(sources, out, networks=networks, prepare_settings=noisy, resume=True)
    with pytest.raises(InputError, match="earlier run, found other noise"):
        segment_cases(sources, out, networks=networks, resume=True)
    # On another machine.
    for name in ("backend", "precision"):
        record.write_text(json.dumps(settings | {name: "other"}))
        with pytest.raises(InputError, match=f"earlier run, found other {name}"):
            segment_cases(sources, out, networks=networks, resume=True)


def test_records_of_the_training_do_not_make_other_networks(cohort, networks, tmp_path):
    out, sources = tmp_path / "out", [first(cohort)]
    segment_cases(sources, out, networks=networks)
    others = shutil.copytree(networks, tmp_path / "moved")
    (others / "run.json").write_text("{}", encoding="utf-8")
    (others / "fold0-member0" / "history.csv").unlink()
    (others / "fold0-member1").mkdir()  # a network that is not finished
    (others / "fold0-member1" / "checkpoint.npz").write_bytes(b"by now")
    before = contents(out)
    segment_cases(sources, out, networks=others, resume=True)
    assert contents(out) == before


def test_networks_that_cannot_be_read(cohort, networks, tmp_path, monkeypatch):
    def refuse(path):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"can be read, found: Input/output error"):
        segment_cases([first(cohort)], tmp_path / "out", networks=networks)
    assert not (tmp_path / "out").exists()


def test_time_per_case_does_not_grow_with_the_number_of_cases(networks, tmp_path, monkeypatch):
    """The masks are stubs: what counts is the time around them, of this process alone."""
    found = Segmentation(
        case=Case("stub", "stub"), mask=np.ones((1, 2, 2), dtype=bool), threshold=0.5,
        restored=np.ones((1, 2, 2)), spread=np.zeros((1, 2, 2)),
        slice_scores=np.ones(1), removed=0,
        networks=("fold0-member0",), fold=None, missing=(),
    )  # fmt: skip
    for stage in ("prepare", "predict", "finish"):
        monkeypatch.setattr(Segmenter, stage, lambda *_: found)
    image = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    for number in range(400):
        write_slices(tmp_path / "in", f"case_{number}", image)
    times = []
    segment_cases(open_cases(tmp_path / "in"), tmp_path / "out", networks=networks,
                  on_progress=lambda _: times.append(process_time()))  # fmt: skip
    per_case = np.diff(times)
    # The last hundred take as long as the second.
    assert np.median(per_case[-100:]) < 2 * np.median(per_case[100:200])
