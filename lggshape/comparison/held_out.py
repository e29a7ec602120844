"""What the networks of a run find in the patients that they have not seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.case import FLAIR
from lggshape.errors import CaseError, InputError
from lggshape.evaluation import evaluate
from lggshape.evaluation.compare_cases import SLICE_COLUMNS
from lggshape.files import read_json, write_json
from lggshape.head import find_head
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.results import recorded_in_place
from lggshape.segmentation import Detection, Ensemble, detect_cases, segment_cases
from lggshape.shape.portrait import Portrait

SECONDS = "seconds.json"
"""The file beside the masks that keeps how long a case took."""

MOST_SHOWN = 8
"""For how many cases the evidence of a detector is kept, in one slice each."""


class Evidence(NamedTuple):
    """Where a detector found tumour in a slice.

    Attributes
    ----------
    case : str
        The case.
    slice : int
        Number of the slice, from 1: that of its largest tumour.
    evidence : ndarray of float32, shape (Y, X)
        Above 0 it is evidence for tumour, below 0 against it.
    mask, head : ndarray of bool, shape (Y, X)
        The reference, and where the head is.
    """

    case: str
    slice: int
    evidence: NDArray[np.float32]
    mask: NDArray[np.bool_]
    head: NDArray[np.bool_]


class HeldOut(NamedTuple):
    """What came of the patients that were held out.

    Attributes
    ----------
    scores : DataFrame
        A row per case with a mask, as `evaluate` makes it; none for detectors.
    slices : DataFrame
        A row per slice: `patient`, `case`, `slice`, `reference_area`, `predicted_area`, `score`.
    evidence : sequence of Evidence
        Examples of the evidence that a detector found.
    seconds : float or None
        The median of a case's, reading and writing included; None if it is not known.
    failures : dict of str to str
        The cases that could not be examined or compared, with the reason.
    portraits : mapping of str to Portrait
        The outlines of the masks and their references, by case; none for detectors.
    """

    scores: pd.DataFrame
    slices: pd.DataFrame
    evidence: Sequence[Evidence]
    seconds: float | None
    failures: dict[str, str]
    portraits: Mapping[str, Portrait] = MappingProxyType({})


def held_out_sources(sources: Sequence[CaseSource], ensemble: Ensemble) -> list[CaseSource]:
    """Return the cases that may be of patients whom one of the networks has not seen.

    Those of patients known by name that all of them were trained on are left out, unread.
    """
    finished = {member.fold for member in ensemble.members}
    return [
        source
        for source in sources
        if source.patient not in ensemble.folds or ensemble.folds[source.patient] in finished
    ]


def segment_held_out(
    run: Path,
    sources: Sequence[CaseSource],
    work: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    surface_tolerance: float = 1.0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> HeldOut:
    """Segment the patients that were held out, and compare the masks with the references.

    Parameters
    ----------
    run : Path
        Folder of the run.
    sources : sequence of CaseSource
        Cases with references, as from `held_out_sources`; those that all networks have seen are
        left out. Of several regions, the one that holds all others is the reference.
    work : Path
        Folder for the masks.
    device, resume, overwrite
        As for `segment_cases`.
    surface_tolerance, jobs
        As for `evaluate`.
    on_progress : callable, optional
        Told after each case how far the work is.

    Returns
    -------
    HeldOut
        Without evidence.

    Raises
    ------
    InputError
        As `segment_cases` and `evaluate` do; if no case can be segmented and compared.
    """
    clock = _Clock()
    made = segment_cases(
        sources,
        work,
        networks=run,
        device=device,
        skip_seen=True,
        resume=resume,
        overwrite=overwrite,
        on_progress=on_progress,
        on_result=clock.tick,
    )
    if made.slices.empty:
        raise _none_left(run, made.failures)
    record = work / SECONDS  # an earlier call may have segmented them
    if clock.ticks > 1 or not record.exists():
        with recorded_in_place(work, record):
            write_json(record, {"seconds": clock.median()})
    seconds = read_json(record, ["seconds"])["seconds"]
    found = evaluate(
        work, sources, surface_tolerance=surface_tolerance, outlines=True, jobs=jobs,
        on_progress=on_progress,
    )  # fmt: skip
    if found.slices.empty:
        raise _none_left(run, made.failures | found.failures)
    if found.regions:  # that of the whole tumour alone, as masks of networks have no other
        found = found.of_region(*found.regions)
    failures = made.failures | found.failures
    return HeldOut(found.scores, found.slices, (), seconds, failures, found.portraits)


def detect_held_out(
    run: Path,
    sources: Sequence[CaseSource],
    *,
    device: str = "auto",
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> HeldOut:
    """Detect the slices with tumour of the patients that were held out.

    Parameters
    ----------
    run, sources, device, jobs, on_progress
        As for `segment_held_out`.

    Returns
    -------
    HeldOut
        Without scores of masks. The predicted area of a slice is 1 where its score is at least 0.5.

    Raises
    ------
    InputError
        As `detect_cases` does; if no case can be examined and compared.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    failures = {}
    advance = counter(on_progress, "reading", len(sources))
    for outcome in map_cases(_read_mask, sources, jobs=jobs):
        if outcome.error is None:
            masks[outcome.item.id] = outcome.value
        else:
            failures[outcome.item.id] = str(outcome.error)
        advance()
    if not masks:
        raise _none_left(run, failures)
    by_name = {source.id: source for source in sources}
    evidence: list[Evidence] = []
    clock = _Clock()

    def keep(case: str, detection: Detection) -> None:
        clock.tick()
        if len(evidence) < MOST_SHOWN and masks[case].any():
            place = int(masks[case].sum(axis=(1, 2)).argmax())
            shown = detection.evidence[place], masks[case][place], _head(by_name[case], place)
            evidence.append(Evidence(case, place + 1, *shown))

    found = detect_cases(
        [source for source in sources if source.id in masks],
        run,
        device=device,
        skip_seen=True,
        on_progress=on_progress,
        on_result=keep,
    )
    if found.slices.empty:
        raise _none_left(run, failures | found.failures)
    areas = pd.concat([_areas(case, mask) for case, mask in masks.items()])
    slices = found.slices.astype({"score": float}).merge(areas, on=["case", "slice"])
    slices["predicted_area"] = (slices["score"] >= 0.5).astype(int)
    columns = [name for name in SLICE_COLUMNS if name in slices]
    return HeldOut(
        pd.DataFrame(columns=["case", "patient"]),
        slices[columns],
        evidence,
        clock.median(),
        failures | found.failures,
    )


