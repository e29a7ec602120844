"""`lggshape associate`: test features against labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lggshape.association import TEST_CLASSES
from lggshape_cli import _options as o

if TYPE_CHECKING:
    from lggshape.association import Family, Study
    from lggshape.commands import Run
    from lggshape.figures import Journal
    from lggshape.labels import Labels

EXAMPLES = (
    "lggshape associate features.csv --labels labels.csv --out results/ --report",
    "lggshape associate features.csv --labels a.csv --labels book.xlsx:Clinical "
    "--hypotheses mine.toml --out results/",
    "lggshape associate features.csv --labels labels.csv --out results/ --report --format pdf "
    "--width 85",
)

_TESTS = "What is tested, and how"
_NOT_COMPILED = (
    'Fisher\'s exact test was not compiled; pip install "lggshape[fast]" makes it faster.'
)
_NONE_TESTED = "lggshape: no hypothesis could be tested; left_out.csv has the reasons."

Features = Annotated[
    Path,
    typer.Argument(
        help="Feature table, as from `features`, pyradiomics or MIRP.", show_default=False
    ),
]
Hypotheses = Annotated[
    str | None,
    typer.Option(
        help="literature (the few features that the literature names, with every label), all "
        "(every shape feature with every label), the name of a bundled study, or a TOML file. "
        "Default: the bundled study if the tables have all its features and labels, otherwise "
        "literature.",
        rich_help_panel=_TESTS,
    ),
]
Test = Annotated[
    Literal[*TEST_CLASSES] | None,
    typer.Option(
        help="The primary test of the labels to which it applies. The others keep the default of "
        "their kind. Other tests that apply are reported as sensitivity analyses.",
        rich_help_panel=_TESTS,
    ),
]
Exclude = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Table of the patients to leave out, with the column patient or case, and reason, as "
        "the report saves it (exclusions.csv).",
        show_default=False,
    ),
]
Cases = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FOLDER",
        help="With --report: cases with masks, whose outlines the report shows. Repeat the option "
        "for other masks of the same cases, such as automatic ones.",
        show_default=False,
        rich_help_panel=o.REPORT,
    ),
]
Images = Annotated[
    bool,
    typer.Option(
        "--images",
        help="With --cases: show the images, too. They are personal data of patients.",
        rich_help_panel=o.REPORT,
    ),
]
Bins = Annotated[
    int, typer.Option(help="Number of quantile bins of a feature.", min=2, rich_help_panel=_TESTS)
]
Codebook = Annotated[
    Path | None,
    typer.Option(help="Codebook (TOML), in place of the bundled ones.", rich_help_panel=o.LABELS),
]
Region = Annotated[
    str | None,
    typer.Option(
        help="Region to analyse, if the feature table has several.", rich_help_panel=_TESTS
    ),
]
Take = Annotated[
    Literal["first", "last"] | None,
    typer.Option(
        help="Which case is analysed if a patient has several: the first or last by name.",
        rich_help_panel=_TESTS,
    ),
]

Adjust = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        help="Labels or columns of the feature table, such as age,volume,site: each hypothesis is "
        "also tested adjusted for these.",
        show_default=False,
        rich_help_panel=_TESTS,
    ),
]
Within = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A label or column, such as site: patients are also compared only within its values.",
        show_default=False,
        rich_help_panel=_TESTS,
    ),
]
Seed = Annotated[
    int,
    typer.Option(help="Seed of Monte Carlo p-values.", min=0, rich_help_panel=_TESTS),
]


def associate(
    context: typer.Context,
    features: Features,
    labels: o.RequiredLabels,
    out: o.OutFolder,
    report: o.Report = False,
    title: o.Title = None,
    author: o.Authors = None,
    cases: Cases = None,
    images: Images = False,
    format: o.Format = None,
    dpi: o.Dpi = 300,
    width: o.Width = None,
    hypotheses: Hypotheses = None,
    bins: Bins = 4,
    test: Test = None,
    adjust: Adjust = None,
    within: Within = None,
    codebook: Codebook = None,
    patient_column: o.PatientColumn = None,
    match_ids: o.MatchIds = "exact",
    region: Region = None,
    take: Take = None,
    exclude: Exclude = None,
    seed: Seed = 0,
    jobs: o.Jobs = None,
    scheduler: o.Scheduler = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Test shape features against labels; --report adds an HTML report.

    Writes associations.csv, discrimination.csv and further tables, results.json and run.json.
    """
    from lggshape import association
    from lggshape.commands import run_command
    from lggshape.labels import match_patients

    without = o.without_report(report, "cases", "format")
    o.refuse_unused(context, images=(not cases, "without --cases"), **without)
    journal = o.journal_of(context, format, dpi, width)
    with run_command(
        "associate", out=out, overwrite=overwrite, quiet=quiet, scheduler=scheduler,
        inputs=[features, *labels, codebook, _own_hypotheses(hypotheses), exclude, *(cases or [])],
    ) as run:  # fmt: skip
        whose = {"patient_column": patient_column}
        table = association.read_features(features, region=region, take=take, **whose)
        known = o.labels_of(run, labels, codebook=codebook, **whose)
        match = match_patients(table["patient"], known, match_ids=match_ids)
        family = association.choose_family(hypotheses, table, match.labels)
        run.options |= {
            "hypotheses": family.name, "bins": bins, "test": test or "by kind", "take": take,
            "seed": seed, "codebook": codebook.name if codebook else "bundled", "report": report,
            **_given(**whose, adjust=adjust, within=within, match_ids=_unless_exact(match_ids)),
        }  # fmt: skip
        study = association.associate(
            table, known, family, bins=bins, test=test, adjust=_names(adjust), within=within,
            match_ids=match_ids, exclusions=exclude, seed=seed, jobs=jobs,
            on_progress=run.on_progress,
        )  # fmt: skip
        drawn = {"images": images, "jobs": jobs, "journal": journal}
        _write(study, run, report, cases or [], title, author or [], **drawn)
        _tell(study, run, known, out / ("report.html" if report else "associations.csv"))


