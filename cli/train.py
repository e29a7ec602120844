"""`lggshape train`: networks by patient-level cross-validation."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lggshape.segmentation import ARCHITECTURES

if TYPE_CHECKING:
    from lggshape.progress import OnProgress, Progress


def train(
    context: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="Cases with image and mask.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    configuration: Annotated[
        Path | None,
        typer.Option(help="configuration.json of another run, in place of the options below."),
    ] = None,
    task: Annotated[
        Literal["segmentation", "detection"],
        typer.Option(help="Find the pixels of tumour, or the slices with tumour."),
    ] = "segmentation",
    network: Annotated[
        str, typer.Option(help=f"Architecture: one of {', '.join(ARCHITECTURES)}.")
    ] = "efficientnet-lite0",
    encoder_weights: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|none|PATH",
            help="Where the encoder starts. Default: imagenet for an efficientnet-lite, else none.",
        ),
    ] = None,
    sequences: Annotated[
        str, typer.Option(help="The MR sequences to use, separated by commas.")
    ] = "pre-contrast,FLAIR,post-contrast",
    neighbours: Annotated[
        int, typer.Option(help="FLAIR slices below and above that are further channels.")
    ] = 1,
    filters: Annotated[
        str, typer.Option(help="Filters a level, separated by commas. Default: the network's own.")
    ] = "",
    batch_normalisation: Annotated[
        bool, typer.Option(help="Batch normalisation in a U-Net.")
    ] = True,
    stem: Annotated[
        Literal["plain", "space-to-depth"], typer.Option(help="Of a U-Net or ResUNet.")
    ] = "plain",
    size: Annotated[int, typer.Option(help="Side of the square slices are fitted to.")] = 256,
    folds: Annotated[int, typer.Option(help="Number of folds, by patient.")] = 5,
    folds_file: Annotated[
        Path | None,
        typer.Option(help="folds.json of another run, in place of folds that are drawn."),
    ] = None,
    fold: Annotated[
        list[int] | None, typer.Option(help="Train this fold only, from 0. Repeatable.")
    ] = None,
    members: Annotated[int, typer.Option(help="Networks a fold.")] = 1,
    epochs: Annotated[int, typer.Option(help="Epochs a network.")] = 12,
    batch: Annotated[int, typer.Option(help="Slices a step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    border_weight: Annotated[
        float,
        typer.Option(help="Further weight in the loss of the pixels within two of the outline."),
    ] = 4.0,
    crop: Annotated[
        float, typer.Option(help="Side of the squares shown in training, as a share.")
    ] = 0.75,
    sequence_dropout: Annotated[
        float, typer.Option(help="Probability of each sequence but FLAIR to be left out.")
    ] = 0.3,
    frozen_epochs: Annotated[
        int, typer.Option(help="Epochs at the beginning in which the encoder stays as it starts.")
    ] = 0,
    patients: Annotated[
        int, typer.Option(help="Patients of a fold to train on. Default: all.", show_default=False)
    ] = 0,
    inner: Annotated[
        float,
        typer.Option(help="Share of the training patients set aside for threshold, calibration."),
    ] = 0.1,
    inner_every: Annotated[
        int,
        typer.Option(
            help="Epochs from one measurement of the inner split to the next; --epoch inner "
            "chooses among those that were measured."
        ),
    ] = 1,
    epoch: Annotated[
        Literal["last", "inner"],
        typer.Option(help="Take the last epoch, or the best on the inner split."),
    ] = "last",
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"], typer.Option(help="Of the computation.")
    ] = "auto",
    device: Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Where to compute.")] = (
        "auto"
    ),
    seed: Annotated[int, typer.Option(help="Of all random numbers.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(help="Processes that read the cases. Default: all cores.", min=1)
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case and patient, perhaps site.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an earlier run of the same settings.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Train networks by patient-level cross-validation.

    Writes the settings, the folds, and a folder a network: weights, calibration, history. With
    --resume a run that was stopped goes on after its last whole epoch.
    """
    from lggshape.provenance import recorded
    from lggshape.readers import assign_patients, open_cases
    from lggshape.segmentation import (
        NetworkConfiguration,
        TrainingConfiguration,
        read_configuration,
        read_folds,
    )
    from lggshape.segmentation import train as train_networks

    given_folds = None if folds_file is None else read_folds(folds_file)
    if configuration is not None:
        _refuse_settings(context)
        network_settings, training_settings = read_configuration(configuration)
    else:
        network_settings = NetworkConfiguration.from_dict(
            {
                "task": task,
                "architecture": network,
                "sequences": [name.strip() for name in sequences.split(",")],
                "neighbours": neighbours,
                "filters": _numbers(filters),
                "batch_normalisation": batch_normalisation,
                "stem": stem,
                "size": size,
            },
            where="the options",
        )
        default_weights = "imagenet" if network_settings.has_encoder else "none"
        training_settings = TrainingConfiguration.from_dict(
            {
                "folds": folds if given_folds is None else max(given_folds.values()) + 1,
                "members": members,
                "epochs": epochs,
                "batch": batch,
                "learning_rate": learning_rate,
                "border_weight": border_weight,
                "crop": crop,
                "sequence_dropout": sequence_dropout,
                "frozen_epochs": frozen_epochs,
                "patients": patients,
                "inner": inner,
                "inner_every": inner_every,
                "epoch": epoch,
                "encoder_weights": encoder_weights or default_weights,
                "precision": precision,
                "seed": seed,
            },
            where="the options",
        )
    sources = open_cases(dataset)
    if manifest is not None:
        sources = assign_patients(sources, manifest)
    options = {"fold": fold, "device": device, "resume": resume}
    weights = Path(training_settings.encoder_weights)
    files = (manifest, folds_file, weights)
    inputs = [dataset, *(path for path in files if path is not None and path.is_file())]
    with recorded(
        out / "run.json", command="train", options=options, inputs=inputs, in_place=True
    ) as record:
        with _progress(quiet=quiet) as on_progress:
            summary = train_networks(
                sources,
                out,
                network=network_settings,
                training=training_settings,
                only=fold or (),
                folds=given_folds,
                resume=resume,
                device=device,
                jobs=jobs,
                on_progress=on_progress,
            )
        record.details["networks"] = list(summary.members)
        record.details["failed"] = len(summary.failures)
    if not quiet:
        count = len(summary.members)
        typer.echo(f"Trained {count} network{'' if count == 1 else 's'}: {out}")
    for case, reason in summary.failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if summary.failures:
        raise typer.Exit(1)


def _refuse_settings(context: typer.Context) -> None:
    """Refuse options of the settings beside a file that holds all of them."""
    from lggshape.errors import InputError

    others = {
        "dataset", "out", "configuration", "fold", "folds_file", "device", "jobs", "manifest",
        "resume", "quiet",
    }  # fmt: skip
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name and option.name not in others and _is_given(context, option.name)
    ]
    if given:
        msg = f"Expected all settings in --configuration, found also: {', '.join(given)}."
        raise InputError(msg)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _numbers(text: str) -> list[int]:
    from lggshape.errors import InputError

    try:
        return [int(number) for number in text.split(",") if number.strip()]
    except ValueError as error:
        msg = f"Expected --filters to be whole numbers separated by commas, found: {text!r}."
        raise InputError(msg) from error


@contextmanager
def _progress(*, quiet: bool) -> Iterator["OnProgress | None"]:
    """Show on a terminal what is done, and the time left."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(progress: "Progress") -> None:
            bar.update(
                task,
                description=progress.doing,
                completed=progress.done,
                total=progress.total,
            )

        yield show