def _head(source: CaseSource, place: int) -> NDArray[np.bool_]:
    """Return where the head is in a slice (Y, X) of a case with FLAIR."""
    case = source.read()
    assert case.image is not None  # a detector has seen it
    head: NDArray[np.bool_] = find_head(case.image[..., case.sequences.index(FLAIR)])[place]
    return head


def _areas(case: str, mask: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the area of a mask in each slice."""
    areas = mask.sum(axis=(1, 2))
    return pd.DataFrame({"case": case, "slice": range(1, len(mask) + 1), "reference_area": areas})


def _none_left(run: Path, failures: Mapping[str, str]) -> InputError:
    reasons = [f"{case}: {reason}" for case, reason in failures.items()]
    reason = next(iter(reasons), "All of its networks have seen every case.")
    return InputError(f"Expected cases that {run} held out, found none that can be used. {reason}")


def _read_mask(source: CaseSource) -> NDArray[np.bool_]:
    mask = source.read().mask  # with the image: both have to lie on one grid
    if mask is None:
        msg = f"Expected case {source.id} to have a reference mask, found none: {source.path}."
        raise CaseError(msg)
    return mask


class _Clock:
    """The time from one result to the next."""

    def __init__(self) -> None:
        self._times: list[float] = []

    @property
    def ticks(self) -> int:
        return len(self._times)

    def tick(self, *_: object) -> None:
        self._times.append(perf_counter())

    def median(self) -> float | None:
        """Return the median, which the first result does not count for: it waits for a compiler."""
        return round(float(np.median(np.diff(self._times))), 3) if self.ticks > 1 else None
