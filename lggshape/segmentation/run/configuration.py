"""How networks are trained, and the file that keeps this with what the networks are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Self

from lggshape.errors import InputError
from lggshape.segmentation.checked_settings import CheckedSettings
from lggshape.segmentation.networks.configuration import NetworkConfiguration

if TYPE_CHECKING:
    from lggshape.files import StrPath


FINE_TUNING: Mapping[str, float] = MappingProxyType(
    {"epochs": 6, "learning_rate": 5e-5, "average": 0.9}
)
"""Settings for a training that starts from trained networks: short, and in small steps.

They were chosen on one institution (`reports/fine-tuning`), where larger steps made masks worse.
With so few steps, the usual average of the weights would hardly leave the start."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfiguration(CheckedSettings):
    """How networks are trained.

    Attributes
    ----------
    folds : int
        Number of folds of the cross-validation, by patient.
    members : int
        Networks per fold, which differ by their seeds.
    epochs : int
        Epochs per network.
    batch : int
        Slices per step.
    learning_rate : float
        The highest learning rate of the schedule.
    encoder_rate : float
        Factor on the learning rate of an encoder that starts from given weights.
    weight_decay : float
        Decoupled weight decay (AdamW) of the kernels.
    warmup : float
        Share of all steps during which the learning rate rises from 0; then it falls to 0 as a
        cosine.
    average : float
        Decay of the exponential moving average of the weights, per step. 0: no average.
    border_weight : float
        Weight in the loss of the pixels within two of the outline, beyond the 1 of all pixels.
    empty_slices : float
        Slices without tumour in an epoch, for each slice with tumour. All slices with tumour are in
        every epoch; the others take turns.
    crop : float
        Side of the squares that a network is shown in training, as a share of the slice's, rounded
        to what the network can take. They are cut from anywhere: less to compute, and a
        further augmentation.
    sequence_dropout : float
        Probability of each sequence but FLAIR to be taken away from a slice.
    patients : int
        Patients to train on. 0: all that the fold and its inner split leave. They are drawn with
        the sites in turns, and fewer are some of more.
    inner : float
        Share of a fold's training patients that is set aside as its inner split: for the
        calibration of the probabilities, the threshold, and the epoch if asked. At least one
        patient unless it is 0.
    inner_every : int
        Epochs from one measurement of Dice on the inner split to the next. After the last epoch it
        is always measured.
    epoch : {"last", "inner"}
        Whether the last epoch's network is taken, or that of the best Dice on the inner split.
    encoder_weights : str
        Where an EfficientNet-Lite encoder starts: "imagenet", "none" (random), or the path of a
        weights file of this package. "auto" is "imagenet", and "none" for a network without such
        an encoder.
    start_from : str
        The run whose networks the training goes on from, with all their layers: "shipped" (the
        bundled networks) or the path of its folder. "" (none): a network starts from random
        weights, but for its encoder.
    frozen_epochs : int
        Epochs at the beginning in which the encoder stays as it starts. The rest is a training of
        its own, with its own schedule.
    precision : {"auto", "float32", "bfloat16"}
        Precision of the computation; "auto" is bfloat16 on a GPU and float32 on a CPU.
    seed : int
        Seed of all random numbers.
    """

    folds: int = 5
    members: int = 1
    epochs: int = 12
    batch: int = 16
    learning_rate: float = 2e-3
    encoder_rate: float = 0.25
    weight_decay: float = 0.01
    warmup: float = 0.08
    average: float = 0.99
    border_weight: float = 4.0
    empty_slices: float = 0.45
    crop: float = 0.75
    sequence_dropout: float = 0.3
    patients: int = 0
    inner: float = 0.1
    inner_every: int = 1
    epoch: Literal["last", "inner"] = "last"
    encoder_weights: str = "auto"
    start_from: str = ""
    frozen_epochs: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        ones = dict.fromkeys(("members", "epochs", "batch", "inner_every"), 1)
        for name, low in (ones | {"folds": 2, "patients": 0, "seed": 0}).items():
            self.require(name, getattr(self, name) >= low, f"to be at least {low}")
        self.require("learning_rate", 0 < self.learning_rate < 1, "to lie between 0 and 1")
        for name in ("encoder_rate", "weight_decay", "border_weight", "empty_slices"):
            self.require(name, 0 <= getattr(self, name) < float("inf"), "to be 0 or more")
        for name in ("warmup", "average", "sequence_dropout", "inner"):
            self.require(name, 0 <= getattr(self, name) < 1, "to be at least 0 and below 1")
        self.require("crop", 0 < self.crop <= 1, "to be above 0 and at most 1")
        frozen = 0 <= self.frozen_epochs <= self.epochs
        self.require("frozen_epochs", frozen, f"to be 0 to {self.epochs}, the epochs")
        if self.encoder_weights == "none":
            expected = "to be 0 where the encoder starts from nothing"
            self.require("frozen_epochs", self.frozen_epochs == 0, expected)
        if self.start_from:
            own = self.encoder_weights in ("auto", "none")
            self.require("encoder_weights", own, "to be none with start_from, which has encoders")
        if self.epoch == "inner":
            self.require("epoch", self.inner > 0, "to be last where there is no inner split")

    def for_network(self, network: NetworkConfiguration) -> Self:
        """Return the settings with those filled in that depend on the network."""
        if self.encoder_weights != "auto":
            return self
        pretrained = network.kind.pretrained and not self.start_from
        return replace(self, encoder_weights="imagenet" if pretrained else "none")


