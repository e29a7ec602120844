"""A study: every hypothesis of a family, tested on the patients of a feature table."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from lggshape.association.hypotheses import Family, Hypothesis, LeftOut
from lggshape.association.pair import Pair
from lggshape.errors import InputError
from lggshape.labels.labels import Label, Labels
from lggshape.shape import FEATURES
from lggshape.statistics import adjust

_KEY = ["masks", "feature", "label"]
_RESULT = ["test", "n", "statistic", "p", "effect", "effect_low", "effect_high", "p_standard_error"]
_CELL = [*_KEY, "bin", "low", "high", "level", "count"]

Test = Literal["fisher", "kruskal-wallis"]
"""The test that decides about a hypothesis."""


@dataclass(frozen=True)
class Study:
    """The results of a family of hypotheses.

    Attributes
    ----------
    family : Family
        What was asked.
    bins : int
        Number of quantile bins of a feature.
    test : {"fisher", "kruskal-wallis"}
        The test that decided.
    data : DataFrame
        The feature table.
    labels : dict of str to Label
        The tested labels.
    associations : DataFrame
        The primary test of every hypothesis; see `docs/tables.md` for the columns of all tables.
    sensitivity : DataFrame
        The same hypotheses by the other test and with other cut-points.
    discrimination : DataFrame
        Area under the curve of every tested feature for each level against the rest.
    contingency : DataFrame
        The tables behind Fisher's tests, a row a bin and level.
    patients : DataFrame
        Who is in each hypothesis and who is missing, whether those without a label differ from the
        others, and values tied with a cut-point.
    flow : DataFrame
        From the patients of the tables to those with features and labels.
    left_out : DataFrame
        What was not tested, and why.
    """

    family: Family
    bins: int
    test: Test
    data: pd.DataFrame = field(repr=False)
    labels: dict[str, Label] = field(repr=False)
    associations: pd.DataFrame
    sensitivity: pd.DataFrame = field(repr=False)
    discrimination: pd.DataFrame = field(repr=False)
    contingency: pd.DataFrame = field(repr=False)
    patients: pd.DataFrame = field(repr=False)
    flow: pd.DataFrame = field(repr=False)
    left_out: pd.DataFrame = field(repr=False)

    @property
    def masks(self) -> tuple[str, ...]:
        """The kinds of mask, in the order of the feature table."""
        return tuple(dict.fromkeys(self.data["masks"]))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give every table of results by its name."""
        return {
            "associations": self.associations,
            "sensitivity": self.sensitivity,
            "discrimination": self.discrimination,
            "contingency": self.contingency,
            "patients": self.patients,
            "flow": self.flow,
            "left_out": self.left_out,
        }

    def as_json(self) -> dict[str, Any]:
        """Give the family and every table as plain values, missing numbers as None."""
        return {
            "family": self.family.name,
            "title": self.family.title,
            "alpha": self.family.alpha,
            "reference": self.family.reference,
            "bins": self.bins,
            "test": self.test,
            **{
                name: table.astype(object).where(table.notna(), None).to_dict("records")
                for name, table in self.tables().items()
            },
        }

    def summary(self) -> str:
        """Give the primary tests as a short text table."""
        shown = ["masks", "feature", "label", "n", "p", "p_bonferroni", "effect"]
        return self.associations[shown].to_string(
            index=False, na_rep="", float_format=lambda value: f"{value:.3g}"
        )


