"""`lggshape demo`: the whole way on a synthetic cohort."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the cohort and the results.")] = Path(
        "lggshape-demo"
    ),
    patients: Annotated[int, typer.Option(help="Number of synthetic patients.", min=8)] = 40,
    seed: Annotated[int, typer.Option(help="Of the synthetic cohort.", min=0)] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Go the whole way on a synthetic cohort with a planted association: images to report.

    Runs verify, segment by the networks that ship, evaluate, features and associate --report, and
    prints the commands.
    """
    from lggshape.files import write_json
    from lggshape.phantoms import write_cohort
    from lggshape.results import MARKS, fresh_folder, outputs_in
    from lggshape_cli.associate import associate
    from lggshape_cli.evaluate import evaluate
    from lggshape_cli.features import features
    from lggshape_cli.segment import segment
    from lggshape_cli.verify import verify

    fresh_folder(out, overwrite=overwrite)
    cohort, masks, scores = out / "cohort", out / "masks", out / "evaluation"
    table, report = out / "features.csv", out / "report"
    labels = [cohort / "labels.csv", cohort / "clinical.csv"]
    hypotheses = cohort / "hypotheses.toml"

    def say(text: str) -> None:
        if not quiet:
            typer.echo(text)

    try:
        say(f"A synthetic cohort of {patients} patients: {cohort}")
        write_cohort(cohort, patients=patients, seed=seed, association=True)
        tables = " ".join(f"--labels {path}" for path in labels)
        say(f"\n$ lggshape verify {cohort} {tables}")
        verify(cohort, labels=labels, quiet=quiet)
        say(f"\n$ lggshape segment {cohort} --out {masks} --no-flips")
        segment([cohort], out=masks, flips=False, quiet=quiet)
        say(f"\n$ lggshape evaluate {masks} {cohort} --out {scores}")
        evaluate(masks, cohort, out=scores, quiet=quiet)
        say(f"\n$ lggshape features {masks} --out {table}")
        features([masks], out=table, quiet=quiet)
        say(
            f"\n$ lggshape associate {table} {tables} --hypotheses {hypotheses} "
            f"--out {report} --report"
        )
        associate(
            table,
            labels=labels,
            hypotheses=str(hypotheses),
            out=report,
            report=True,
            quiet=quiet,
        )
    finally:
        # Also after a failure: so that the next demo can replace what there is.
        outputs = [entry._asdict() for entry in outputs_in(out)]
        write_json(out / "run.json", {**MARKS, "command": "demo", "outputs": outputs})