def settings_without_effect(
    network: NetworkConfiguration, training: TrainingConfiguration
) -> dict[str, str]:
    """Return the settings that have no effect beside the others, each with the reason.

    Examples
    --------
    >>> network = NetworkConfiguration(architecture="unet")
    >>> settings_without_effect(network, TrainingConfiguration(inner=0))["inner_every"]
    'without an inner split'
    """
    kind, name = network.kind, network.architecture
    no_encoder = (not kind.pretrained, f"with {name}, which has no encoder to start from weights")
    unused = {
        "stem": (len(kind.stems) == 1, f"with {name}, which has one stem"),
        "batch_normalisation": (
            not kind.optional_normalisation, f"with {name}, which always has batch normalisation",
        ),
        "encoder_weights": no_encoder,
        "frozen_epochs": no_encoder,
        "border_weight": (network.task == "detection", "with detection, which draws no outline"),
        "sequence_dropout": (
            network.sequences == ("FLAIR",), "with FLAIR alone, which is never left out",
        ),
        "inner_every": (training.inner == 0, "without an inner split"),
    }  # fmt: skip
    return {name: why for name, (has_none, why) in unused.items() if has_none}


def crop_of(network: NetworkConfiguration, training: TrainingConfiguration) -> int:
    """Return the side of the squares that a network is shown in training, in pixels."""
    blocks = round(training.crop * network.size / network.reduction)
    return max(1, blocks) * network.reduction


def read_configuration(path: "StrPath") -> tuple[NetworkConfiguration, TrainingConfiguration]:
    """Read `configuration.json`, as `write_configuration` writes it.

    Raises
    ------
    InputError
        If the file is missing or holds anything else.

    Examples
    --------
    >>> from lggshape.segmentation import SHIPPED
    >>> network, training = read_configuration(SHIPPED / "configuration.json")
    >>> network.size
    256
    """
    from lggshape.files import read_json

    path = Path(path)
    try:
        content = read_json(path)
        network, training = content["network"], content["training"]
    except (KeyError, TypeError) as error:
        msg = f"Expected {path} to hold a configuration of network and training, found: {error}."
        raise InputError(msg) from error
    return (
        NetworkConfiguration.from_dict(network, where=path),
        TrainingConfiguration.from_dict(training, where=path),
    )


def write_configuration(
    path: "StrPath", network: NetworkConfiguration, training: TrainingConfiguration
) -> None:
    """Write the settings of a run as JSON.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> network = NetworkConfiguration(size=64)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "configuration.json")
    ...     write_configuration(path, network, TrainingConfiguration())
    ...     read_configuration(path)[0] == network
    True
    """
    from lggshape.files import write_json

    write_json(path, {"network": network.to_dict(), "training": training.to_dict()})
