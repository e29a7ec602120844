"""Fine-tuning: networks that go on from those of an earlier run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lggshape.case import Case
from lggshape.errors import InputError
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.segmentation import TrainingConfiguration, read_ensemble, read_folds, train
from lggshape.segmentation.run.fingerprints import KnownCase
from lggshape.segmentation.run.folder import read_cases, read_weights
from lggshape.segmentation.training.start_network import choose_start


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Return four cases of patients that no network has seen."""
    folder = tmp_path_factory.mktemp("others") / "cases"
    cases = [
        source.read()
        for source in open_cases(write_cohort(folder, patients=4, seed=8, size=(6, 56, 48)))
    ]
    return [replace(case, id=f"new{n}", patient=f"new{n}") for n, case in enumerate(cases)]


@pytest.fixture
def quick(networks: Path) -> TrainingConfiguration:
    """Settings that leave the weights as they are."""
    return TrainingConfiguration(
        folds=2, epochs=1, batch=32, learning_rate=1e-12, weight_decay=0, crop=1.0, inner=0,
        start_from=str(networks),
    )  # fmt: skip


def weights_of(run: Path, name: str) -> dict[str, np.ndarray]:
    return read_weights(run / name / "weights.npz")


@pytest.mark.usefixtures("eagerly")
def test_networks_go_on_from_those_of_the_run_in_turns_invariant(others, networks, quick, tmp_path):
    out = tmp_path / "run"
    found = train(others, out, training=quick, jobs=1)
    assert found.members == ("fold0-member0", "fold1-member0")
    start, tuned = read_ensemble(networks), read_ensemble(out)
    assert tuned.configuration == start.configuration
    for before, after in zip(start.members, tuned.members, strict=True):
        assert before.name == after.name
        kernels = weights_of(networks, before.name)
        for name, values in weights_of(out, after.name).items():
            np.testing.assert_allclose(values, kernels[name], atol=1e-3, err_msg=name)
        # Nothing was fitted without an inner split, so what had been fitted before is kept.
        assert (after.calibration, after.threshold) == (before.calibration, before.threshold)
    # Whoever a network of the run had seen is known, and no network may segment them.
    patients = {case.patient for case in read_cases(out / "cases.json")}
    behind = {case.patient for case in read_cases(networks / "cases.json")}
    assert patients == behind | {case.patient for case in others}
    assert all(tuned.unseen_by([patient]) == () for patient in behind)


def test_of_known_patients_only_networks_that_have_not_seen_them_invariant(cohort, networks, quick):
    known = read_cases(networks / "cases.json")
    folds = read_folds(networks / "folds.json")
    for fold in (0, 1):
        apart = {patient for patient in folds if folds[patient] == fold}
        chosen = choose_start(known, apart, fold, 3, quick)
        assert [member.fold for member in chosen] == [fold] * 3
        renamed = [KnownCase(f"x{n}", f"x{n}", one.fingerprints) for n, one in enumerate(known)]
        hidden = {f"x{n}" for n, one in enumerate(known) if one.patient in apart}
        assert choose_start(renamed, hidden, fold, 1, quick) == chosen[:1]


def test_a_start_that_has_seen_who_is_set_aside_is_refused(cohort, networks, quick, tmp_path):
    folds = read_folds(networks / "folds.json")
    mixed = {patient: place % 2 for place, patient in enumerate(sorted(folds))}
    for training, given in ((replace(quick, inner=0.2), folds), (quick, mixed)):
        with pytest.raises(InputError, match=r"Expected a network of .* whom fold 0 holds out"):
            train(cohort, tmp_path / "run", training=training, folds=given, jobs=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("network", "training", "message"),
    [
        ({"size": 64}, {}, r"Expected the network of .*found size 64 \(there 32\)"),
        ({}, {"start_from": "nowhere"}, "Expected the folder of a training run"),
    ],
)
def test_other_networks_and_no_run_are_refused(
    others, settings, quick, tmp_path, network, training, message
):
    with pytest.raises(InputError, match=message):
        train(
            others, tmp_path / "run", jobs=1, network=replace(settings.network, **network),
            training=replace(quick, **training),
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_weights_of_an_encoder_beside_those_of_a_run_are_refused():
    with pytest.raises(InputError, match="encoder_weights to be none with start_from"):
        TrainingConfiguration(start_from="shipped", encoder_weights="imagenet")
