"""`lggshape train`: networks by patient-level cross-validation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration
from lggshape_cli import _options as o
from lggshape_cli import _train_options as t

if TYPE_CHECKING:
    from lggshape.commands import Run
    from lggshape.readers import CaseSource
    from lggshape.segmentation.training.cross_validation import TrainingSummary

Network, Training = NetworkConfiguration, TrainingConfiguration
_SEQUENCES = ",".join(Network.sequences)
EXAMPLES = (
    "lggshape train cases/ --out run/",
    "[dim]Network:[/dim] lggshape train cases/ --out run/ --network unet --filters 16,32,64",
    "[dim]Folds:[/dim] lggshape train cases/ --out run/ --folds-file other/folds.json --fold 0",
    "[dim]Training:[/dim] lggshape train cases/ --out run/ --epochs 40 --batch 8 --crop 1",
    "[dim]Inner split:[/dim] lggshape train cases/ --out run/ --inner 0.2 --epoch inner",
    "[dim]Fine-tuning:[/dim] lggshape train cases/ --out run/ --start-from shipped --folds 3",
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
    "encoder_weights", "start_from", "precision", "seed",
)  # fmt: skip
"""The options that are settings: of the network, under the names there, and of the training."""


def train(
    context: typer.Context,
    dataset: t.Dataset,
    out: t.Out,
    configuration: t.Configuration = None,
    manifest: o.Manifest = None,
    patient_from: o.PatientFrom = "hash",
    pattern: o.Pattern = "",
    image_sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    mask_values: o.MaskValues = None,
    regions: o.Regions = None,
    threshold: o.Threshold = None,
    resample_masks: o.ResampleMasks = False,
    task: t.Task = Network.task,
    network: t.Architecture = Network.architecture,
    encoder_weights: t.EncoderWeights = Training.encoder_weights,
    start_from: t.StartFrom = Training.start_from,
    sequences: t.Sequences = _SEQUENCES,
    neighbours: t.Neighbours = Network.neighbours,
    filters: t.Filters = "",
    batch_normalisation: t.BatchNormalisation = Network.batch_normalisation,
    stem: t.Stem = Network.stem,
    size: t.Size = Network.size,
    folds: t.Folds = Training.folds,
    folds_file: t.FoldsFile = None,
    fold: t.Fold = None,
    members: t.Members = Training.members,
    patients: t.Patients = Training.patients,
    epochs: t.Epochs = Training.epochs,
    batch: t.Batch = Training.batch,
    learning_rate: t.LearningRate = Training.learning_rate,
    border_weight: t.BorderWeight = Training.border_weight,
    crop: t.Crop = Training.crop,
    sequence_dropout: t.SequenceDropout = Training.sequence_dropout,
    frozen_epochs: t.FrozenEpochs = Training.frozen_epochs,
    precision: t.Precision = Training.precision,
    seed: t.Seed = Training.seed,
    inner: t.Inner = Training.inner,
    inner_every: t.InnerEvery = Training.inner_every,
    epoch: t.Epoch = Training.epoch,
    device: o.Device = "auto",
    jobs: o.Jobs = None,
    resume: o.Resume = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train networks by patient-level cross-validation.

    Writes the settings, the folds and, for each network, a folder with its weights, calibration
    and history. With --resume, a run that was stopped continues after its last complete epoch. Of
    masks with several regions, networks learn the whole: all regions together.
    """
    from lggshape import segmentation
    from lggshape.commands import run_command

    given_folds = None if folds_file is None else segmentation.read_folds(folds_file)
    networks, settings = _settings(context)
    inputs = [dataset, manifest, folds_file, o.region_file(regions), *_own_weights(settings)]
    with run_command("train", out=out, kind="in place", quiet=quiet, inputs=inputs,
                     options=_recorded(context.params)) as run:  # fmt: skip
        found = segmentation.train(
            _cases(context.params), out, network=networks, training=settings, only=fold or (),
            folds=given_folds, resume=resume, device=device, jobs=jobs, on_progress=run.on_progress,
        )  # fmt: skip
        _report(run, found, out)


def _meaning(options: dict[str, Any]) -> dict[str, Any]:
    """Return how masks are read."""
    meaning = o.mask_meaning(options["mask_values"], options["regions"], options["threshold"])
    return {**meaning, "resample_masks": options["resample_masks"]}


def _recorded(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options for the record that are no settings."""
    named = {name: options[name] for name in ("device", "resume", "pattern", "spacing")}
    return {"fold": options["fold"] or None, **named, **_meaning(options)}


def _cases(options: dict[str, Any]) -> "list[CaseSource]":
    """Return the cases to train on."""
    from lggshape.readers import open_cases

    named = ("manifest", "pattern", "image_sequences", "patient_from", "spacing")
    reading = o.reading(*(options[name] for name in named))
    return open_cases(options["dataset"], **reading, **_meaning(options))


def _report(run: "Run", found: "TrainingSummary", out: Path) -> None:
    """Keep what came of the training."""
    from lggshape.names import counted

    run.fail(found.failures)
    run.details["networks"] = list(found.members)
    run.summary.append(f"Trained {counted(len(found.members), 'network')}: {out}")


def _own_weights(settings: TrainingConfiguration) -> list[Path]:
    """Return the user's weights to start from, a file or a run, if that is what they chose."""
    paths = (Path(settings.encoder_weights), Path(settings.start_from or "none"))
    return [path for path in paths if path.exists()]


def _settings(context: typer.Context) -> tuple[NetworkConfiguration, TrainingConfiguration]:
    """Return the settings, from the options or from the file that holds all of them."""
    from lggshape.segmentation import FINE_TUNING, read_configuration
    from lggshape.segmentation.run.configuration import settings_without_effect
    from lggshape.segmentation.training.start_network import network_to_start_from

    options = context.params
    if options["configuration"] is not None:
        because = "with --configuration, which holds all settings"
        o.refuse_unused(context, **dict.fromkeys((*_NETWORK, *_TRAINING), (True, because)))
        return read_configuration(options["configuration"])
    settings = {name: options[name] for name in _TRAINING}
    if options["start_from"]:
        because = "with --start-from, which determines the network"
        unused = dict.fromkeys((*_NETWORK, "encoder_weights", "frozen_epochs"), (True, because))
        o.refuse_unused(context, **unused)
        given = o.given_options(context)
        settings |= {name: value for name, value in FINE_TUNING.items() if name not in given}
    training = TrainingConfiguration.from_dict(settings, where="the options")
    if options["start_from"]:
        network = network_to_start_from(training)
    else:
        values = {inside: options[name] for name, inside in _NETWORK.items()}
        values["sequences"] = [name.strip() for name in options["sequences"].split(",")]
        values["filters"] = _numbers(options["filters"])
        network = NetworkConfiguration.from_dict(values, where="the options")
    reasons = settings_without_effect(network, training)
    unused = {name: (True, why) for name, why in reasons.items()}
    unused["folds"] = (options["folds_file"] is not None, "with --folds-file")
    o.refuse_unused(context, **unused)
    return network, training


def _numbers(text: str) -> list[int]:
    from lggshape.errors import InputError

    try:
        return [int(number) for number in text.split(",") if number.strip()]
    except ValueError as error:
        msg = f"Expected --filters to be whole numbers separated by commas, found: {text!r}."
        raise InputError(msg) from error
