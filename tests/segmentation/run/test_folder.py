import json
import shutil

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.segmentation.run.calibration import Calibration
from lggshape.segmentation.run.fingerprints import KnownCase, KnownCases
from lggshape.segmentation.run.folder import (
    Ensemble,
    Member,
    cases_behind,
    member_folder,
    read_arrays,
    read_cases,
    read_ensemble,
    read_folds,
    read_weights,
    write_arrays,
    write_cases,
    write_folds,
    write_weights,
)
from lggshape.segmentation.training.folds import assign_folds


@pytest.fixture
def copy(networks, tmp_path):
    """Folder of a run that may be changed."""
    return shutil.copytree(networks, tmp_path / "run")


def test_no_network_segments_a_patient_it_was_trained_on_invariant(settings):
    patients = [f"P{number:02d}" for number in range(23)]
    for count in (2, 5, 22):
        folds = assign_folds(dict.fromkeys(patients, ""), folds=count, seed=count)
        trained_on = {
            fold: {patient for patient in patients if folds[patient] != fold}
            for fold in range(count)
        }
        members = tuple(
            Member(fold, number, None, Calibration(), 0.5)
            for fold in range(count)
            for number in range(3)
        )
        known = KnownCases([KnownCase(f"exam {p}", p, ()) for p in patients])
        ensemble = Ensemble(settings.network, members, folds, known)
        assert ensemble.unseen_by([]) == members
        for patient in patients:
            used = ensemble.unseen_by([patient])
            # The three of his own fold: no fewer, and none that has seen him.
            assert len(used) == 3
            assert all(patient not in trained_on[member.fold] for member in used)
            for other in patients:
                both = ensemble.unseen_by([patient, other])
                assert both == (used if folds[patient] == folds[other] else ())


def test_a_patient_without_a_fold_is_new_to_no_network(networks):
    ensemble = read_ensemble(networks)
    assert ensemble.unseen_by(["somebody"]) == ()


def test_cases_behind_weights_are_those_trained_on_invariant(networks):
    for fold in range(2):
        folder = networks / f"fold{fold}-member0"
        inner = json.loads((folder / "network.json").read_text(encoding="utf-8"))["inner_dice"]
        folds = read_folds(networks / "folds.json")
        behind = {case.patient for case in cases_behind(folder / "weights.npz")}
        # Five patients held out, one set aside.
        assert len(behind) == 4
        assert behind.isdisjoint(inner)
        assert all(folds[patient] != fold for patient in behind)


def test_nothing_is_known_of_weights_outside_a_run(tmp_path):
    assert cases_behind(tmp_path / "weights.npz") == []


def test_an_ensemble_is_read_in_order(networks):
    ensemble = read_ensemble(networks)
    assert [member.name for member in ensemble.members] == ["fold0-member0", "fold1-member0"]
    assert all(member.weights.is_file() for member in ensemble.members)
    assert len(ensemble.folds) == 10


def test_an_unfinished_member_is_left_out(copy):
    (copy / "fold0-member0" / "network.json").unlink()
    assert [member.name for member in read_ensemble(copy).members] == ["fold1-member0"]
    (copy / "fold1-member0" / "network.json").unlink()
    with pytest.raises(InputError, match="to hold trained networks, found none that is finished"):
        read_ensemble(copy)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("configuration.json", None, "found no configuration.json"),
        ("configuration.json", "{", "to be a JSON file, found"),
        ("folds.json", None, "to be a JSON file, found"),
        ("folds.json", "[1]", "to hold a JSON object ({...}), found another"),
        ("folds.json", '{"folds": 2, "patients": {"A": 2}}', "a fold from 0 to 1 for A, found 2"),
        (
            "folds.json",
            '{"folds": "2", "patients": {}}',
            "patients with theirs, found str",
        ),
        (
            "folds.json",
            '{"folds": 2, "patients": {"A": 1.0}}',
            "fold from 0 to 1 for A, found 1.0",
        ),
        ("cases.json", None, "to be a JSON file"),
        ("cases.json", '{"cases": [{"name": 1}]}', "to list the cases of a run, found"),
        ("cases.json", '{"cases": 3}', "to list the cases of a run, found"),
        (
            "cases.json",
            '{"cases": [{"case": "A", "patient": 1.5, "fingerprints": []}]}',
            "a name or a fingerprint that is no text",
        ),
        ("fold0-member0/network.json", "7", "to hold a JSON object ({...}), found another"),
        ("fold0-member0/network.json", "{}", "to have fold, member, calibration, threshold"),
        ("fold0-member0/network.json", '"\\ud800', "to be a JSON file"),
        (
            "fold0-member0/network.json",
            '{"fold": 0, "member": 0, "calibration": {"slope": "steep"}, "threshold": 0.5}',
            "to describe a network, found",
        ),
        (
            "fold0-member0/network.json",
            '{"fold": 0, "member": 0, "calibration": {"base": 1}, "threshold": 0.5}',
            "to describe a network, found",
        ),
        (
            "fold0-member0/network.json",
            '{"fold": 0, "member": 0, "calibration": {"slope": NaN}, "threshold": 0.5}',
            "a calibration that is no number of its range",
        ),
        (
            "fold0-member0/network.json",
            '{"fold": 0, "member": 0, "calibration": {}, "threshold": 50}',
            "to describe a network, found: a threshold",
        ),
        ("fold0-member0/weights.npz", None, "the weights of a network, found no file"),
    ],
)
def test_folders_that_are_damaged(copy, file, content, message):
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_ensemble(copy)
    assert message in str(error.value)
    assert file.rpartition("/")[2] in str(error.value)
    assert "\n" not in str(error.value)