def _write(
    study: "Study",
    run: "Run",
    report: bool,
    cases: list[Path],
    title: str | None,
    authors: list[str],
    *,
    images: bool,
    jobs: int | None,
    journal: "Journal | None",
) -> None:
    """Write the tables, or the report with the outlines of the cases."""
    run.options |= {"region": study.region} if study.region else {}
    run.options |= journal._asdict() if journal else {}
    if not report:
        run.write_tables(study.tables())
        run.write_json("results.json", study.to_dict())
        return
    from lggshape.report.document import write_report_files
    from lggshape.shape.portrait import read_portraits

    drawn, checks = read_portraits(cases, images=images, jobs=jobs, on_progress=run.on_progress)
    write_report_files(
        study, run.place, inputs=run.inputs, options=run.options,
        portraits=drawn, checks=checks, title=title, authors=authors, journal=journal,
        on_progress=run.on_progress,
    )  # fmt: skip


def _tell(study: "Study", run: "Run", known: "Labels", page: Path) -> None:
    """Add to the summary how patients were matched, what was found and where it is."""
    from lggshape.extras import is_installed

    run.summary += [*_passed_over(study.family), *_untested(study.family)]
    run.summary += study.match.labels.notes[len(known.notes) :]
    if not is_installed("numba"):
        run.summary.append(_NOT_COMPILED)
    run.summary += [*study.match.summary(), study.summary(), f"Results: {page}"]
    if study.associations["p"].isna().all():
        run.notes.append(_NONE_TESTED)


def _passed_over(family: "Family") -> list[str]:
    """Return what is tested where no hypotheses were given and those of no study fit."""
    from lggshape.names import first_few

    studies = [one for one in family.left_out if one.what == "hypotheses"]
    if not studies:
        return []
    labels = list(dict.fromkeys(one.label for one in family.hypotheses))
    return [
        f"Testing the few features that the literature names against every label "
        f"({first_few(labels)}). p is corrected for all of them: --hypotheses with a file of those "
        "that were planned tests fewer, --hypotheses all tests every shape feature.",
        *(f"Not the hypotheses of {one.name}: {one.reason}." for one in studies),
    ]


def _untested(family: "Family") -> list[str]:
    """Return a line with the labels that are left out, if it was not said which to test."""
    from lggshape.names import counted, first_few

    left = [f"{one.name} ({one.reason})" for one in family.left_out if one.what == "label"]
    shown = first_few(left, 3, separator="; ")
    return [f"{counted(len(left), 'label')} not tested: {shown}."] if left else []


def _given(**options: str | None) -> dict[str, str]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _unless_exact(match_ids: str) -> str | None:
    """Return how keys are matched, if it is not the default."""
    return None if match_ids == "exact" else match_ids


def _names(several: str | None) -> list[str]:
    """Return names that are separated by commas."""
    return [name.strip() for name in (several or "").split(",") if name.strip()]


def _own_hypotheses(choice: str | None) -> Path | None:
    """Return the user's file of hypotheses, if that is what they chose."""
    return Path(choice) if choice is not None and choice.endswith(".toml") else None
