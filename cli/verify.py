"""`lggshape verify`: is a data set complete?"""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape verify cases/ --labels labels.csv",)


def verify(
    context: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="Cases: a folder or a file.", show_default=False)],
    labels: o.Labels = None,
    patient_column: o.PatientColumn = None,
    match_ids: o.MatchIds = "exact",
    manifest: o.Manifest = None,
    patient_from: o.PatientFrom = "hash",
    pattern: o.Pattern = "",
    sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    register: o.Register = False,
    mask_values: o.MaskValues = None,
    regions: o.Regions = None,
    threshold: o.Threshold = None,
    resample_masks: o.ResampleMasks = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    jobs: o.Jobs = None,
    scheduler: o.Scheduler = None,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Check that a data set is complete and that every patient has labels.

    Checks files (pairs of image and mask, numbering, shapes, types), masks (two values, one
    component, not empty) and labels (every patient has one). The exit status is 1 if a case cannot
    be used or no patient has labels; warnings do not change it.
    """
    import json

    from lggshape.commands import run_command
    from lggshape.readers import open_cases
    from lggshape.verification import verify as verify_cases

    o.refuse_unused(
        context,
        patient_column=(not labels, "without --labels"),
        match_ids=(not labels, "without --labels"),
        quiet=(as_json, "with --json"),
    )
    meaning = o.mask_meaning(mask_values, regions, threshold)
    meaning |= {"register": register, "resample_masks": resample_masks}
    reading = o.reading(manifest, pattern, sequences, patient_from, spacing)
    with run_command("verify", kind="nothing", quiet=quiet or as_json, scheduler=scheduler) as run:
        found = verify_cases(
            open_cases(dataset, **reading, **meaning),
            labels=labels or None,
            patient_column=patient_column,
            match_ids=match_ids,
            jobs=jobs,
            on_progress=run.on_progress,
        )
        run.fail(found.failures)
        if found.match is not None and not found.match.joined:
            run.fail({"labels": found.match.none_joined()})
        if as_json:
            typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
        run.summary.append(found.summary())