def associate(
    features: pd.DataFrame,
    labels: Labels,
    family: Family,
    *,
    bins: int = 4,
    test: Test = "fisher",
    seed: int = 0,
    on_hypothesis: Callable[[], None] | None = None,
) -> Study:
    """Test a family of hypotheses.

    Each feature is cut at its quantiles among the patients that have both the feature and the
    label, and the bins are tested against the label by Fisher's exact test (Freeman and Halton).
    Kinds of mask are tested apart, each as a family of its own.

    Parameters
    ----------
    features : DataFrame
        As from `read_features`.
    labels : Labels
        The labels of the patients.
    family : Family
        The hypotheses, as from `choose_family`.
    bins : int
        Number of quantile bins.
    test : {"fisher", "kruskal-wallis"}
        The test that decides; the other one is reported as a sensitivity analysis.
    seed : int
        For the Monte Carlo p that takes the place of an exact one where that would take too long.
    on_hypothesis : callable, optional
        Called after each hypothesis, to show progress.

    Returns
    -------
    Study
        All results.

    Raises
    ------
    InputError
        If no patient has both features and labels, a feature is in millimetres for some patients
        and in voxels for others, or `bins` is less than 2.
    """
    if bins < 2:
        msg = f"Expected at least 2 quantile bins, found {bins}."
        raise InputError(msg)
    if not labels.patients.intersection(features["patient"]):
        msg = (
            "Expected patients that have both features and labels, found none in common: the first "
            f"are {features['patient'].iloc[0]} and {min(labels.patients, default='none')}."
        )
        raise InputError(msg)
    _check_units(features, family)
    used = {h.label: labels[h.label] for h in family.hypotheses}
    rows: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in ("associations", "sensitivity", "discrimination", "contingency", "patients")
    }
    left_out = list(family.left_out)
    streams = np.random.SeedSequence(seed).spawn(len(family.hypotheses))
    for masks, group in features.groupby("masks", sort=False):
        for hypothesis, stream in zip(family.hypotheses, streams, strict=True):
            pair = Pair.of(hypothesis, used[hypothesis.label], group)
            direction = irregularity(hypothesis.feature)
            fisher = pair.fisher(pair.complete, bins=bins, seed=stream)
            everyone = pair.fisher(pair.measured, bins=bins, seed=stream)
            ranks = pair.kruskal_wallis()
            primary, other = (fisher, ranks) if test == "fisher" else (ranks, fisher)
            rows["associations"].append(pair.key() | primary._asdict())
            if primary.reason:
                name = f"{hypothesis.feature} x {hypothesis.label}, {masks}"
                left_out.append(LeftOut("hypothesis", name, primary.reason))
            analyses = {
                f"other test: {other.test.replace('_', ' ')}": other,
                "cut-points among all patients with the feature": everyone,
            }
            if (variant := _variant(hypothesis, features)) is not None:
                same = Pair.of(variant, used[hypothesis.label], group)
                analyses[variant.feature.replace("_", " ")] = same.fisher(
                    same.complete, bins=bins, seed=stream
                )
            for analysis, result in analyses.items():
                rows["sensitivity"].append(pair.key() | {"analysis": analysis} | result._asdict())
            rows["discrimination"] += pair.discrimination(direction)
            rows["contingency"] += pair.contingency(bins)
            rows["patients"].append(pair.patients(direction, bins))
            if on_hypothesis is not None:
                on_hypothesis()
    return Study(
        family=family,
        bins=bins,
        test=test,
        data=features,
        labels=used,
        associations=_adjusted(pd.DataFrame(rows["associations"]), family),
        sensitivity=pd.DataFrame(rows["sensitivity"])[[*_KEY, "analysis", *_RESULT]],
        discrimination=pd.DataFrame(rows["discrimination"]),
        # Without a hypothesis that can be tested there is no cell, but still a header.
        contingency=pd.DataFrame(rows["contingency"], columns=_CELL),
        patients=pd.DataFrame(rows["patients"]),
        flow=pd.DataFrame(_flow(features, labels, family, used)),
        left_out=pd.DataFrame(left_out, columns=list(LeftOut._fields)),
    )


def irregularity(feature: str) -> int:
    """Say which way a feature goes with irregular shapes: 1 upwards, -1 downwards.

    Areas under the curve are taken in this one direction for all levels. A feature that is not
    lggshape's own counts upwards.
    """
    return FEATURES[feature].irregularity if feature in FEATURES else 1


