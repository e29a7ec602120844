"""The flow of patients: from the feature table to each label, with everybody accounted for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lggshape.association.hypotheses import Family, LeftOut
from lggshape.labels import Label, PatientMatch


def patient_flow(
    features: pd.DataFrame,
    match: PatientMatch,
    family: Family,
    used: Mapping[str, Label],
    excluded: Sequence[LeftOut] = (),
) -> Iterator[dict[str, Any]]:
    """Yield the steps from the patients of a feature table to those with each label.

    Parameters
    ----------
    features : DataFrame
        As from `read_features`.
    match : PatientMatch
        The labels of the patients, and how they were joined.
    family : Family
        The tested hypotheses.
    used : mapping of str to Label
        The tested labels.
    excluded : sequence of LeftOut
        Who was left out on purpose, and is not in the feature table.

    Yields
    ------
    dict
        `masks`, `step`, `patients` (how many) and `which` (their names, where patients are lost).
    """
    labels = match.labels
    near = match.near if match.match_ids == "loose" else ()
    tested = list(dict.fromkeys(h.feature for h in family.hypotheses))
    for masks, group in features.groupby("masks", sort=False):
        lacking = group[tested].isna().any(axis=1)
        in_labels = group["patient"].isin(list(labels.patients))
        steps: Iterable[tuple[str, int, str]] = [
            ("patients with a mask", len(group), ""),
            (
                "of these, a tested feature is missing",
                int(lacking.sum()),
                "; ".join(_why_lacking(group[lacking], tested)),
            ),
            (
                "of these, in no label table",
                int((~in_labels).sum()),
                "; ".join(group.loc[~in_labels, "patient"]),
            ),
            *(
                (
                    "of these, joined with labels under another spelling",
                    int(group["patient"].isin([one.patient for one in near]).sum()),
                    "; ".join(f"{one.patient} = {one.key}" for one in near),
                )
                for _ in near[:1]
            ),
            *(
                step
                for name, label in used.items()
                for step in _with_label(name, label, group, lacking)
            ),
        ]
        for step, patients, which in steps:
            yield {"masks": masks, "step": step, "patients": patients, "which": which}
    if excluded:
        yield {
            "masks": "",
            "step": "excluded, and in no other number",
            "patients": len(excluded),
            "which": "; ".join(f"{one.name} ({one.reason})" for one in excluded),
        }
    gone = [*features["patient"], *(one.name for one in excluded)]
    without = sorted(labels.patients.difference(gone))
    yield {
        "masks": "",
        "step": "patients with labels and without a mask",
        "patients": len(without),
        "which": "; ".join(without),
    }


def _with_label(
    name: str, label: Label, group: pd.DataFrame, lacking: "pd.Series[bool]"
) -> Iterator[tuple[str, int, str]]:
    """Yield how many are not asked, if the label is asked of some alone, and how many have it."""
    if label.population is not None:
        outside = int((~group["patient"].isin(list(label.population))).sum())
        yield f"not asked for {name} (only {label.where})", outside, ""
        undecided = group.loc[group["patient"].isin(list(label.undecided)), "patient"]
        if len(undecided):
            step = f"of these, a value that decides it for {name} is missing"
            yield step, len(undecided), "; ".join(undecided)
    with_label = int((~lacking & group["patient"].isin(label.values.index)).sum())
    yield f"with all tested features and the label {name}", with_label, ""


def _why_lacking(group: pd.DataFrame, tested: list[str]) -> Iterator[str]:
    """Yield each patient with the tested features that are missing and the reason in full."""
    for row, lacking in zip(group.to_dict("records"), group[tested].isna().to_numpy(), strict=True):
        names = [name for name, missing in zip(tested, lacking, strict=True) if missing]
        lost = "any tested feature" if lacking.all() else ", ".join(names)
        reason = f"; {row['reason']}" if row["reason"] else ""
        yield f"{row['patient']} (without {lost}{reason})"
