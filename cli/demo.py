"""`lggshape demo`: the whole way on a synthetic cohort."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape demo --out demo/",)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the cohort and the results.")] = Path(
        "lggshape-demo"
    ),
    patients: Annotated[int, typer.Option(help="Number of synthetic patients.", min=8)] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic cohort.", min=0)] = 0,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Run all steps, from images to a report, on a synthetic cohort with a planted association.

    Runs verify, segment (with the bundled networks), evaluate, features and associate --report, and
    prints the commands.
    """
    from lggshape.commands import run_command
    from lggshape.phantoms import write_cohort
    from lggshape.results import fresh_folder, moved_whole, record_results
    from lggshape_cli.associate import associate
    from lggshape_cli.evaluate import evaluate
    from lggshape_cli.features import features
    from lggshape_cli.segment import segment
    from lggshape_cli.verify import verify

    cohort, masks, scores = out / "cohort", out / "masks", out / "evaluation"
    table, report = out / "features.csv", out / "report"
    labels, hypotheses = (
        [cohort / "labels.csv", cohort / "clinical.csv"],
        cohort / "hypotheses.toml",
    )
    tables = " ".join(f"--labels {path}" for path in labels)

    def say(text: str) -> None:
        if not quiet:
            typer.echo(text)

    if overwrite:
        _refuse_other_files(out, (cohort, masks, scores, report))
    fresh_folder(out, overwrite=overwrite)
    options = {"patients": patients, "seed": seed}
    with run_command("demo", out=out, kind="in place", options=options, quiet=quiet):
        say(f"A synthetic cohort of {patients} patients: {cohort}")
        with moved_whole(out, "cohort") as place:
            write_cohort(place, patients=patients, seed=seed, association=True)
        say(f"\n$ lggshape verify {cohort} {tables}")
        verify(None, cohort, labels=labels, quiet=quiet)
        say(f"\n$ lggshape segment {cohort} --out {masks} --no-flips")
        segment([cohort], masks, flips=False, overwrite=overwrite, quiet=quiet)
        record_results(out, masks)
        say(f"\n$ lggshape evaluate {masks} {cohort} --out {scores}")
        evaluate(None, masks, cohort, scores, overwrite=overwrite, quiet=quiet)
        record_results(out, scores)
        say(f"\n$ lggshape features {masks} --out {table}")
        features(None, [masks], table, overwrite=overwrite, quiet=quiet)
        record_results(out, table)
        chosen = f"--hypotheses {hypotheses}"
        say(f"\n$ lggshape associate {table} {tables} {chosen} --out {report} --report")
        associate(
            table, labels, report, report=True, hypotheses=str(hypotheses), overwrite=overwrite,
            quiet=quiet,
        )  # fmt: skip
        record_results(out, report)


def _refuse_other_files(out: Path, folders: tuple[Path, ...]) -> None:
    """Refuse to replace a demo if something else lies in its folders."""
    from lggshape.errors import InputError
    from lggshape.results import RECORD, is_results_folder, recorded_outputs

    known = {out / name for name in recorded_outputs(out)} if is_results_folder(out) else set()
    for folder in filter(is_results_folder, folders):  # of a demo that was killed meanwhile
        known |= {folder / RECORD, *(folder / name for name in recorded_outputs(folder))}
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    others = [str(path) for path in found if path not in known and path.name[0] != "."]
    if others:
        msg = (
            f"Expected nothing but the earlier demo in its folders, found {', '.join(others)}. "
            "Move it away, or choose another folder with --out."
        )
        raise InputError(msg)
