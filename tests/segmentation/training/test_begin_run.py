import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from helpers.case_files import contents
from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration, train
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.efficientnet import PREFIX
from lggshape.segmentation.run.fingerprints import KnownCase
from lggshape.segmentation.run.folder import (
    read_cases,
    read_weights,
    write_cases,
    write_folds,
    write_weights,
)
from lggshape.segmentation.training import cross_validation
from lggshape.segmentation.training import train_fold as fold_training
from lggshape.segmentation.training.start_encoder import start_encoder
from lggshape.segmentation.training.training_cases import load_case, load_cases


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("network", "changes", "only", "message"),
    [
        ({}, {}, [2], "folds from 0 to 1, found: [2]"),
        ({}, {}, [-1], "found: [-1]"),
        ({}, {"folds": 5}, [], "as many patients as folds (5), found 4"),
        ({}, {"inner": 0.0, "inner_every": 2}, [], "inner_every 2 without an inner split"),
        (
            {"sequences": ("FLAIR",)},
            {"sequence_dropout": 0.0},
            [],
            "sequence_dropout 0.0 with FLAIR",
        ),
        ({}, {"inner": 0.9}, [], "train on beside an inner split of 2, found 2 in all"),
        ({"sequences": ("FLAIR", "T9")}, {}, [], "the sequence T9 to train on, found none"),
        (
            {"architecture": "efficientnet-lite0", "filters": (), "batch_normalisation": True},
            {"encoder_weights": "nowhere.npz"},
            [],
            "nowhere.npz",
        ),
    ],
)
def test_settings_that_cannot_work_leave_nothing(
    few, tmp_path, settings, network, changes, only, message
):
    out = tmp_path / "run"
    with pytest.raises(InputError) as error:
        train(
            open_cases(few), out, network=replace(settings.network, **network),
            training=replace(settings.training, **changes), only=only, jobs=1,
        )  # fmt: skip
    assert message in str(error.value)
    assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 5}, "as many patients as folds"),
        ({"inner": 0.9}, "beside an inner split"),
        ({"patients": 9}, "Expected 9 patients to train fold 0 on, found 1"),
    ],
)
def test_what_names_tell_is_refused_before_cases_are_read(
    few, tmp_path, settings, monkeypatch, changes, message
):
    monkeypatch.setattr(cross_validation, "load_cases", None)
    chosen = replace(settings.training, **changes)
    with pytest.raises(InputError, match=message):
        train(open_cases(few), tmp_path / "run", network=settings.network, training=chosen)