def _check_units(features: pd.DataFrame, family: Family) -> None:
    """Refuse to compare millimetres with voxels."""
    if "spacing_known" not in features:
        return
    for name in dict.fromkeys(h.feature for h in family.hypotheses):
        feature = FEATURES.get(name)
        if feature is None or feature.unit == feature.unit_without_spacing:
            continue
        for masks, group in features[features[name].notna()].groupby("masks"):
            known = int((group["spacing_known"] == True).sum())  # noqa: E712  (None is neither)
            unknown = int((group["spacing_known"] == False).sum())  # noqa: E712
            if known and unknown:
                msg = (
                    f"Expected {name} of the {masks} masks to have one unit, found {known} cases "
                    f"in {feature.unit} and {unknown} in {feature.unit_without_spacing}: the "
                    "spacing of some is unknown."
                )
                raise InputError(msg)


def _variant(hypothesis: Hypothesis, features: pd.DataFrame) -> Hypothesis | None:
    """Give the same hypothesis on the feature's variant, if it has one that was measured."""
    feature = FEATURES.get(hypothesis.feature)
    if feature is None or feature.variant is None or feature.variant not in features:
        return None
    return replace(hypothesis, feature=feature.variant)


def _adjusted(associations: pd.DataFrame, family: Family) -> pd.DataFrame:
    """Correct p over all hypotheses of the family, tested or not, for each kind of mask."""
    corrected = []
    for _, group in associations.groupby("masks", sort=False):
        p = adjust(group["p"].to_numpy(), family=len(family.hypotheses))
        corrected.append(
            group.assign(p_bonferroni=p.bonferroni, p_holm=p.holm, p_bh=p.bh, family=family.name)
        )
    columns = [
        *_KEY, "test", "n", "statistic", "p", "p_bonferroni", "p_holm", "p_bh", "effect",
        "effect_low", "effect_high", "family", "p_standard_error",
    ]  # fmt: skip
    return pd.concat(corrected)[columns]


def _flow(
    features: pd.DataFrame, labels: Labels, family: Family, used: dict[str, Label]
) -> Iterator[dict[str, Any]]:
    """Account for every patient, from the feature table to each label."""
    tested = list(dict.fromkeys(h.feature for h in family.hypotheses))
    for masks, group in features.groupby("masks", sort=False):
        lacking = group[tested].isna().any(axis=1)
        in_labels = group["patient"].isin(list(labels.patients))
        steps: Iterable[tuple[str, int, str]] = [
            ("patients with a mask", len(group), ""),
            (
                "of these, a tested feature is missing",
                int(lacking.sum()),
                _listed(group, lacking, tested),
            ),
            (
                "of these, in no label table",
                int((~in_labels).sum()),
                _listed(group, ~in_labels, ()),
            ),
            *(
                (
                    f"with all tested features and the label {name}",
                    int((~lacking & group["patient"].isin(label.values.index)).sum()),
                    "",
                )
                for name, label in used.items()
            ),
        ]
        for step, patients, which in steps:
            yield {"masks": masks, "step": step, "patients": patients, "which": which}
    without = sorted(labels.patients.difference(features["patient"]))
    yield {
        "masks": "",
        "step": "patients with labels and without a mask",
        "patients": len(without),
        "which": "; ".join(without),
    }


def _listed(group: pd.DataFrame, chosen: "pd.Series[bool]", tested: Collection[str]) -> str:
    """Name patients, each with the reasons that concern a tested feature."""
    rows = group.loc[chosen, ["patient", "reason"]]
    return "; ".join(
        f"{patient} ({why})" if (why := _concerning(reason, tested)) else str(patient)
        for patient, reason in rows.itertuples(index=False)
    )


def _concerning(reason: str, tested: Collection[str]) -> str:
    """Keep of the reasons of a feature table, "why: no a, b; why: no c", those about some features.

    A reason that names no feature is about all of them.
    """
    kept = []
    for part in filter(None, reason.split("; ")):
        why, _, names = part.partition(": no ")
        if tested and (not names or set(names.split(", ")).intersection(tested)):
            kept.append(why)
    return "; ".join(kept)