def test_folder_that_is_none(tmp_path):
    with pytest.raises(InputError, match="found"):
        read_ensemble(tmp_path / "nowhere")


def test_folds_and_cases_come_back(tmp_path):
    folds = {"A": 1, "B": 0, "Ç": 1}
    write_folds(tmp_path / "folds.json", folds)
    assert read_folds(tmp_path / "folds.json") == folds
    (tmp_path / "none.json").write_text('{"folds": 2, "patients": {}}')
    with pytest.raises(InputError, match=r"the fold of at least one patient, found none: .*none"):
        read_folds(tmp_path / "none.json")
    cases = [KnownCase("exam", "A", ("ab", "cd")), KnownCase("other", "B", ())]
    write_cases(tmp_path / "cases.json", cases)
    assert read_cases(tmp_path / "cases.json") == cases


def test_small_kernels_are_of_half_precision(tmp_path):
    rng = np.random.default_rng(0)
    weights = {
        "a/kernel": rng.normal(size=(3, 3, 2, 4)), "a/variance": np.array([1e9, 1e-9]),
        "deep/kernel": rng.normal(size=(5, 5, 400, 1)),  # one number a channel and place
    }  # fmt: skip
    write_weights(tmp_path / "weights.npz", weights)
    stored = read_arrays(tmp_path / "weights.npz")
    assert {name: values.dtype.name for name, values in stored.items()} == {
        "a/kernel": "float16", "a/variance": "float32", "deep/kernel": "float16",
    }  # fmt: skip
    read = read_weights(tmp_path / "weights.npz")
    for name, values in weights.items():
        assert read[name].dtype == np.float32
        np.testing.assert_allclose(read[name], values, rtol=1e-3, atol=1e-4 * (values.ndim > 1))


def test_large_kernels_are_of_8_bits_analytic(tmp_path):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 64, 8)) * 10.0 ** np.arange(-4, 4)
    kernel[..., 5] = 0
    write_weights(tmp_path / "weights.npz", {"a/kernel": kernel})
    assert read_arrays(tmp_path / "weights.npz")["a/kernel"].dtype == np.int8
    (read,) = read_weights(tmp_path / "weights.npz").values()
    assert (tmp_path / "weights.npz").stat().st_size < 1.5 * kernel.size
    # No further than half a step, the 254th part of the largest value of the channel.
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    assert (np.abs(read - kernel) <= largest / 254 * 1.0001).all()
    assert not read[..., 5].any()
    # The largest value itself is kept.
    np.testing.assert_allclose(np.abs(read).max(axis=(0, 1, 2)), largest, rtol=1e-6)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and no more", b"\x80\x04K\x01.", None])
def test_arrays_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"the weights of a network, found: .*") as error:
        read_arrays(path)
    assert str(path) in str(error.value)


def test_a_pickle_is_not_executed(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, values=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(InputError, match="Object arrays cannot be loaded"):
        read_arrays(path)


@pytest.mark.parametrize("share", [0.2, 0.9, 0.999])
def test_truncated_weights(tmp_path, share):
    path = tmp_path / "weights.npz"
    write_arrays(path, {"a": np.arange(1000.0), "b": np.ones(3)})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError):
        read_arrays(path)


def test_disk_that_is_full(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError, match=r"writable f\w+, found: No space left on device"):
        write_arrays(tmp_path / "weights.npz", {"a": np.ones(3)})
    assert not list(tmp_path.iterdir())


def test_the_name_of_a_network_is_its_folder(networks):
    for path in networks.glob("*/network.json"):
        values = json.loads(path.read_text(encoding="utf-8"))
        assert member_folder(values["fold"], values["member"]) == path.parent.name
