import numpy as np
import pytest
from scipy.special import expit

from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.segmentation import (
    Detector,
    NetworkConfiguration,
    TrainingConfiguration,
    detect_cases,
    read_ensemble,
    segment_cases,
    train,
)
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.decode_codes import decode
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.run.folder import read_arrays


@pytest.fixture(scope="module", autouse=True)
def encoder(small_encoder):
    """Make the encoder small for these tests."""
    with small_encoder():
        yield


@pytest.fixture(scope="module")
def detectors(cohort, tmp_path_factory, encoder):
    """Folder of a run for detection of one fold of two. Not to be changed."""
    out = tmp_path_factory.mktemp("detectors") / "run"
    network = NetworkConfiguration(task="detection", neighbours=0, size=32)
    training = TrainingConfiguration(
        folds=2, epochs=1, batch=32, crop=1.0, inner=0.2, encoder_weights="none", patients=2
    )
    train(open_cases(cohort), out, network=network, training=training, only=[0], jobs=1)
    return out


def test_held_out_patients_have_a_score_a_slice_keras(cohort, detectors):
    """What the network itself says of a slice, its flip, and the calibration, by hand."""
    ensemble = read_ensemble(detectors)
    by_fold = [[s for s in open_cases(cohort) if ensemble.folds[s.patient] == f] for f in (0, 1)]
    sources = by_fold[0][:2] + by_fold[1][:2]
    held_out = sources[:2]
    done = []
    found = detect_cases(sources, detectors, skip_seen=True, on_progress=done.append)
    assert done[-1] == ("detecting", 4, 4)
    assert found.failures == {}
    assert set(found.skipped) == {s.id for s in sources} - {s.id for s in held_out}
    assert found.slices["case"].tolist() == [s.id for s in held_out for _ in range(10)]
    assert found.slices["slice"].tolist() == [*range(1, 11)] * len(held_out)
    assert set(found.slices["fold"]) == {0}

    (member,) = ensemble.members
    network = build(ensemble.configuration)
    weights = read_arrays(member.weights)
    for variable in network.variables:
        variable.assign(weights[variable.path].astype(np.float32))
    slices = decode(prepare_input(held_out[0].read(), ensemble.configuration).codes)
    probabilities = [
        expit(network.predict(image, verbose=0).mean(axis=(1, 2, 3)))
        for image in (slices, slices[:, :, ::-1])
    ]
    expected = member.calibration.apply(np.mean(probabilities, axis=0))
    scores = found.slices["score"].to_numpy(dtype=float)[:10]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_evidence_lies_on_the_grid_of_the_case_invariant(cohort, detectors):
    ensemble = read_ensemble(detectors)
    detector = Detector(ensemble)
    source = next(s for s in open_cases(cohort) if ensemble.folds[s.patient] == 0)
    case = source.read(mask=False)
    found = detector.detect(case)
    assert found.evidence.shape == case.image.shape[:3]
    assert found.probability.shape == (len(case.image),)
    assert found.fold == 0
    assert ((found.probability >= 0) & (found.probability <= 1)).all()


def test_cases_that_cannot_be_looked_at_are_named(cohort, detectors):
    ensemble = read_ensemble(detectors)
    seen = [s for s in open_cases(cohort) if ensemble.folds[s.patient] == 1]
    found = detect_cases(seen, detectors)
    assert set(found.failures) == {s.id for s in seen}
    assert all("not trained on the patient" in reason for reason in found.failures.values())


def test_networks_of_another_task_are_refused(cohort, networks, detectors, tmp_path):
    with pytest.raises(InputError, match="networks for detection, found some for segmentation"):
        detect_cases(open_cases(cohort), networks)
    with pytest.raises(InputError, match="networks for segmentation, found some for detection"):
        segment_cases(open_cases(cohort), tmp_path / "masks", networks=detectors)
    assert not (tmp_path / "masks").exists()
    with pytest.raises(InputError, match="Expected every case once, found PHANTOM_A_0001 twice"):
        detect_cases(open_cases(cohort) * 2, detectors)
