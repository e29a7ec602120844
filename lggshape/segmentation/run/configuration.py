"""What a network is and how it is trained: small records that are saved with the weights."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from lggshape.errors import InputError
from lggshape.files import write_json

Encoder = Literal["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"]
Architecture = Literal["unet", "resunet", Encoder]
Stem = Literal["plain", "space-to-depth"]
Task = Literal["segmentation", "detection", "reconstruction"]

_FILTERS: dict[str, tuple[int, ...]] = {
    "unet": (32, 64, 128, 256, 512),
    "resunet": (32, 64, 128, 256, 512),
    **dict.fromkeys(get_args(Encoder), (128, 64, 48, 32)),
}


@dataclass(frozen=True, kw_only=True)
class _Configuration:
    """A record that JSON can hold; every field is checked against its type."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            value = _coerced(getattr(self, field.name), hints[field.name])
            if value is None:
                self._refuse(field.name, f"to be {_described(hints[field.name])}")
            object.__setattr__(self, field.name, value)

    def _refuse(self, name: str, expected: str) -> None:
        msg = f"Expected {name} {expected}, found: {getattr(self, name)!r}."
        raise InputError(msg)

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            self._refuse(name, expected)

    @classmethod
    def from_dict(cls, values: Any, *, where: Path | str) -> Self:
        """Make a configuration from a mapping, or whatever JSON gives.

        Raises
        ------
        InputError
            If a field is unknown or has a value that it cannot have. The message names `where`.
        """
        if not isinstance(values, Mapping):
            msg = f"Expected {where} to hold settings by name, found: {values!r}."
            raise InputError(msg)
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            msg = f"Expected {where} to hold settings of this version, found unknown: {unknown}."
            raise InputError(msg)
        try:
            return cls(**values)
        except InputError as error:
            msg = f"{str(error).removesuffix('.')}: {where}."
            raise InputError(msg) from error

    def to_dict(self) -> dict[str, Any]:
        """Give the settings as JSON holds them."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values


@dataclass(frozen=True, kw_only=True)
class NetworkConfiguration(_Configuration):
    """What a network looks like, and what it is shown.

    Attributes
    ----------
    task : {"segmentation", "detection", "reconstruction"}
        What it is trained to tell of a slice: which pixels are tumour; whether there is any; or
        what FLAIR is where squares of all sequences are hidden, for an encoder to start from.
    architecture : {"efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "unet", \
"resunet"}
        U-Net on an EfficientNet-Lite encoder, the U-Net of Buda et al. 2019, or a U-Net of residual
        blocks.
    sequences : tuple of str
        The MR sequences it is shown, in the order of its input channels. FLAIR is one of them.
    neighbours : int
        How many FLAIR slices below and above the slice are further channels.
    filters : tuple of int
        Filters a level. U-Net and ResUNet: from the top down, the last at the bottom, so that the
        length is the depth. EfficientNet-Lite: of the four levels of the decoder, from the bottom
        up. Empty: the architecture's own.
    batch_normalisation : bool
        Whether a batch normalisation follows each convolution of a U-Net. The paper's has none;
        the other architectures always have it.
    stem : {"plain", "space-to-depth"}
        Whether a U-Net or ResUNet works on the pixels, or on blocks of 2 x 2 of them at half the
        resolution. The EfficientNet starts with a convolution of stride 2 in any case.
    size : int
        Side of the square of pixels that slices are fitted to.
    """

    task: Task = "segmentation"
    architecture: Architecture = "efficientnet-lite0"
    sequences: tuple[str, ...] = ("pre-contrast", "FLAIR", "post-contrast")
    neighbours: int = 1
    filters: tuple[int, ...] = ()
    batch_normalisation: bool = True
    stem: Stem = "plain"
    size: int = 256

    def __post_init__(self) -> None:
        """Check the values and fill in the architecture's own filters."""
        super().__post_init__()
        if not self.filters:
            object.__setattr__(self, "filters", _FILTERS[self.architecture])
        self._require(
            "sequences",
            "FLAIR" in self.sequences and len(set(self.sequences)) == len(self.sequences),
            "to name FLAIR and every sequence once",
        )
        self._require("neighbours", 0 <= self.neighbours <= 5, "to be 0 to 5")
        self._require("filters", min(self.filters) >= 1, "to be positive")
        if self.task == "detection":
            expected = f"to be segmentation or reconstruction for {self.architecture}"
            self._require("task", self.has_encoder, expected)
        if self.has_encoder:
            self._require("filters", len(self.filters) == 4, "to be four numbers, a level each")
            self._require("stem", self.stem == "plain", f"to be plain for {self.architecture}")
        else:
            self._require("filters", len(self.filters) >= 2, "to be two levels or more")
        self._require(
            "size",
            self.size >= self.reduction and self.size % self.reduction == 0,
            f"to be a multiple of {self.reduction}, which the network reduces it by",
        )

    @property
    def has_encoder(self) -> bool:
        """Whether the network has an EfficientNet for an encoder, which may start from ImageNet."""
        return self.architecture in get_args(Encoder)

    @property
    def channels(self) -> int:
        """Number of input channels."""
        return len(self.sequences) + 2 * self.neighbours

    @property
    def reduction(self) -> int:
        """How many pixels of a side become one at the bottom of the network."""
        if self.has_encoder:
            return 32
        return int(2 ** (len(self.filters) - 1) * (2 if self.stem == "space-to-depth" else 1))


@dataclass(frozen=True, kw_only=True)
class TrainingConfiguration(_Configuration):
    """How networks are trained.

    Attributes
    ----------
    folds : int
        Number of folds of the cross-validation, by patient.
    members : int
        Networks a fold, which differ by their seeds.
    epochs : int
        Epochs a network.
    batch : int
        Slices a step.
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
        Decay of the exponential moving average of the weights, a step. 0: no average.
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
        weights file of this package.
    frozen_epochs : int
        Epochs at the beginning in which the encoder stays as it starts. The rest is a training of
        its own, with its own schedule.
    precision : {"auto", "float32", "bfloat16"}
        Of the computation; "auto" is bfloat16 on a GPU and float32 on a CPU.
    seed : int
        Of all random numbers.
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
    encoder_weights: str = "imagenet"
    frozen_epochs: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        ones = dict.fromkeys(("members", "epochs", "batch", "inner_every"), 1)
        for name, low in (ones | {"folds": 2, "patients": 0, "seed": 0}).items():
            self._require(name, getattr(self, name) >= low, f"to be at least {low}")
        self._require("learning_rate", 0 < self.learning_rate < 1, "to lie between 0 and 1")
        for name in ("encoder_rate", "weight_decay", "border_weight", "empty_slices"):
            self._require(name, 0 <= getattr(self, name) < float("inf"), "to be 0 or more")
        for name in ("warmup", "average", "sequence_dropout", "inner"):
            self._require(name, 0 <= getattr(self, name) < 1, "to be at least 0 and below 1")
        self._require("crop", 0 < self.crop <= 1, "to be above 0 and at most 1")
        frozen = 0 <= self.frozen_epochs <= self.epochs
        self._require("frozen_epochs", frozen, f"to be 0 to {self.epochs}, the epochs")
        if self.encoder_weights == "none":
            expected = "to be 0 where the encoder starts from nothing"
            self._require("frozen_epochs", self.frozen_epochs == 0, expected)
        if self.epoch == "inner":
            self._require("epoch", self.inner > 0, "to be last where there is no inner split")


def crop_of(network: NetworkConfiguration, training: TrainingConfiguration) -> int:
    """Give the side of the squares that a network is shown in training, in pixels."""
    blocks = round(training.crop * network.size / network.reduction)
    return max(1, blocks) * network.reduction


def read_configuration(path: Path) -> tuple[NetworkConfiguration, TrainingConfiguration]:
    """Read `configuration.json`, as `write_configuration` writes it.

    Raises
    ------
    InputError
        If the file is missing or holds anything else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        network, training = content["network"], content["training"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"Expected {path} to hold a configuration of network and training, found: {error}."
        raise InputError(msg) from error
    return (
        NetworkConfiguration.from_dict(network, where=path),
        TrainingConfiguration.from_dict(training, where=path),
    )


def write_configuration(
    path: Path, network: NetworkConfiguration, training: TrainingConfiguration
) -> None:
    """Write the settings of a run as JSON."""
    write_json(path, {"network": network.to_dict(), "training": training.to_dict()})


def _coerced(value: Any, kind: Any) -> Any:
    """Give a value as the type of its field (a list as a tuple, 1 as 1.0), None if it is not."""
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            return None
        entries = [_coerced(entry, get_args(kind)[0]) for entry in value]
        return None if None in entries else tuple(entries)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if type(value) is kind else None


def _described(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        return f"a list of {get_args(kind)[0].__name__}"
    return f"of type {kind.__name__}"
