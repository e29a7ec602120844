"""Which patients of a cohort have labels, and which keys differ in their spelling alone."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

from lggshape.errors import InputError
from lggshape.labels.labels import Labels, LabelTable
from lggshape.names import counted, first_few

MatchIds = Literal["exact", "loose"]
"""Whether keys have to be equal, or may differ in case, blanks, leading zeros, and `-` or `_`."""

_BIDS = "sub-"
"""What BIDS puts before the key of a patient in names of files. Tables have it or leave it out."""


class NearMiss(NamedTuple):
    """Two keys that differ in their spelling alone.

    Attributes
    ----------
    patient : str
        The key of the cohort.
    key : str
        The key in the table of labels.
    table : str
        The name of the table.
    """

    patient: str
    key: str
    table: str


@dataclass(frozen=True, repr=False)
class PatientMatch:
    """How the patients of a cohort and of its label tables were matched.

    Attributes
    ----------
    labels : Labels
        The labels, under the keys of the cohort where they were joined. Those of a study also have
        the labels that its family defines.
    joined : tuple of str
        The patients of the cohort that are in a table.
    unlabelled : tuple of str
        The patients of the cohort that are in no table.
    strangers : tuple of str
        The keys of the tables that are in the cohort under no spelling that was accepted.
    near : tuple of NearMiss
        The pairs of keys that differ in their spelling alone. Where several keys could be meant
        there is none.
    match_ids : {"exact", "loose"}
        Whether the pairs of `near` were joined.
    """

    labels: Labels
    joined: tuple[str, ...]
    unlabelled: tuple[str, ...]
    strangers: tuple[str, ...]
    near: tuple[NearMiss, ...]
    match_ids: MatchIds

    def __repr__(self) -> str:
        """Return the numbers of patients."""
        return (
            f"PatientMatch({len(self.joined)} joined, {len(self.unlabelled)} without labels, "
            f"{len(self.near)} of a near spelling)"
        )

    def within(self, patients: Iterable[str]) -> "PatientMatch":
        """Return the same, but count some patients of the cohort alone."""
        kept = set(patients)
        joined, unlabelled = (
            tuple(patient for patient in one if patient in kept)
            for one in (self.joined, self.unlabelled)
        )
        return replace(self, joined=joined, unlabelled=unlabelled)

    def summary(self) -> list[str]:
        """Return in a line each how many keys were joined, which were not, and near misses."""
        total = len(self.joined) + len(self.unlabelled)
        lines = [f"{len(self.joined)} of {counted(total, 'patient')} found in the label tables"]
        if self.unlabelled:
            lines[0] += f", not found: {first_few(self.unlabelled, 10)}"
        if self.strangers:
            count = counted(len(self.strangers), "patient")
            lines.append(f"{count} of the tables without a case: {first_few(self.strangers, 10)}")
        return lines + self.near_misses()

    def none_joined(self) -> str:
        """Return what to say where no patient of the cohort is in a table.

        Examples
        --------
        >>> import pandas as pd
        >>> from lggshape.labels import read_labels
        >>> labels = read_labels(pd.DataFrame({"patient": ["p1"], "idh": ["mutant"]}))
        >>> match_patients(["a"], labels).none_joined()
        'Expected patients in common, found none: the first with a case is a, the first with \
labels p1. --patient-column names the column of the patients in the label tables.'
        """
        return (
            "Expected patients in common, found none: the first with a case is "
            f"{min(self.unlabelled, default='none')}, the first with labels "
            f"{min(self.labels.patients, default='none')}. --patient-column names the column of "
            "the patients in the label tables."
        )

    def near_misses(self) -> list[str]:
        """Return in a line the keys that differ in their spelling alone, if there are any."""
        if not self.near:
            return []
        pairs = [f"{one.patient} and {one.key} ({one.table})" for one in self.near]
        what = "joined, though spelled differently"
        if self.match_ids == "exact":
            what = "not joined, as spelled differently (--match-ids loose joins them)"
        return [f"{len(pairs)} {what}: {first_few(pairs, 10)}"]


def match_patients(
    patients: Iterable[str], labels: Labels, *, match_ids: MatchIds = "exact"
) -> PatientMatch:
    """Match the patients of a cohort with those of label tables.

    Parameters
    ----------
    patients : iterable of str
        The keys of the cohort.
    labels : Labels
        The labels.
    match_ids : {"exact", "loose"}
        Whether keys have to be equal, or may differ in upper and lower case, in blanks, in leading
        zeros, and in `-` for `_`. The `sub-` that BIDS puts before a key never counts, unless a
        table has a key with and without it.

    Returns
    -------
    PatientMatch
        What was joined, and what was not.

    Raises
    ------
    InputError
        If `match_ids` is none of the two.

    Examples
    --------
    >>> import pandas as pd
    >>> from lggshape.labels import read_labels
    >>> labels = read_labels(pd.DataFrame({"patient": ["P-07", "P_8"], "grade": ["II", "III"]}))
    >>> match_patients(["P_7", "P_8"], labels)
    PatientMatch(1 joined, 1 without labels, 1 of a near spelling)
    >>> match_patients(["P_7", "P_8"], labels, match_ids="loose").labels["grade"].values["P_7"]
    'II'
    """
    if match_ids not in get_args(MatchIds):
        wanted = " or ".join(map(repr, get_args(MatchIds)))
        msg = f"Expected match_ids to be {wanted}, found {match_ids!r}."
        raise InputError(msg)
    cohort = list(dict.fromkeys(patients))
    labels = Labels([_renamed(table, _of_bids(cohort, table)) for table in labels.tables])
    near = [one for table in labels.tables for one in _near_misses(cohort, table)]
    if match_ids == "loose" and near:
        keys: dict[str, dict[str, str]] = {}
        for one in near:
            keys.setdefault(one.table, {})[one.key] = one.patient
        labels = Labels([_renamed(table, keys.get(table.name, {})) for table in labels.tables])
    known = set(cohort)
    return PatientMatch(
        labels=labels,
        joined=tuple(patient for patient in cohort if patient in labels.patients),
        unlabelled=tuple(patient for patient in cohort if patient not in labels.patients),
        strangers=tuple(sorted(labels.patients - known)),
        near=tuple(near),
        match_ids=match_ids,
    )


def _of_bids(cohort: Sequence[str], table: LabelTable) -> dict[str, str]:
    """Return the keys of the cohort for those of a table that differ from them in `sub-` alone."""
    keys, found = set(table.patients), {}
    for patient in cohort:
        bare = patient.removeprefix(_BIDS)
        other = bare if bare != patient else f"{_BIDS}{patient}"
        if other in keys and patient not in keys:
            found[other] = patient
    # Where the cohort has both spellings, they are two patients, and one has the key itself.
    known = set(cohort)
    return {key: patient for key, patient in found.items() if key not in known}


def _near_misses(cohort: Sequence[str], table: LabelTable) -> list[NearMiss]:
    """Return the pairs of which neither key has another partner."""
    known, keys = set(cohort), set(table.patients)
    by_spelling: dict[str, set[str]] = {}
    for key in keys - known:
        for spelling in _spellings(key):
            by_spelling.setdefault(spelling, set()).add(key)
    pairs = []
    for patient in cohort:
        if patient in keys:
            continue
        found = {key for one in _spellings(patient) for key in by_spelling.get(one, ())}
        pairs += [(patient, key) for key in found]
    taken = [Counter(pair[side] for pair in pairs) for side in (0, 1)]
    return [
        NearMiss(patient, key, table.name)
        for patient, key in pairs
        if taken[0][patient] == taken[1][key] == 1
    ]


def _spellings(key: str) -> set[str]:
    """Return what is left of a key without what may differ; a blank may stand for `_` or nothing.

    Examples
    --------
    >>> sorted(_spellings("P 07-A"))
    ['p7_a', 'p_7_a']
    """
    bare = key.strip().casefold().removeprefix(_BIDS).replace("-", "_")
    plain = re.sub(r"(?<![0-9])0+(?=[0-9])", "", bare)
    return {re.sub(r"\s+", stand_in, plain) for stand_in in ("_", "")}


def _renamed(table: LabelTable, keys: Mapping[str, str]) -> LabelTable:
    if not keys:
        return table
    labels = {
        name: replace(label, values=label.values.rename(index=keys))
        for name, label in table.labels.items()
    }
    return replace(table, labels=labels, patients=tuple(keys.get(p, p) for p in table.patients))