def test_places_and_names_are_refused_before_cases_are_read(few, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(cross_validation, "load_cases", None)
    sources = open_cases(few)
    run = {"network": settings.network, "training": settings.training}
    with pytest.raises(InputError, match=r"every case once, found \w+ twice"):
        train(sources * 2, tmp_path / "run", **run)
    with pytest.raises(InputError, match="results outside the input"):
        train(sources, sources[0].path / "run", **run)
    assert not (tmp_path / "run").exists()


def test_weights_to_start_from_are_looked_at_before_cases_are_read(
    few, tmp_path, settings, monkeypatch, encoder
):
    monkeypatch.setattr(cross_validation, "load_cases", None)
    network = NetworkConfiguration(filters=(4, 4, 4, 4), neighbours=0, size=32)
    path = tmp_path / "weights.npz"
    write_weights(path, {"other": np.zeros(3)})
    chosen = replace(settings.training, encoder_weights=str(path))
    with pytest.raises(InputError, match=r"Expected weights encoder.* found none: .*weights\.npz"):
        train(open_cases(few), tmp_path / "run", network=network, training=chosen)
    monkeypatch.setitem(sys.modules, "torch", None)
    chosen = replace(settings.training, encoder_weights="imagenet")
    with pytest.raises(InputError, match="packages of ImageNet weights, found no torch"):
        train(open_cases(few), tmp_path / "run", network=network, training=chosen)
    assert not (tmp_path / "run").exists()


def test_no_tumour_to_train_on(few, tmp_path, settings):
    for path in few.rglob("*_mask.tif"):
        tifffile.imwrite(path, np.zeros((56, 48), dtype=np.uint8))
    with pytest.raises(InputError, match="image and mask to train on, found: no tumour in any"):
        train(open_cases(few), tmp_path / "run", network=settings.network,
              training=settings.training, jobs=1)  # fmt: skip
    for path in few.rglob("*_mask.tif"):
        path.unlink()
    with pytest.raises(InputError, match="image and mask to train on, found: cases without one"):
        train(open_cases(few), tmp_path / "run", network=settings.network,
              training=settings.training, jobs=1)  # fmt: skip


def test_cases_that_were_prepared_for_another_network_are_refused(few, tmp_path, settings):
    cases, _ = load_cases(open_cases(few), settings.network, jobs=1)
    for change, wanted in (({"size": 64}, "64, 64, 3"), ({"sequences": ("FLAIR",)}, "32, 32, 1")):
        with pytest.raises(InputError, match=rf"slices of \({wanted}\) .+ found \(32, 32, 3\): "):
            cross_validation.train_on(
                cases, tmp_path / "run", network=replace(settings.network, **change),
                training=settings.training,
            )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_folders_that_are_not_of_a_run(few, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(cross_validation, "load_cases", None)  # refused before anything is read
    out = tmp_path / "run"
    out.mkdir()
    (out / "diary.txt").write_text("mine", encoding="utf-8")
    for resume in (False, True):
        with pytest.raises(InputError, match=r"empty or new, or to hold a run, found: diary\.txt"):
            train([], out, network=settings.network, training=settings.training, resume=resume)
    assert [path.name for path in out.iterdir()] == ["diary.txt"]
    with pytest.raises(InputError, match="to be a folder, found"):
        train([], out / "diary.txt", network=settings.network, training=settings.training)


def test_weights_of_an_encoder(tmp_path, encoder):
    network = NetworkConfiguration(size=32, neighbours=0)
    source = build(network)
    path = tmp_path / "weights.npz"
    write_weights(path, {v.path: v.numpy() for v in source.variables})
    target = build(network)
    given = TrainingConfiguration(encoder_weights=str(path))
    start_encoder(target, network.architecture, given)
    pairs = list(zip(source.variables, target.variables, strict=True))
    written = read_weights(path)
    for one, other in pairs:
        if one.path.startswith(PREFIX):
            np.testing.assert_array_equal(other.numpy(), written[one.path])
    # The kernels of the decoder start from random weights.
    decoder = [
        (one.numpy(), other.numpy())
        for one, other in pairs
        if one.path.endswith("kernel") and not one.path.startswith(PREFIX)
    ]
    assert not any(np.allclose(one, other, atol=1e-3) for one, other in decoder)
    inputs = replace(network, neighbours=1)
    with pytest.raises(InputError, match=r"of shape \(3, 3, 5, 32\), found one of shape \(3, 3, 3"):
        start_encoder(build(inputs), inputs.architecture, given)
    write_weights(path, {"other": np.zeros(3)})
    with pytest.raises(InputError, match=r"Expected weights encoder.* found none: .*weights\.npz"):
        start_encoder(target, network.architecture, given)


def earlier_run(folder, cases, *, fold=0, inner=()):
    """Write what is known of a run, and weights that are of no use; give the path of these."""
    network = folder / "fold0-member0"
    network.mkdir(parents=True)
    write_cases(folder / "cases.json", cases)
    write_folds(folder / "folds.json", {case.patient: n % 2 for n, case in enumerate(cases)})
    record = {"fold": fold, "inner_dice": dict.fromkeys(inner, 1.0)}
    (network / "network.json").write_text(json.dumps(record), encoding="utf-8")
    write_weights(network / "weights.npz", {"none": np.zeros(3)})
    return network / "weights.npz"


def test_an_encoder_that_has_seen_who_is_held_out_is_refused(few, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(cross_validation, "refuse_start", lambda *_: None)
    run = tmp_path / "run"
    cases = [load_case(source, settings.network) for source in open_cases(few)]
    known = [KnownCase(case.id, case.patient, case.fingerprints) for case in cases]
    renamed = [KnownCase(f"copy {n}", f"copy {n}", one.fingerprints) for n, one in enumerate(known)]
    network = NetworkConfiguration(size=32, neighbours=0)
    for number, behind in enumerate((known, renamed)):
        weights = earlier_run(tmp_path / f"earlier{number}", behind)
        with pytest.raises(InputError, match="an encoder that was not trained on a patient whom"):
            train(open_cases(few), run, network=network, jobs=1,
                  training=replace(settings.training, encoder_weights=str(weights)))  # fmt: skip
        assert not run.exists()


def test_patients_behind_an_encoder_are_known_again(few, tmp_path, settings, monkeypatch):
    begun = []
    monkeypatch.setattr(fold_training.FoldTraining, "train_member", lambda *_: begun.append(1))
    monkeypatch.setattr(cross_validation, "refuse_start", lambda *_: None)
    others = [KnownCase(f"exam {n}", f"other {n}", (f"{n:016x}",)) for n in range(6)]
    weights = earlier_run(tmp_path / "earlier", others, inner=["exam 1"])
    network = NetworkConfiguration(size=32, neighbours=0)
    out = tmp_path / "run"
    train(open_cases(few), out, network=network, jobs=1,
          training=replace(settings.training, encoder_weights=str(weights)))  # fmt: skip
    assert begun == [1, 1]
    # Fold 0 was held out (0, 2, 4), exam 1 set aside.
    listed = {case.patient for case in read_cases(out / "cases.json")}
    assert listed == {source.patient for source in open_cases(few)} | {"other 3", "other 5"}


def test_folds_that_are_given(few, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(fold_training.FoldTraining, "train_member", lambda *_: None)
    patients = sorted(source.patient for source in open_cases(few))
    given = {"nobody": 0} | {patient: int(place > 0) for place, patient in enumerate(patients)}
    run = {"network": settings.network, "training": settings.training, "only": [1], "jobs": 1}
    with pytest.raises(
        InputError, match=rf"from 0 to 1 for every patient, found none for {patients[0]}"
    ):
        train(
            open_cases(few),
            tmp_path / "run",
            folds={patients[1]: 0, patients[2]: 1, patients[3]: 1},
            **run,
        )
    with pytest.raises(InputError, match=r"from 0 to 1 for every patient, found \[0, 1, 2\]"):
        train(open_cases(few), tmp_path / "run", folds=given | {"nobody": 2}, **run)
    assert not (tmp_path / "run").exists()
    del given["nobody"]
    with pytest.raises(InputError, match="Expected patients to train on beside an inner split"):
        train(open_cases(few), tmp_path / "run", folds=given, **run)
    # There are as many folds as are given, and a U-Net starts from no weights.
    quick = TrainingConfiguration(inner=0.2)
    in_memory = [source.read() for source in open_cases(few)]
    train(in_memory, tmp_path / "run", folds=given, **(run | {"only": [0], "training": quick}))
    chosen = read_json(tmp_path / "run" / "configuration.json")["training"]
    assert (chosen["folds"], chosen["encoder_weights"]) == (2, "none")
    assert read_json(tmp_path / "run" / "folds.json")["patients"] == given


def test_two_patients_with_one_slice_are_refused(few, tmp_path, settings):
    first = open_cases(few)[0].id
    for path in sorted((few / first).iterdir()):
        copy = few / "copy" / path.name.replace(first, "copy")
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
    with pytest.raises(InputError, match="every slice to be of one patient, found one in"):
        train(open_cases(few), tmp_path / "run", network=settings.network,
              training=settings.training, jobs=1)  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_a_fold_without_tumour_to_train_on_is_found_first(few, tmp_path, settings):
    folders = sorted(path for path in few.iterdir() if path.is_dir())
    for path in (path for folder in folders[1:] for path in folder.glob("*_mask.tif")):
        tifffile.imwrite(path, np.zeros((56, 48), dtype=np.uint8))
    with pytest.raises(InputError, match=r"to train fold [01] on, found none"):
        train(open_cases(few), tmp_path / "run", network=settings.network,
              training=settings.training, jobs=1)  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_networks_without_an_encoder_start_from_no_weights(few, tmp_path, settings):
    for weights in ("imagenet", "weights.npz"):
        with pytest.raises(InputError, match="Expected encoder weights none for unet"):
            train(open_cases(few), tmp_path / "run", network=settings.network,
                  training=replace(settings.training, encoder_weights=weights))  # fmt: skip


def test_a_run_is_continued_only_if_asked_and_as_it_was(cohort, few, networks, settings):
    before = contents(networks)
    with pytest.raises(InputError, match=r"found a run\. To continue it, use --resume"):
        train([], networks, network=settings.network, training=settings.training)
    for changed in (
        {"training": replace(settings.training, seed=1), "network": settings.network},
        {"training": settings.training, "network": replace(settings.network, neighbours=1)},
    ):
        with pytest.raises(InputError, match=r"found others than its \w+ 0 \(now 1\): "):
            train([], networks, **changed, resume=True)
    # A case less, or another image of a case: who is known as a training case would change.
    for sources in (open_cases(cohort)[1:], [*open_cases(few)[1:], *open_cases(cohort)[4:]]):
        with pytest.raises(InputError, match="the cases of the earlier run, found others"):
            train(sources, networks, network=settings.network, training=settings.training,
                  jobs=1, resume=True)  # fmt: skip
    changed = next(few.rglob("*_5.tif"))
    tifffile.imwrite(changed, tifffile.imread(changed)[::-1] ^ 1, photometric="rgb")
    with pytest.raises(InputError, match="the cases of the earlier run, found others"):
        train([*open_cases(few), *open_cases(cohort)[4:]], networks, network=settings.network,
              training=settings.training, jobs=1, resume=True)  # fmt: skip
    assert contents(networks) == before
