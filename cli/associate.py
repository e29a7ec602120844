"""`lggshape associate`: test features against labels."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape_cli._console import progress


def associate(
    features: Annotated[Path, typer.Argument(help="Feature table (CSV), as from `features`.")],
    labels: Annotated[
        list[Path],
        typer.Option(help="Label table (CSV, one row a patient); give it once for each table."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    report: Annotated[
        bool, typer.Option("--report", help="Write report.html and figures.")
    ] = False,
    hypotheses: Annotated[
        str | None,
        typer.Option(
            help="buda2019, all, or a TOML file. Default: buda2019 if the tables have all its "
            "labels, else all."
        ),
    ] = None,
    bins: Annotated[int, typer.Option(help="Number of quantile bins of a feature.", min=2)] = 4,
    test: Annotated[
        Literal["fisher", "kruskal-wallis"], typer.Option(help="The test that decides.")
    ] = "fisher",
    codebook: Annotated[
        Path | None, typer.Option(help="Codebook (TOML) in place of the one that ships.")
    ] = None,
    patient_column: Annotated[
        str | None, typer.Option(help="Patient column of the label tables. Default: Patient.")
    ] = None,
    take: Annotated[
        Literal["first", "last"] | None,
        typer.Option(help="Of several cases of a patient, the first or the last by name counts."),
    ] = None,
    seed: Annotated[int, typer.Option(help="For Monte Carlo p-values.", min=0)] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Test shape features against labels, and report.

    Writes associations.csv, discrimination.csv and the other tables, results.json and run.json.
    """
    from lggshape import association
    from lggshape.errors import InputError
    from lggshape.files import write_json, write_table
    from lggshape.labels import read_codebook, read_labels
    from lggshape.provenance import describe_input, recorded
    from lggshape.results import results_folder

    if any(path.resolve() == features.resolve() for path in labels):
        msg = f"Expected tables of labels beside the features, found the features: {features}."
        raise InputError(msg)
    table = association.read_features(features, take=take)
    known = read_labels(
        labels,
        codebook=read_codebook(codebook),
        patient_column=patient_column,
    )
    family = association.choose_family(hypotheses, table, known)
    options = {
        "hypotheses": family.name, "bins": bins, "test": test, "take": take, "seed": seed,
        "codebook": codebook.name if codebook else "the one that ships", "report": report,
    }  # fmt: skip
    inputs = [features, *labels, *([codebook] if codebook else [])]
    if hypotheses is not None and hypotheses.endswith(".toml"):
        inputs.append(Path(hypotheses))
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="associate", options=options, inputs=inputs),
    ):
        total = table["masks"].nunique() * len(family.hypotheses)
        with progress("testing", total, quiet=quiet) as advance:
            study = association.associate(
                table,
                known,
                family,
                bins=bins,
                test=test,
                seed=seed,
                on_progress=lambda at: advance() if at.done else None,
            )
        for name, result in study.tables().items():
            write_table(place / f"{name}.csv", result)
        write_json(place / "results.json", study.to_dict())
        if report:
            from lggshape.report import write_report

            described = [describe_input(path) for path in inputs]
            write_report(study, place, inputs=described, options=options)
    if study.associations["p"].isna().all():
        typer.echo("lggshape: no hypothesis could be tested; left_out.csv says why.", err=True)
    if not quiet:
        for entry in family.left_out:
            if entry.what == "hypotheses":
                typer.echo(f"Not {entry.name}: {entry.reason}. Testing {family.name} instead.")
        typer.echo(study.summary())
        typer.echo(f"Results: {out / ('report.html' if report else 'associations.csv')}")
