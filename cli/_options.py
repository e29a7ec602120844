"""The options that several commands share, and a check for options without effect."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from lggshape.commands import Run
    from lggshape.figures import Journal
    from lggshape.labels import Labels

RUNNING = "How to run"
"""The panel of the help for what does not change the results."""
READING = "How to read the cases"
LABELS = "Labels"
REPORT = "The report"
NETWORKS = "Networks"
WRITING = "What to write"
FIGURES = "Figures for a journal"
"""Further panels, that several commands have."""

DEBUG = "lggshape.debug"
"""Where the context keeps whether --debug was given."""


def _set_debug(context: typer.Context, asked: bool) -> None:
    """Keep the answer, and show on stderr what otherwise goes to the log alone."""
    context.meta[DEBUG] = asked
    if asked:
        import logging

        handler = logging.StreamHandler()
        for name in ("lggshape", "py.warnings"):
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            context.call_on_close(partial(logger.removeHandler, handler))


OutFolder = Annotated[
    Path, typer.Option(help="Folder for the results; new, or empty.", show_default=False)
]
_LABELS = (
    "Label table (CSV, TSV, Excel, Parquet; one row per patient). book.xlsx:Sheet names a sheet. "
    "Repeat the option for further tables."
)
Labels = Annotated[list[Path] | None, typer.Option(help=_LABELS, rich_help_panel=LABELS)]
RequiredLabels = Annotated[list[Path], typer.Option(help=_LABELS, show_default=False)]
PatientColumn = Annotated[
    str | None,
    typer.Option(
        help="Column of the tables that identifies the patient. Default: Patient, or the only one "
        "with another name of patients, such as ID or subject.",
        rich_help_panel=LABELS,
    ),
]
Manifest = Annotated[
    Path | None,
    typer.Option(
        help="Table of the cases, with the columns case and patient, and optionally site, "
        "session, files (flair, t1, t1ce, mask) and columns of your own. `inspect --write` makes "
        "one.",
        rich_help_panel=READING,
    ),
]
Pattern = Annotated[
    str,
    typer.Option(
        help="How the files in the folder are named, such as {case}_{role}.nii. "
        "Default: the layout is recognised.",
        show_default=False,
        rich_help_panel=READING,
    ),
]
Sequences = Annotated[
    str,
    typer.Option(
        help="The sequences in image files whose names do not give them, in the order of the "
        "volumes, separated by commas: pre-contrast, FLAIR, post-contrast.",
        show_default=False,
        rich_help_panel=READING,
    ),
]
Spacing = Annotated[
    tuple[float, float, float] | None,
    typer.Option(
        metavar="Z Y X",
        help="Distances between voxel centres in mm, for cases whose files do not give them, such "
        "as TIFF slices.",
        show_default=False,
        rich_help_panel=READING,
    ),
]
Register = Annotated[
    bool,
    typer.Option(
        "--register",
        help="Align each sequence with FLAIR by a rigid motion. Default: trust the headers.",
        rich_help_panel=READING,
    ),
]
ResampleMasks = Annotated[
    bool,
    typer.Option(
        "--resample-masks",
        help="Resample masks that lie on a different grid from their image. Default: such cases "
        "fail.",
        rich_help_panel=READING,
    ),
]
MatchIds = Annotated[
    Literal["exact", "loose"],
    typer.Option(
        help="How to find the patients in the label tables. loose ignores upper and lower case, "
        "blanks, leading zeros, and - instead of _, and lists such matches.",
        rich_help_panel=LABELS,
    ),
]
PatientFrom = Annotated[
    Literal["hash", "dicom"],
    typer.Option(
        help="Identify the patients of DICOM files by a hash of the PatientID, or by the PatientID "
        "itself.",
        rich_help_panel=READING,
    ),
]
PatientTable = Annotated[
    bool,
    typer.Option(
        "--patient-table",
        help="Also write the PatientID of each DICOM case to private_patients.csv, which only you "
        "can read.",
        rich_help_panel=WRITING,
    ),
]
_MEANING = "What the values of masks mean"
MaskValues = Annotated[
    str | None,
    typer.Option(
        metavar="1,2,...",
        help="Values in the masks that count as tumour, separated by commas.",
        rich_help_panel=_MEANING,
    ),
]
Regions = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.toml",
        help="Regions in masks with several values: brats (coded 1, 2, 4 or 1, 2, 3), brats2013 "
        "(1 to 4), names (those that the files give), or a TOML file with a line such as "
        "core = [1, 4] for each region.",
        rich_help_panel=_MEANING,
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="In probability maps and other masks of fractions, the lowest value that counts as "
        "tumour.",
        rich_help_panel=_MEANING,
    ),
]
Networks = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a training run. Default: the bundled networks.", rich_help_panel=NETWORKS
    ),
]
SurfaceTolerance = Annotated[
    float,
    typer.Option(
        help="Tolerance of the surface Dice, in mm; in pixels if the pixel size is unknown."
    ),
]
SkipSeen = Annotated[
    bool,
    typer.Option(
        "--skip-seen",
        help="Skip patients on whom every network was trained. By default their cases fail.",
        rich_help_panel=NETWORKS,
    ),
]
Report = Annotated[
    bool, typer.Option("--report", help="Write report.html and figures.", rich_help_panel=REPORT)
]
Title = Annotated[
    str | None,
    typer.Option(
        help="Heading of the report. Default: the question that is asked.",
        show_default=False,
        rich_help_panel=REPORT,
    ),
]
Authors = Annotated[
    list[str] | None,
    typer.Option(
        help="An author of the report. Repeat the option for more.",
        show_default=False,
        rich_help_panel=REPORT,
    ),
]
Format = Annotated[
    Literal["pdf", "png", "svg"] | None,
    typer.Option(
        help="Also write the figures in this format: pdf has its fonts embedded, svg its text as "
        "paths. png and svg replace those that are written in any case.",
        show_default=False,
        rich_help_panel=FIGURES,
    ),
]
Dpi = Annotated[
    int,
    typer.Option(
        help="With --format: dots per inch of png, and of the images in pdf and svg.",
        min=72,
        max=2400,
        rich_help_panel=FIGURES,
    ),
]
Width = Annotated[
    float | None,
    typer.Option(
        metavar="MM",
        help="With --format: width in mm, such as 85 for one column or 180 for two. Text shrinks "
        "with the figure, but never below 6 points.",
        min=60,
        max=400,
        show_default=False,
        rich_help_panel=FIGURES,
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)]
Device = Annotated[
    Literal["auto", "cpu", "gpu"],
    typer.Option(help="Device to compute on.", rich_help_panel=RUNNING),
]
Jobs = Annotated[
    int | None,
    typer.Option(help="Number of processes. Default: all cores.", min=1, rich_help_panel=RUNNING),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Address of a Dask scheduler, whose workers do the work instead of this machine.",
        rich_help_panel=RUNNING,
    ),
]
Work = Annotated[
    Path | None,
    typer.Option(
        help="Folder for masks and unfinished work. Default: beside the results.",
        rich_help_panel=RUNNING,
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Continue an earlier run. The settings must be the same.",
        rich_help_panel=RUNNING,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace the results of an earlier run. Only files that it wrote are removed.",
        rich_help_panel=RUNNING,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", help="Print neither progress nor a summary.", rich_help_panel=RUNNING),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Print warnings and the tracebacks of errors.",
        callback=_set_debug,
        expose_value=False,
        rich_help_panel=RUNNING,
    ),
]


def reading(
    manifest: Path | None,
    pattern: str,
    sequences: str,
    patient_from: str,
    spacing: tuple[float, float, float] | None,
) -> dict[str, Any]:
    """Return the keywords by which `open_cases` is told how to find and read cases."""
    names = [name.strip() for name in sequences.split(",") if name.strip()]
    return {
        "manifest": manifest,
        "pattern": pattern,
        "sequences": names,
        "patient_from": patient_from,
        "spacing": spacing,
    }


def given_options(context: typer.Context | None) -> dict[str, str]:
    """Return the parameters that the user gave, each with its spelling on the command line."""
    if context is None:
        return {}
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name and source is not None and source.name == "COMMANDLINE":
            found[parameter.name] = parameter.opts[0]
    return found


def mask_meaning(
    mask_values: str | None, regions: str | None, threshold: float | None
) -> dict[str, Any]:
    """Return what the values of masks mean, as `lggshape.open_cases` and the record take it.

    Raises
    ------
    InputError
        If `--mask-values` is anything else than whole numbers with commas between them.
    """
    from lggshape.errors import InputError

    try:
        values = tuple(int(part) for part in mask_values.split(",")) if mask_values else ()
    except ValueError:
        msg = f"Expected --mask-values to be whole numbers between commas, found: {mask_values}."
        raise InputError(msg) from None
    return {"mask_values": values, "regions": regions, "threshold": threshold}


def region_file(regions: str | None) -> Path | None:
    """Return the user's file of regions, if that is what they chose."""
    return Path(regions) if regions is not None and regions.lower().endswith(".toml") else None


