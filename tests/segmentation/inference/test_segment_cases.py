import json
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.errors import InputError
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import segment, segment_cases
from lggshape.segmentation.inference.segment_cases import COLUMNS, SLICE_COLUMNS

AFFINE = np.diag([-3.0, 2.5, 4.0, 1.0])
MAPS = ("probability", "uncertainty", "entropy")


def assert_same_results(one, other):
    """Compare what two runs return: the values and their types, cell by cell."""
    for name in ("table", "slices"):
        first, second = getattr(one, name), getattr(other, name)
        pd.testing.assert_frame_equal(first, second)
        pd.testing.assert_frame_equal(first.map(kind), second.map(kind))
    assert (one.failures, one.skipped, one.files) == (other.failures, other.skipped, other.files)


def kind(cell):
    """Tell truth values, whole numbers and others apart, which may be equal."""
    return np.asarray(cell).dtype.kind


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def first(cohort):
    return open_cases(cohort)[0]


def write_slices(folder, name, image):
    (folder / name).mkdir(parents=True)
    for number, one in enumerate(image, start=1):
        tifffile.imwrite(folder / name / f"{name}_{number}.tif", one)


def write_nifti(path, image, affine=AFFINE):
    """Write an image (Z, Y, X, C) or (Z, Y, X) as stored axes (X, Y, Z[, C])."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(image.transpose(2, 1, 0, *range(3, image.ndim)), affine), path)


# --- what is written


def test_masks_tables_and_maps_of_slices(cohort, networks, tmp_path):
    out, calls, results = tmp_path / "out", [], {}
    sources = open_cases(cohort)[:3]
    table, slices, failures, skipped, files = vars(
        segment_cases(
            sources,
            out,
            networks=networks,
            maps=MAPS,
            on_case=lambda: calls.append(1),
            on_result=results.__setitem__,
        )
    ).values()
    assert (failures, skipped, len(calls)) == ({}, (), 3)
    assert list(results) == [source.id for source in sources]
    assert sorted(files) == sorted(contents(out))
    written = pd.read_csv(out / "segmentation.csv", keep_default_na=False, dtype=str)
    assert tuple(written.columns) == COLUMNS
    pd.testing.assert_frame_equal(written, table.astype(str))
    assert tuple(pd.read_csv(out / "slices.csv").columns) == SLICE_COLUMNS
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    for source, row in zip(sources, written.to_dict("records"), strict=True):
        result = segment(source.read(), networks)
        # The same by the function in Python, on the grid of the slices.
        mask = open_cases(out, masks_only=True)[sources.index(source)].read().mask
        np.testing.assert_array_equal(mask, result.mask)
        assert mask.shape == (10, 56, 48)
        assert row == {
            "case": source.id, "patient": source.patient, "fold": str(folds[source.patient]),
            "status": "ok", "reason": "", "networks": f"fold{folds[source.patient]}-member0",
            "volume": str(mask.sum()), "components_removed": str(result.removed),
            "missing_sequences": "none", "spacing_known": "False",
        }  # fmt: skip
        of_case = slices[slices["case"] == source.id]
        assert of_case["slice"].tolist() == list(range(1, 11))
        assert of_case["area"].tolist() == mask.sum(axis=(1, 2)).tolist()
        np.testing.assert_allclose(
            of_case["score"].astype(float), result.slice_scores, rtol=1e-5, atol=0
        )
        for kind in MAPS:
            stack = np.stack(
                [tifffile.imread(out / source.id / f"{source.id}_{n}_{kind}.tif")
                 for n in range(1, 11)]
            )  # fmt: skip
            assert stack.dtype == np.float32
            np.testing.assert_array_equal(stack, getattr(result, kind))


def test_nifti_keeps_grid_orientation_and_affine(cohort, networks, tmp_path):
    case = first(cohort).read()
    write_nifti(tmp_path / "in" / "Ann.nii.gz", case.image[:, ::-1, ::-1])
    out = tmp_path / "out"
    result = segment_cases(
        open_cases(tmp_path / "in"), out, networks=networks, maps=["probability"]
    )
    assert sorted(result.files) == [
        "Ann_mask.nii.gz", "Ann_probability.nii.gz", "segmentation.csv", "segmentation.json",
        "slices.csv",
    ]  # fmt: skip
    mask, probability = (nib.load(out / f"Ann_{kind}.nii.gz") for kind in ("mask", "probability"))
    for written in (mask, probability):
        np.testing.assert_array_equal(written.affine, AFFINE)
        assert written.shape == (48, 56, 10)
    assert mask.get_data_dtype() == np.uint8
    assert probability.get_data_dtype() == np.float32
    inside = np.asarray(mask.dataobj)
    assert set(np.unique(inside)) == {0, 1}
    row = result.table.iloc[0]
    assert row["spacing_known"]
    assert row["volume"] == pytest.approx(inside.sum() * 3 * 2.5 * 4)
    # The tumour is where it is in the slices, which lie the other way round.
    assert np.count_nonzero(inside.transpose(2, 1, 0)[:, ::-1, ::-1] & case.mask) > 0.5 * max(
        inside.sum(), case.mask.sum()
    )


# --- bad cases among good ones


def test_bad_cases_are_rows_with_a_reason(cohort, networks, tmp_path):
    case = first(cohort).read()
    folder = tmp_path / "in"
    shutil.copytree(first(cohort).path, folder / case.id)
    write_slices(folder, "black", np.zeros_like(case.image))
    write_slices(folder, "corrupt", case.image)
    (folder / "corrupt" / "corrupt_2.tif").write_bytes(b"II*\0 and no more")
    (folder / "hollow").mkdir()
    stranger = make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    write_slices(folder, "flair_alone", stranger.image[..., 1])
    result = segment_cases(open_cases(folder), tmp_path / "out", networks=networks)
    table = result.table.set_index("case")
    assert table["status"].to_dict() == {
        case.id: "ok", "black": "failed", "corrupt": "failed", "hollow": "failed",
        "flair_alone": table.loc["flair_alone", "status"],
    }  # fmt: skip
    assert table.loc["flair_alone", "status"] in {"ok", "empty"}
    assert table.loc["flair_alone", "missing_sequences"] == "pre-contrast; post-contrast"
    # No network knows it, so all are used; the others are seen by one.
    assert table.loc["flair_alone", "networks"] == "fold0-member0; fold1-member0"
    assert table.loc["flair_alone", "fold"] == ""
    for name, reason in {"black": "contrast", "corrupt": "corrupt_2.tif", "hollow": "none"}.items():
        assert reason in table.loc[name, "reason"]
        assert table.loc[name, "missing_sequences"] == ""  # nobody knows
        assert result.failures[name] == table.loc[name, "reason"]
        assert not (tmp_path / "out" / name).exists()
    # Whole numbers stay whole beside empty cells.
    written = pd.read_csv(tmp_path / "out" / "segmentation.csv", dtype=str, keep_default_na=False)
    assert written["fold"].isin(["", "0", "1"]).all()
    assert not written["volume"].str.contains(".", regex=False).any()
    assert set(result.slices["case"]) == {case.id, "flair_alone"}


def test_all_cases_bad(networks, tmp_path):
    (tmp_path / "in").mkdir()
    write_nifti(tmp_path / "in" / "void.nii.gz", np.zeros((3, 8, 8), dtype=np.int16))
    sources = open_cases(tmp_path / "in")
    for resume in (False, True):
        result = segment_cases(sources, tmp_path / "out", networks=networks, resume=resume)
        assert list(result.failures) == ["void"]
        assert result.table["status"].tolist() == ["failed"]
        assert result.slices.empty


def test_nothing_found_is_empty(cohort, networks, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "lggshape.segmentation.inference.predictor.Predictor.predict",
        lambda self, codes, *, flips: np.zeros((len(flips), *codes.shape[:3]), np.float32),
    )
    result = segment_cases([first(cohort)], tmp_path / "out", networks=networks)
    row = result.table.iloc[0]
    assert (row["status"], row["reason"]) == ("empty", "no voxel reached the threshold")
    assert (row["volume"], result.failures) == (0, {})
    assert not open_cases(tmp_path / "out", masks_only=True)[0].read().mask.any()


def test_damaged_weights_end_the_run_and_are_no_fault_of_a_case(cohort, networks, tmp_path):
    damaged = tmp_path / "networks"
    shutil.copytree(networks, damaged)
    for fold in range(2):
        (damaged / f"fold{fold}-member0" / "weights.npz").write_bytes(b"PK and no more")
    with pytest.raises(InputError, match=r"to hold the weights of a network, found: .*no NumPy"):
        segment_cases(open_cases(cohort), tmp_path / "out", networks=damaged)


def test_disk_that_is_full_ends_the_run(cohort, networks, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(InputError, match="can be written, found: No space left on device"):
        segment_cases(open_cases(cohort), tmp_path / "out", networks=networks)


# --- who was trained on what


@pytest.fixture
def copies(cohort, tmp_path):
    """Folder of copies of the first case that do not bear its name."""
    source = first(cohort)
    image = source.read().image
    folder = tmp_path / "copies"
    write_slices(folder, "renamed", image)
    write_slices(folder, "TCGA_XX_0001_20000101", image)
    write_nifti(folder / "whole_numbers.nii.gz", image.astype(np.int16))
    scaled = image[..., 1].astype(np.float32) * 3.7 - 41
    write_nifti(folder / "scaled.nii.gz", scaled)
    write_nifti(folder / "flipped.nii.gz", scaled[:, ::-1, ::-1], np.diag([3.0, 2.5, -4.0, 1.0]))
    return folder


def test_training_cases_and_copies_are_segmented_by_the_other_network(
    cohort, copies, networks, tmp_path
):
    source = first(cohort)
    fold = json.loads((networks / "folds.json").read_text())["patients"][source.patient]
    result = segment_cases([source, *open_cases(copies)], tmp_path / "out", networks=networks)
    assert len(result.table) == 6
    assert result.failures == {}
    assert set(result.table["networks"]) == {f"fold{fold}-member0"}
    assert set(result.table["fold"]) == {fold}


def test_no_network_for_slices_of_patients_of_different_folds(cohort, networks, tmp_path):
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    sources = {folds[source.patient]: source for source in open_cases(cohort)}
    halves = [sources[fold].read().image for fold in range(2)]
    write_slices(tmp_path / "in", "mixed", np.concatenate([halves[0][:5], halves[1][5:]]))
    shutil.copytree(sources[0].path, tmp_path / "in" / sources[0].id)
    mixed = open_cases(tmp_path / "in")
    result = segment_cases(mixed, tmp_path / "out", networks=networks)
    assert list(result.failures) == ["mixed"]
    assert "a network that was not trained on the patient of case mixed" in result.failures["mixed"]
    assert all(sources[fold].patient in result.failures["mixed"] for fold in range(2))
    left_out = segment_cases(mixed, tmp_path / "again", networks=networks, skip_seen=True)
    assert (left_out.failures, left_out.skipped) == ({}, ("mixed",))
    row = left_out.table.set_index("case").loc["mixed"]
    assert (row["status"], row["reason"]) == ("skipped", result.failures["mixed"])
    assert not (tmp_path / "again" / "mixed").exists()


# --- resumed


def test_kill_and_resume_is_an_unbroken_run_invariant(cohort, networks, tmp_path, kill_once):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    sources = open_cases(cohort)
    expected = segment_cases(sources, unbroken, networks=networks, maps=MAPS)
    kill_once(
        broken / "segmentation.csv",
        *("segment", cohort, "--out", broken, "--networks", networks),
        *("--probabilities", "--uncertainty"),
    )
    done = pd.read_csv(broken / "segmentation.csv")["case"].tolist()
    assert 1 <= len(done) < len(sources)
    written = {path: path.stat().st_mtime_ns for path in (broken / done[0]).iterdir()}

    result = segment_cases(sources, broken, networks=networks, maps=MAPS, resume=True)
    assert len(result.table) == len(sources)
    assert_same_results(result, expected)
    assert contents(broken) == contents(unbroken)
    # What was done was not done again.
    assert {path: path.stat().st_mtime_ns for path in (broken / done[0]).iterdir()} == written


def test_what_is_not_whole_is_done_again_invariant(cohort, networks, tmp_path):
    sources, out = open_cases(cohort)[:5], tmp_path / "out"
    segment_cases(sources, out, networks=networks)
    before = contents(out)
    truncated, deleted, other, unlisted, kept = (out / source.id for source in sources)
    changed = sorted(truncated.iterdir())[4]
    changed.write_bytes(changed.read_bytes()[:60])
    sorted(deleted.iterdir())[2].unlink()
    tifffile.imwrite(sorted(other.iterdir())[0], np.full((56, 48), 255, np.uint8))
    for name in ("segmentation.csv", "slices.csv"):
        lines = (out / name).read_text().splitlines(keepends=True)
        (out / name).write_text("".join(line for line in lines if unlisted.name not in line))
    stamps = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    calls = []
    result = segment_cases(
        sources, out, networks=networks, resume=True, on_case=lambda: calls.append(1)
    )
    assert contents(out) == before
    assert result.table["case"].tolist() == [source.id for source in sources]
    assert len(calls) == 5
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == stamps
    # All masks are gone, or the tables.
    for source in sources:
        shutil.rmtree(out / source.id)
    segment_cases(sources, out, networks=networks, resume=True)
    assert contents(out) == before
    (out / "segmentation.csv").unlink()
    segment_cases(sources, out, networks=networks, resume=True)
    assert contents(out) == before
    # Someone has written a word in place of a number.
    for name in ("segmentation.csv", "slices.csv"):
        text = (out / name).read_text()
        assert ",1," in text
        (out / name).write_text(text.replace(",1,", ",one,"))
        segment_cases(sources, out, networks=networks, resume=True)
        assert contents(out) == before


def test_results_that_are_taken_back_are_those_that_were_returned_invariant(
    cohort, networks, tmp_path
):
    known, stranger = first(cohort), make_phantom(np.random.default_rng(99), size=(10, 40, 44))
    write_nifti(tmp_path / "in" / "Ann.nii.gz", stranger.image)
    sources, out = [known, *open_cases(tmp_path / "in")], tmp_path / "out"
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
    sources, out = open_cases(tmp_path / "in"), tmp_path / "out"
    segment_cases(sources, out, networks=alone, maps=MAPS)
    # A manifest now says who she is, and the network was trained on her.
    patient = next(name for name, fold in folds.items() if fold == 1)
    told = [replace(sources[0], patient=patient)]
    result = segment_cases(told, out, networks=alone, maps=MAPS, resume=True, skip_seen=skip_seen)
    assert result.table["status"].tolist() == ["skipped" if skip_seen else "failed"]
    assert "not trained on the patient of case Ann" in result.table["reason"].iloc[0]
    assert sorted(contents(out)) == ["segmentation.csv", "segmentation.json", "slices.csv"]


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
        ({"networks": networks, "flips": False}, "flips"),
        ({"networks": networks, "maps": ["entropy"]}, "maps"),
        ({"networks": networks, "prepare_settings": {"noise": 0.1}}, "noise"),
    ):
        with pytest.raises(InputError, match=f"earlier run, found other {name}"):
            segment_cases(sources, out, **options, resume=True)
    assert contents(out) == before
    # As earlier versions wrote them, with noise as an option.
    record = out / "segmentation.json"
    settings = json.loads(record.read_text())
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


def test_earlier_results_are_replaced_only_if_asked(cohort, networks, tmp_path):
    out = tmp_path / "out"
    sources = open_cases(cohort)[:2]
    segment_cases(sources, out, networks=networks, maps=["entropy"])
    with pytest.raises(InputError, match="--overwrite replaces them"):
        segment_cases(sources, out, networks=networks)
    # A run that was killed has no run.json; what is not of a run stays.
    case = sources[0].id
    mine = {
        "notes.txt",
        f"manual/{case}_mask.nii.gz",
        f"{case}/other_1_mask.tif",
        "Ann_mask.nii.gz",
    }
    for name in mine:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine", encoding="utf-8")
    result = segment_cases(sources[1:], out, networks=networks, overwrite=True)
    masks = {f"{sources[1].id}/{sources[1].id}_{number}_mask.tif" for number in range(1, 11)}
    assert set(result.files) == {*masks, "segmentation.csv", "segmentation.json", "slices.csv"}
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
    write_nifti(folder / "Ann.nii.gz", case.image)
    write_nifti(folder / "Ann_mask.nii.gz", case.mask.astype(np.uint8))
    # As if these were the results of a run.
    (folder / "run.json").write_text('{"outputs": []}', encoding="utf-8")
    before = contents(folder)
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(InputError, match="another folder than the cases are read from"):
            segment_cases(open_cases(folder), folder, networks=networks, **options)
        assert contents(folder) == before


def test_same_case_twice(cohort, networks, tmp_path):
    with pytest.raises(InputError, match="every case once, found several of: PHANTOM"):
        segment_cases([first(cohort)] * 2, tmp_path / "out", networks=networks)
    assert not (tmp_path / "out").exists()


def test_resume_and_overwrite_exclude_each_other(networks, cohort, tmp_path):
    with pytest.raises(InputError, match="--resume or --overwrite, found both"):
        segment_cases(
            open_cases(cohort), tmp_path / "out", networks=networks, resume=True, overwrite=True
        )
    assert not (tmp_path / "out").exists()
