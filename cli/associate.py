"""`lggshape associate`: test features against labels."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape_cli import _options as o

EXAMPLES = (
    "lggshape associate features.csv --labels labels.csv --out results/ --report",
    "lggshape associate features.csv --labels a.csv --labels b.csv --hypotheses mine.toml "
    "--out results/",
)


Features = Annotated[
    Path, typer.Argument(help="Feature table (CSV), as from `features`.", show_default=False)
]
Hypotheses = Annotated[
    str | None,
    typer.Option(
        help="The name of a study that ships, all, or a TOML file. Default: the study whose "
        "features and labels are all in the tables, else all."
    ),
]
Test = Annotated[
    Literal["fisher", "kruskal-wallis"],
    typer.Option(help="The test that decides. Others are reported as sensitivity analyses."),
]
Take = Annotated[
    Literal["first", "last"] | None,
    typer.Option(help="If a patient has several cases, use the first or the last by name."),
]


def associate(
    features: Features,
    labels: o.RequiredLabels,
    out: o.OutFolder,
    report: Annotated[
        bool, typer.Option("--report", help="Write report.html and figures.")
    ] = False,
    hypotheses: Hypotheses = None,
    bins: Annotated[int, typer.Option(help="Number of quantile bins of a feature.", min=2)] = 4,
    test: Test = "fisher",
    codebook: Annotated[
        Path | None, typer.Option(help="Codebook (TOML), in place of those that ship.")
    ] = None,
    patient_column: o.PatientColumn = None,
    take: Take = None,
    seed: Annotated[int, typer.Option(help="Seed of Monte Carlo p-values.", min=0)] = 0,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Test shape features against labels, and report.

    Writes associations.csv, discrimination.csv and further tables, results.json and run.json.
    """
    from lggshape import association
    from lggshape.commands import run_command
    from lggshape.labels import read_codebook, read_labels
    from lggshape.report import write_report

    with run_command(
        "associate", out=out, overwrite=overwrite, quiet=quiet,
        inputs=[features, *labels, codebook, _own_hypotheses(hypotheses)],
    ) as run:  # fmt: skip
        table = association.read_features(features, take=take)
        known = read_labels(labels, codebook=read_codebook(codebook), patient_column=patient_column)
        family = association.choose_family(hypotheses, table, known)
        run.options |= {
            "hypotheses": family.name, "bins": bins, "test": test, "take": take, "seed": seed,
            "codebook": codebook.name if codebook else "the one that ships", "report": report,
        }  # fmt: skip
        study = association.associate(
            table, known, family, bins=bins, test=test, seed=seed, on_progress=run.on_progress
        )
        run.write_tables(study.tables())
        run.write_json("results.json", study.to_dict())
        if report:
            write_report(
                study, run.place, inputs=run.inputs, options=run.options,
                on_progress=run.on_progress,
            )  # fmt: skip
        if study.associations["p"].isna().all():
            run.notes.append(
                "lggshape: no hypothesis could be tested; left_out.csv has the reasons."
            )
        run.summary += [
            f"Not {entry.name}: {entry.reason}. Testing {family.name} instead."
            for entry in family.left_out
            if entry.what == "hypotheses"
        ]
        page = out / ("report.html" if report else "associations.csv")
        run.summary += [study.summary(), f"Results: {page}"]


def _own_hypotheses(choice: str | None) -> Path | None:
    """Return the user's file of hypotheses, if that is what they chose."""
    return Path(choice) if choice is not None and choice.endswith(".toml") else None