def labels_of(run: "Run", tables: Sequence[Path], **options: Any) -> "Labels":
    """Return the labels of some tables, and let the run say what was done to them on reading."""
    from lggshape.labels import read_labels

    labels = read_labels(tables, **options)
    run.summary += labels.notes
    return labels


def journal_of(
    context: typer.Context, kind: str | None, dpi: int, width: float | None
) -> "Journal | None":
    """Return how a journal wants the figures; None if they are for none.

    Raises
    ------
    InputError
        If `--dpi` or `--width` was given without `--format`.
    """
    refuse_unused(context, **dict.fromkeys(("dpi", "width"), (kind is None, "without --format")))
    if kind is None:
        return None
    from lggshape.figures import Journal

    return Journal(kind, dpi, width)


def without_report(report: bool, *others: str) -> dict[str, tuple[bool, str]]:
    """Return which options `refuse_unused` refuses because only a report has a use for them."""
    return dict.fromkeys(("title", "author", *others), (not report, "without --report"))


def refuse_unused(context: typer.Context | None, **unused: tuple[bool, str]) -> None:
    """Refuse options that the user gave and that would have no effect; --jobs with --scheduler.

    Parameters
    ----------
    context : typer.Context or None
        The context of the command; None if it was called from Python.
    **unused : tuple of bool and str
        For a parameter: whether it has no effect, and in which case, as "without --labels".

    Raises
    ------
    InputError
        If one of them was given.
    """
    from lggshape.errors import InputError

    given = given_options(context)
    unused["jobs"] = ("scheduler" in given, "with --scheduler")
    for name, (has_no_effect, why) in unused.items():
        if has_no_effect and name in given:
            option = given[name]
            other = why.removeprefix("without ")
            do = f"Leave {option} out" if other == why else f"Give {other}, or leave {option} out"
            raise InputError(f"Expected options that have an effect, found {option} {why}. {do}.")
