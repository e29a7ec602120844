"""From cases to the table of their features."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import pandas as pd

from lggshape.case import Case
from lggshape.errors import CaseError, InputError
from lggshape.head import UNKNOWN_PLACE, describe_misfit
from lggshape.masks import Mask, split_lesions
from lggshape.names import counted
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.readers.columns import check_columns, with_columns
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.readers.segmented import is_segmented
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.extraction import extract_features
from lggshape.shape.features import FEATURES

Change = Callable[[Case], Mask]
"""From a case to the mask that is measured in place of its own."""

_Row = dict[str, str | float | int | bool | None]

COLUMNS = (
    "case", "patient", "masks", *FEATURES, "spacing_known", "slice", "empty_bins", "notes",
    "reason",
)  # fmt: skip
"""Columns of a feature table, in order."""

REGION, LESION = "region", "lesion"
"""Columns that follow `masks` in a table of regions, and in one of lesions."""


@dataclass(frozen=True, repr=False)
class FeatureTable:
    """The features of many cases.

    Attributes
    ----------
    table : DataFrame
        A row per case, in the order of the cases, with the columns `COLUMNS`, the session if one is
        known, and the further columns of a manifest. What is missing is NaN or NA, and `reason`
        says why, for a reader. `notes` are those of the case, with the plane of the 2D features if
        it is not axial, and where there is an image, that the mask lies beside the head or over
        more than half of it. `spacing_known` is missing for a case that could not be read or
        measured. Of cases with regions there is a row per region, and of lesions one per lesion,
        the largest first; the columns `region` and `lesion` name them.
    reasons : dict of str to dict of str to str
        For each case, its missing features, each with the reason. Where a case has several rows,
        the keys are those of rows: `case, region, lesion 1`.
    failures : dict of str to str
        The cases that could not be read or measured, with the reason. They have a row too. An empty
        mask is not a failure.
    """

    table: pd.DataFrame
    reasons: dict[str, dict[str, str]]
    failures: dict[str, str]

    def __repr__(self) -> str:
        """Return the numbers of cases and failures, and of rows if they are not those of cases."""
        cases = self.table["case"].nunique()
        rows = f"{len(self.table)} rows, " if len(self.table) != cases else ""
        return f"FeatureTable({counted(cases, 'case')}, {rows}{len(self.failures)} failed)"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.table.to_html(max_rows=10)}"


class _Measured(NamedTuple):
    row: _Row
    reasons: dict[str, str]


class _Part(NamedTuple):
    """What one row is about: a mask with its region and the number of the lesion, if any."""

    mask: Mask
    region: str | None = None
    lesion: int | None = None


def feature_table(
    cases: Cases,
    *,
    masks: str | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
    change: Change | None = None,
    lesions: bool = False,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> FeatureTable:
    """Measure the masks of many cases.

    Each region of a case is measured by itself.

    Parameters
    ----------
    cases : str, path, or sequence of CaseSource or Case
        The cases: a folder or file that `lggshape.open_cases` reads, what it returns, or cases in
        memory.
    masks : str, optional
        Where the masks come from, for the column of that name: manual, automatic or another word.
        By default automatic for what `lggshape segment` wrote, else manual.
    conventions : Conventions
        What the definitions leave open.
    change : callable, optional
        Returns the mask to measure, from the case with the mask as it was read. It may be defined
        in a script or a notebook. Of a case with regions it is given one region at a time.
    lesions : bool
        Whether each lesion, a 26-connected component, is measured by itself, as a whole: the
        convention of the component does not count then.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    FeatureTable
        One bad case does not keep the others from being measured: it has a row without features.

    Raises
    ------
    InputError
        If the path cannot be opened, `masks` is blank, two cases have the same name or different
        regions, or only some of the masks are automatic and `masks` does not say what to call them
        all.

    Examples
    --------
    >>> import numpy as np
    >>> case = Case("patient_1", "patient_1", mask=np.ones((2, 3, 4), dtype=bool))
    >>> measured = feature_table([case], jobs=1)
    >>> measured
    FeatureTable(1 case, 0 failed)
    >>> measured.table.loc[0, "volume"]
    np.float64(24.0)
    >>> measured.reasons["patient_1"]["sphericity"]
    'the spacing is unknown'
    """
    if masks is not None and (not masks.isprintable() or not masks or masks != masks.strip()):
        msg = f"Expected masks to be a word such as manual or automatic, found: {masks!r}."
        raise InputError(msg)
    sources = sources_of(cases, masks_only=True)
    masks = kind_of(sources) if masks is None else masks
    check_columns(sources, [*COLUMNS, REGION, LESION])
    regions = _regions_of(sources)
    if lesions:
        conventions = replace(conventions, component="all")
    measure = partial(
        _measure,
        masks=masks,
        conventions=conventions,
        change=change,
        lesions=lesions,
    )
    rows: list[_Row] = []
    reasons: dict[str, dict[str, str]] = {}
    failures: dict[str, str] = {}
    advance = counter(on_progress, "measuring", len(sources))
    for outcome in map_cases(measure, sources, jobs=jobs):
        case = outcome.item
        measured = outcome.value
        if measured is None:
            failures[case.id] = str(outcome.error)
            row: _Row = {"case": case.id, "patient": case.patient, "masks": masks}
            missing = dict.fromkeys(FEATURES, failures[case.id])
            measured = [_Measured({**row, REGION: name}, missing) for name in regions or [None]]
        for one in measured:
            reasons[_name_of(one.row)] = one.reasons
            rows.append({**one.row, "reason": _in_words(one.reasons)})
        advance()
    added = [REGION] * bool(regions) + [LESION] * lesions
    place = COLUMNS.index("masks") + 1
    table = pd.DataFrame(rows, columns=[*COLUMNS[:place], *added, *COLUMNS[place:]])
    counts = (name for name, feature in FEATURES.items() if feature.is_count)
    types = dict.fromkeys((*counts, "slice", "empty_bins", *[LESION] * lesions), "Int64")
    table = with_columns(table.astype(types | {"spacing_known": "boolean"}), sources)
    return FeatureTable(table, reasons, failures)


def _measure(
    source: CaseSource,
    *,
    masks: str,
    conventions: Conventions,
    change: Change | None,
    lesions: bool,
) -> list[_Measured]:
    """Read the mask of a case once, and measure each part of it that has a row."""
    case = source.read(image=False)
    plane = case.geometry.plane
    notes = [*case.notes, *([f"2D features in {plane.name} slices"] if plane.axis else [])]
    if change is None:
        notes += filter(None, [_misfit(source, case.mask)])
    found = []
    for part in _parts(case, change, lesions=lesions):
        result = extract_features(replace(case, mask=part.mask), conventions=conventions)
        reasons = result.reasons
        if part.region is not None and not part.mask.any():
            reasons = dict.fromkeys(FEATURES, f"the region {part.region} is absent")
        row: _Row = {
            "case": case.id,
            "patient": case.patient,
            "masks": masks,
            REGION: part.region,
            LESION: part.lesion,
            **result.values,
            "spacing_known": case.geometry.spacing is not None,
            "slice": result.slice,
            "empty_bins": result.empty_bins,
            "notes": "; ".join(notes),
        }
        found.append(_Measured(row, reasons))
    return found


def _misfit(source: CaseSource, mask: Mask | None) -> str:
    """Return in which way a mask does not fit the head in the image of its case, if there is one.

    The mask of a damaged image can be measured all the same.
    """
    assert mask is not None  # it is required
    try:
        return describe_misfit(mask, source.read_flair)
    except CaseError as error:
        return f"{UNKNOWN_PLACE}: {error}"


def _parts(case: Case, change: Change | None, *, lesions: bool) -> Iterator[_Part]:
    """Yield what is measured of a case; of what is empty, the whole."""
    assert case.mask is not None  # it is required
    regions: list[tuple[str | None, Mask]] = list(case.regions.items()) or [(None, case.mask)]
    for region, own in regions:
        mask = own if change is None else change(replace(case, mask=own))
        if not lesions or not mask.any():
            yield _Part(mask, region)
            continue
        for number, lesion in enumerate(split_lesions(mask), start=1):
            yield _Part(lesion, region, number)


def _name_of(row: _Row) -> str:
    """Return the name of a row for `FeatureTable.reasons`."""
    lesion = f"lesion {row[LESION]}" if row.get(LESION) else None
    return ", ".join(str(part) for part in (row["case"], row.get(REGION), lesion) if part)


def _regions_of(sources: Sequence[CaseSource]) -> tuple[str, ...]:
    """Return the regions of all cases; refuse cases of different ones."""
    kinds = {source.region_names: source.id for source in sources}
    if len(kinds) > 1:
        found = "; ".join(f"{id_}: {', '.join(names) or 'none'}" for names, id_ in kinds.items())
        msg = f"Expected cases of the same regions, found {found}."
        raise InputError(msg)
    return next(iter(kinds), ())


def _in_words(reasons: dict[str, str]) -> str:
    """Return each reason with its features, or without if no feature could be measured."""
    if len(reasons) == len(FEATURES):
        return "; ".join(dict.fromkeys(reasons.values()))
    features: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        features.setdefault(reason, []).append(name)
    return "; ".join(f"{reason}: no {', '.join(names)}" for reason, names in features.items())


def kind_of(sources: Sequence[CaseSource]) -> str:
    """Return where masks come from, by what lies beside them."""
    kinds = {"automatic" if is_segmented(source.path) else "manual" for source in sources}
    if len(kinds) > 1:
        msg = (
            "Expected masks of one kind, found some that `segment` wrote and others. Say what to "
            "call them all: masks= in Python, --masks on the command line."
        )
        raise InputError(msg)
    return kinds.pop() if kinds else "manual"
