"""The whole way on a synthetic cohort, from images to a report."""

from collections.abc import Callable
from pathlib import Path

from lggshape import segmentation
from lggshape.association import associate, choose_family
from lggshape.evaluation import evaluate
from lggshape.extras import require
from lggshape.figures import write_figures
from lggshape.files import StrPath, write_json, write_table
from lggshape.labels import read_labels
from lggshape.phantoms import write_cohort
from lggshape.progress import OnProgress
from lggshape.readers import open_cases
from lggshape.report import write_report
from lggshape.results import end_recording
from lggshape.shape import feature_table
from lggshape.verification import verify


def write_demo(
    folder: StrPath,
    *,
    patients: int = 40,
    seed: int = 0,
    layout: str = "slices",
    shown_as: StrPath | None = None,
    say: Callable[[str], object] = print,
    on_progress: OnProgress | None = None,
) -> None:
    """Write a synthetic cohort with a planted association, and everything up to the report.

    The steps are those of the commands verify, segment (with two of the bundled networks),
    evaluate, features and associate.

    Parameters
    ----------
    folder : str or Path
        Where to write: a new or empty folder. It gets `cohort/`, `masks/`, `evaluation/`,
        `features.csv` and `report/`. Packed masks have no images: they are measured as they are.
    patients : int
        Number of synthetic patients.
    seed : int
        Seed of the synthetic cohort.
    layout : str
        How its cases are laid out, as `lggshape.phantoms.write_cohort` takes it.
    shown_as : str or Path, optional
        The folder that `say` is told, if the results are to be moved there.
    say : callable
        Told before each step the command that does the same, and after it what came of it.
    on_progress : callable, optional
        Called with a `Progress` after each unit of work.

    Raises
    ------
    InputError
        If the folder cannot be written, or is not empty.
    """
    if layout != "packed":
        require("keras", "to segment the cohort")
    place, shown = Path(folder), Path(folder if shown_as is None else shown_as)
    cohort, masks = place / "cohort", place / "masks"
    tables = [cohort / "labels.csv", cohort / "clinical.csv"]
    options = " ".join(f"--labels {shown / 'cohort' / table.name}" for table in tables)

    say(f"A synthetic cohort of {patients} patients: {shown / 'cohort'}")
    write_cohort(cohort, patients=patients, seed=seed, layout=layout)

    say(f"\n$ lggshape verify {shown / 'cohort'} {options}")
    say(verify(cohort, labels=tables, on_progress=on_progress).summary())

    measured_from = cohort
    if layout != "packed":
        measured_from = masks
        _segment_and_evaluate(place, shown, patients, say=say, on_progress=on_progress)

    measured_name = shown / measured_from.name
    say(f"\n$ lggshape features {measured_name} --out {shown / 'features.csv'}")
    measured = feature_table(measured_from, on_progress=on_progress)
    write_table(place / "features.csv", measured.table)
    say(f"Measured {patients - len(measured.failures)} of {patients} cases")

    say(
        f"\n$ lggshape associate {shown / 'features.csv'} {options} "
        f"--hypotheses {shown / 'cohort' / 'hypotheses.toml'} --out {shown / 'report'} --report "
        f"--cases {shown / 'cohort'}"
        + (f" --cases {measured_name}" if measured_from != cohort else "")
    )
    labels = read_labels(tables)
    family = choose_family(cohort / "hypotheses.toml", measured, labels)
    study = associate(measured, labels, family, on_progress=on_progress)
    shown_masks = dict.fromkeys((cohort, measured_from))
    write_report(study, place / "report", cases=list(shown_masks), on_progress=on_progress)
    say(f"{study.summary()}\n\nOpen the report in a browser: {shown / 'report' / 'report.html'}")


def _segment_and_evaluate(
    place: Path,
    shown: Path,
    patients: int,
    *,
    say: Callable[[str], object],
    on_progress: OnProgress | None,
) -> None:
    cohort, masks, scores = place / "cohort", place / "masks", place / "evaluation"
    say(f"\n$ lggshape segment {shown / 'cohort'} --out {shown / 'masks'} --fast")
    segmented = segmentation.segment_cases(
        open_cases(cohort), masks, networks=segmentation.SHIPPED, effort="fast",
        on_progress=on_progress,
    )  # fmt: skip
    end_recording(masks)  # the masks are no run of their own, to be continued
    say(f"Segmented {patients - len(segmented.failures)} of {patients} cases")

    say(f"\n$ lggshape evaluate {shown / 'masks'} {shown / 'cohort'} --out {shown / 'evaluation'}")
    found = evaluate(masks, cohort, on_progress=on_progress)
    for name, table in found.tables().items():
        write_table(scores / f"{name}.csv", table)
    write_json(scores / "evaluation.json", found.to_dict())
    write_figures(found.plots(), scores / "figures")
    say(found.summary())
