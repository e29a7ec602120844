"""`lggshape replicate`: the study of Buda et al. 2019, from images to the report."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli._console import progress


def replicate(
    dataset: Annotated[
        Path, typer.Argument(help="Cases with images and manual masks.", show_default=False)
    ],
    labels: Annotated[
        list[Path],
        typer.Option(help="Label table (CSV, one row a patient); give it once for each table."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    networks: Annotated[
        Path | None,
        typer.Option(help="Folder of a training run. Default: the networks that ship."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Automatic masks made before, as from `segment`, in place of networks."),
    ] = None,
    protocol: Annotated[
        Path | None, typer.Option(help="What was written down before; run.json keeps its hash.")
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            help="Do this step besides the primary analysis, not all of them; may be repeated. "
            "primary: the primary analysis alone."
        ),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(help="Folder for masks and unfinished work. Default: beside the results."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all random numbers.", min=0)] = 0,
    jobs: Annotated[
        int | None, typer.Option(help="Number of processes. Default: all cores.", min=1)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an earlier run has done.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Run the whole study of Buda et al. 2019 again: automatic and manual masks side by side.

    Verify, segment (each patient by networks that have not seen him), evaluate, measure, test the
    ten hypotheses; agreement, sensitivity, confounding, robustness, prediction, noise, uncertainty,
    and why a public attempt failed. Writes tables, figures, replication.json, report.html and
    run.json. A case that cannot be segmented or measured has a row with the reason; then the exit
    status is 1.
    """
    import shutil

    from lggshape import association
    from lggshape.errors import InputError
    from lggshape.files import to_records, write_json
    from lggshape.labels import read_labels
    from lggshape.provenance import code_hash, describe_input, package_versions, recorded
    from lggshape.results import results_folder
    from lggshape.segmentation import SHIPPED
    from lggshape.studies.buda2019 import steps as all_steps
    from lggshape.studies.buda2019.replicate import run_steps
    from lggshape.studies.buda2019.report import write_report
    from lggshape.studies.buda2019.roles import read_roles

    if masks is not None and networks is not None:
        msg = "Expected --networks or --masks, found both."
        raise InputError(msg)
    used = None if masks is not None else (networks or SHIPPED)
    known = read_labels(labels)
    roles = read_roles()
    roles.check(known)
    work = work or out.absolute().with_name(f"{out.absolute().name}.work")
    for path in (out, dataset, *labels, *filter(None, (used, masks))):
        one, other = work.resolve(), path.resolve()
        if one.is_relative_to(other) or other.is_relative_to(one):
            msg = f"Expected the work to lie beside {path}, found it there: {work}."
            raise InputError(msg)
    study = all_steps.Study(
        dataset=dataset,
        labels=known,
        label_paths=tuple(labels),
        family=association.read_study_family("buda2019"),
        roles=roles,
        networks=used,
        masks=masks,
        work=work,
        seed=seed,
        jobs=jobs,
        progress=lambda description, total: progress(description, total, quiet=quiet),
    )
    names = [name for name in step or () if name != "primary"]
    chosen = (
        all_steps.chosen_steps(names, networks=used is not None)
        if names or not step
        else all_steps.chosen_steps(all_steps.PRIMARY_STEPS, networks=used is not None)
    )
    inputs = [dataset, *labels, *filter(None, (used, masks, protocol))]
    settings = {
        "inputs": {
            name: describe_input(path).sha256
            for name, path in (("dataset", dataset), ("networks", used), ("masks", masks))
            if path is not None
        },
        "labels": [describe_input(path).sha256 for path in labels],
        "seed": seed,
        "versions": package_versions(),
        "code": code_hash(),
    }
    options = {"seed": seed, "steps": [one.name for one in chosen]}
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="replicate", options=options, inputs=inputs) as record,
    ):
        done = run_steps(study, chosen, settings=settings, resume=resume, overwrite=overwrite)
        tables = {name: study.read(name) for step in done.values() for name in step.tables}
        for name in tables:
            shutil.copyfile(study.table_path(name), place / f"{name}.csv")
        write_report(tables, study.family, known, place)
        records = {name: to_records(table) for name, table in tables.items()}
        write_json(place / "replication.json", records)
        failures = all_steps.failures(tables["features"])
        record.details["failed"] = len(failures)
        record.details["code"] = settings["code"]
        record.details["seconds_by_step"] = {name: step.seconds for name, step in done.items()}
    if not quiet:
        claims = tables["claims"]
        for row in claims[claims["masks"] == all_steps.AUTOMATIC].itertuples():
            reached = "reached" if row.reached else "not reached"
            typer.echo(
                f"{row.feature} x {row.label}, {row.claim}: {row.found:.3g} (n = {row.n}), "
                f"{reached}"
            )
        typer.echo(f"Results: {out / 'report.html'}")
    for case, reason in failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if failures:
        raise typer.Exit(1)
