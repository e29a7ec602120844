import json
from pathlib import Path

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run.configuration import (
    TrainingConfiguration,
    crop_of,
    read_configuration,
    write_configuration,
)

NETWORK_REFUSALS = [
    ("task", "classification"),
    ("architecture", "vnet"),
    ("architecture", ["unet"]),
    ("sequences", "FLAIR"),
    ("sequences", ("T2",)),
    ("sequences", ()),
    ("sequences", ("FLAIR", "FLAIR")),
    ("sequences", ("FLAIR", 1)),
    ("neighbours", -1),
    ("neighbours", 6),
    ("neighbours", 1.0),
    ("neighbours", True),
    ("filters", (8, 0, 8, 8)),
    ("filters", (8, 8, 8)),
    ("filters", (8, 8, 8, 8.5)),
    ("filters", 8),
    ("batch_normalisation", 1),
    ("stem", "strided"),
    ("stem", "space-to-depth"),
    ("size", 0),
    ("size", -32),
    ("size", 48),
    ("size", "256"),
]

TRAINING_REFUSALS = [
    ("folds", 1),
    ("folds", 5.0),
    ("members", 0),
    ("epochs", 0),
    ("batch", 0),
    ("seed", -1),
    ("seed", True),
    ("learning_rate", 0),
    ("learning_rate", 1.0),
    ("learning_rate", float("nan")),
    ("learning_rate", "0.1"),
    ("encoder_rate", -0.1),
    ("encoder_rate", float("inf")),
    ("weight_decay", -1),
    ("weight_decay", float("nan")),
    ("empty_slices", -1),
    ("empty_slices", True),
    ("warmup", 1),
    ("warmup", -0.1),
    ("average", 1.0),
    ("sequence_dropout", 1.0),
    ("patients", -1),
    ("patients", 20.5),
    ("frozen_epochs", -1),
    ("frozen_epochs", 13),
    ("inner", 1),
    ("inner", None),
    ("inner_every", 0),
    ("crop", 0),
    ("crop", 1.1),
    ("epoch", "best"),
    ("encoder_weights", 5),
    ("precision", "float16"),
]


@pytest.mark.parametrize(("field", "value"), NETWORK_REFUSALS)
def test_a_network_that_cannot_be_is_refused(field, value):
    with pytest.raises(InputError, match=rf"^Expected {field} .+, found: ") as caught:
        NetworkConfiguration(**{field: value})
    assert str(caught.value).endswith(f"found: {value!r}.")


@pytest.mark.parametrize(("field", "value"), TRAINING_REFUSALS)
def test_a_training_that_cannot_be_is_refused(field, value):
    with pytest.raises(InputError, match=rf"^Expected {field} .+, found: ") as caught:
        TrainingConfiguration(**{field: value})
    # Whole numbers are fractions as well, and are shown as such.
    shown = {repr(value), repr(float(value)) if type(value) is int else repr(value)}
    assert str(caught.value).rpartition("found: ")[2].removesuffix(".") in shown


def test_a_number_too_large_for_a_fraction_is_refused():
    with pytest.raises(InputError, match="Expected learning_rate to be of type float"):
        TrainingConfiguration(learning_rate=10**400)


def test_settings_that_exclude_each_other_are_refused():
    with pytest.raises(InputError, match="Expected filters to be two levels or more"):
        NetworkConfiguration(architecture="unet", filters=(8,))
    with pytest.raises(InputError, match="Expected epoch to be last where there is no inner split"):
        TrainingConfiguration(epoch="inner", inner=0)
    with pytest.raises(InputError, match="Expected frozen_epochs to be 0 where the encoder starts"):
        TrainingConfiguration(encoder_weights="none", frozen_epochs=1)
    with pytest.raises(InputError, match="Expected task to be segmentation or reconstruction for"):
        NetworkConfiguration(architecture="resunet", task="detection")


@pytest.mark.parametrize(
    ("settings", "reduction", "channels"),
    [
        ({}, 32, 5),
        ({"architecture": "unet", "neighbours": 0}, 16, 3),
        ({"architecture": "unet", "filters": (4, 8), "neighbours": 2}, 2, 7),
        ({"architecture": "resunet", "stem": "space-to-depth", "sequences": ("FLAIR",)}, 32, 3),
    ],
)
def test_reduction_and_channels_analytic(settings, reduction, channels):
    network = NetworkConfiguration(**settings)
    assert network.reduction == reduction
    assert network.channels == channels
    assert NetworkConfiguration(**settings | {"size": 3 * reduction}).size == 3 * reduction
    with pytest.raises(InputError, match=f"Expected size to be a multiple of {reduction}"):
        NetworkConfiguration(**settings | {"size": 3 * reduction + 1})


@pytest.mark.parametrize(
    ("architecture", "filters"),
    [("unet", (32, 64, 128, 256, 512)), ("efficientnet-lite0", (128, 64, 48, 32))],
)
def test_no_filters_are_the_architectures_own(architecture, filters):
    assert NetworkConfiguration(architecture=architecture).filters == filters


def test_json_brings_the_settings_back_invariant(tmp_path):
    network = NetworkConfiguration(
        architecture="resunet", sequences=("T1", "FLAIR"), filters=(4, 8), size=32
    )
    training = TrainingConfiguration(folds=3, learning_rate=1e-4, precision="float32", crop=1)
    path = tmp_path / "configuration.json"
    write_configuration(path, network, training)
    assert read_configuration(path) == (network, training)
    assert json.loads(path.read_text())["network"]["sequences"] == ["T1", "FLAIR"]
    assert type(read_configuration(path)[0].filters) is tuple


def test_whole_numbers_are_fractions_too():
    training = TrainingConfiguration(weight_decay=0, crop=1)
    assert type(training.weight_decay) is float
    assert training == TrainingConfiguration(weight_decay=0.0, crop=1.0)


def test_numbers_of_arrays_and_paths_are_settings_too():
    training = TrainingConfiguration(
        epochs=np.int64(3), crop=np.float32(0.5), encoder_weights=Path("x", "weights.npz")
    )
    assert training == TrainingConfiguration(epochs=3, crop=0.5, encoder_weights="x/weights.npz")
    assert training.to_dict()["epochs"] == 3


def test_unknown_settings_are_refused():
    with pytest.raises(InputError, match=r"run\.json .*unknown: \['depth', 'width'\]"):
        NetworkConfiguration.from_dict({"width": 1, "size": 32, "depth": 2}, where="run.json")


def test_a_value_that_is_refused_is_named_with_its_file():
    with pytest.raises(InputError, match=r"^Expected batch .+, found: 0: run\.json\.$"):
        TrainingConfiguration.from_dict({"batch": 0}, where="run.json")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        '{"network": {}}',
        '{"network": 5, "training": {}}',
        '{"network": null, "training": {}}',
        '{"network": [], "training": {}}',
        '{"network": {"1": 2}, "training": {}}',
        b"\xff",
    ],
)
def test_a_file_that_holds_no_settings_is_refused(tmp_path, content):
    path = tmp_path / "configuration.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=r"configuration\.json"):
        read_configuration(path)


@pytest.mark.parametrize(
    ("crop", "size", "expected"),
    [(1.0, 256, 256), (0.75, 256, 192), (0.7, 256, 192), (0.01, 256, 32), (0.5, 32, 32)],
)
def test_crops_are_what_the_network_can_take_analytic(crop, size, expected):
    assert crop_of(NetworkConfiguration(size=size), TrainingConfiguration(crop=crop)) == expected
