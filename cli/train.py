"""`lggshape train`: networks by patient-level cross-validation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lggshape.segmentation import ARCHITECTURES
from lggshape_cli import _options as o
from lggshape_cli import _train_options as t

if TYPE_CHECKING:
    from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration

EXAMPLES = (
    "lggshape train cases/ --out run/",
    "[dim]Network:[/dim] lggshape train cases/ --out run/ --network unet --filters 16,32,64",
    "[dim]Folds:[/dim] lggshape train cases/ --out run/ --folds-file other/folds.json --fold 0",
    "[dim]Training:[/dim] lggshape train cases/ --out run/ --epochs 40 --batch 8 --crop 1",
    "[dim]Inner split:[/dim] lggshape train cases/ --out run/ --inner 0.2 --epoch inner",
    "[dim]How to run:[/dim] lggshape train cases/ --out run/ --device gpu --resume",
)

_NETWORK = {
    "task": "task", "network": "architecture", "sequences": "sequences",
    "neighbours": "neighbours", "filters": "filters",
    "batch_normalisation": "batch_normalisation", "stem": "stem", "size": "size",
}  # fmt: skip
_TRAINING = (
    "folds", "members", "epochs", "batch", "learning_rate", "border_weight", "crop",
    "sequence_dropout", "frozen_epochs", "patients", "inner", "inner_every", "epoch",
    "encoder_weights", "precision", "seed",
)  # fmt: skip
"""The options that are settings: of the network, under the names there, and of the training."""


def train(
    context: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="Images with their masks.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder of the run.", show_default=False)],
    configuration: t.Configuration = None,
    manifest: o.Manifest = None,
    task: t.Task = "segmentation",
    network: t.Architecture = "efficientnet-lite0",
    encoder_weights: t.EncoderWeights = None,
    sequences: t.Sequences = "pre-contrast,FLAIR,post-contrast",
    neighbours: t.Neighbours = 1,
    filters: t.Filters = "",
    batch_normalisation: t.BatchNormalisation = True,
    stem: t.Stem = "plain",
    size: t.Size = 256,
    folds: t.Folds = 5,
    folds_file: t.FoldsFile = None,
    fold: t.Fold = None,
    members: t.Members = 1,
    patients: t.Patients = 0,
    epochs: t.Epochs = 12,
    batch: t.Batch = 16,
    learning_rate: t.LearningRate = 2e-3,
    border_weight: t.BorderWeight = 4.0,
    crop: t.Crop = 0.75,
    sequence_dropout: t.SequenceDropout = 0.3,
    frozen_epochs: t.FrozenEpochs = 0,
    precision: t.Precision = "auto",
    seed: t.Seed = 0,
    inner: t.Inner = 0.1,
    inner_every: t.InnerEvery = 1,
    epoch: t.Epoch = "last",
    device: o.Device = "auto",
    jobs: o.Jobs = None,
    resume: o.Resume = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train networks by patient-level cross-validation.

    Writes the settings, the folds and, for each network, a folder with its weights, calibration
    and history. With --resume, a run that was stopped continues after its last complete epoch.
    """
    from lggshape.commands import run_command
    from lggshape.readers import open_cases
    from lggshape.segmentation import read_folds
    from lggshape.segmentation import train as train_networks

    given_folds = None if folds_file is None else read_folds(folds_file)
    network_settings, training_settings = _settings(context, given_folds)
    weights = Path(training_settings.encoder_weights)
    with run_command(
        "train", out=out, kind="in place", quiet=quiet,
        inputs=[dataset, manifest, folds_file, weights if weights.is_file() else None],
        options={"fold": fold, "device": device, "resume": resume},
    ) as run:  # fmt: skip
        found = train_networks(
            open_cases(dataset, manifest=manifest), out, network=network_settings,
            training=training_settings, only=fold or (), folds=given_folds, resume=resume,
            device=device, jobs=jobs, on_progress=run.on_progress,
        )  # fmt: skip
        run.fail(found.failures)
        run.details["networks"] = list(found.members)
        count = len(found.members)
        run.summary.append(f"Trained {count} network{'' if count == 1 else 's'}: {out}")


def _settings(
    context: typer.Context, given_folds: dict[str, int] | None
) -> "tuple[NetworkConfiguration, TrainingConfiguration]":
    """Return the settings, from the options or from the file that holds all of them."""
    from lggshape.segmentation import (
        NetworkConfiguration,
        TrainingConfiguration,
        read_configuration,
    )

    options = context.params
    if options["configuration"] is not None:
        because = "with --configuration, which holds all settings"
        o.refuse_unused(context, **dict.fromkeys((*_NETWORK, *_TRAINING), (True, because)))
        return read_configuration(options["configuration"])
    _refuse_unused(context, options)
    values = {inside: options[name] for name, inside in _NETWORK.items()}
    values["sequences"] = [name.strip() for name in options["sequences"].split(",")]
    values["filters"] = _numbers(options["filters"])
    network = NetworkConfiguration.from_dict(values, where="the options")
    training = {name: options[name] for name in _TRAINING}
    if given_folds is not None:
        training["folds"] = max(given_folds.values()) + 1
    training["encoder_weights"] = options["encoder_weights"] or (
        "imagenet" if network.has_encoder else "none"
    )
    return network, TrainingConfiguration.from_dict(training, where="the options")


def _refuse_unused(context: typer.Context, options: dict[str, Any]) -> None:
    """Refuse what the chosen network and task make no use of."""
    architecture = ARCHITECTURES.get(options["network"])
    of_network = f"with --network {options['network']}"
    no_encoder = architecture is not None and not architecture.pretrained
    o.refuse_unused(
        context,
        folds=(options["folds_file"] is not None, "with --folds-file"),
        encoder_weights=(no_encoder, f"{of_network}, which has no encoder to start from weights"),
        frozen_epochs=(no_encoder, f"{of_network}, which has no encoder to start from weights"),
        stem=(
            architecture is not None and len(architecture.stems) == 1,
            f"{of_network}, which has one stem",
        ),
        batch_normalisation=(
            architecture is not None and options["network"] != "unet",
            f"{of_network}, which always has batch normalisation",
        ),
        border_weight=(options["task"] == "detection", "with --task detection"),
        sequence_dropout=(
            options["sequences"].strip() == "FLAIR",
            "with FLAIR alone, which is never left out",
        ),
        inner_every=(options["inner"] == 0, "with --inner 0, which leaves no inner split"),
    )


def _numbers(text: str) -> list[int]:
    from lggshape.errors import InputError

    try:
        return [int(number) for number in text.split(",") if number.strip()]
    except ValueError as error:
        msg = f"Expected --filters to be whole numbers separated by commas, found: {text!r}."
        raise InputError(msg) from error
