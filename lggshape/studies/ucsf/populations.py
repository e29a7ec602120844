"""The hypotheses of the study without some of the patients: the analyses of its protocol."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from lggshape.association import Family, Study, associate
from lggshape.association.adjusted_models import ADJUSTED
from lggshape.association.feature_table import FeatureSource
from lggshape.labels import LabelDefinition, Labels, LabelSource

COVARIATES = ("volume", "Age at MRI")
"""The covariates of the protocol."""

EVERYONE = "all patients"

_COLUMNS = [
    "analysis", "feature", "label", "covariates", "test", "n", "events", "p", "effect_name",
    "effect", "effect_low", "effect_high", "missing", "exploratory",
]  # fmt: skip
_KEY = ["feature", "label", "covariates"]


def families(family: Family) -> dict[str, Family]:
    """Return the hypotheses without the patients that the protocol names, by analysis.

    The definitions of the labels alone are changed: who is asked (`where`), and which values count
    as missing (`missing`).

    Parameters
    ----------
    family : Family
        The hypotheses of all patients, with the labels `IDH` and `1p/19q`.
    """
    no_biopsy = {"Biopsy prior to imaging": "No"}
    specified = {"IDH": list(_definition(family, "IDH").levels or ())}
    unspecified = "mutated (NOS)"
    relative = "relative co-deletion"
    return {
        "without biopsy before imaging": _only(family, no_biopsy),
        f"without {unspecified}": _only(_without_value(family, unspecified), specified),
        f"without {relative}": _without_value(family, relative),
    }


def in_populations(
    study: Study, features: FeatureSource, labels: Labels | LabelSource, *, seed: int = 0
) -> pd.DataFrame:
    """Test the hypotheses without the patients whom the protocol leaves out.

    Parameters
    ----------
    study : Study
        The hypotheses of all patients, tested with the covariates.
    features, labels : as for `associate`
        The tables that it was made from.
    seed : int
        Seed of the permutations.

    Returns
    -------
    DataFrame
        A row per analysis, hypothesis and choice of covariates (none, or those of the protocol). A
        hypothesis from which an analysis takes no patient is left out of it. No p is corrected.
    """
    everyone = _rows(study)
    counts = everyone.set_index(_KEY)["n"]
    parts = [everyone.assign(analysis=EVERYONE)]
    for name, family in families(study.family).items():
        rows = _rows(associate(features, labels, family, adjust=COVARIATES, seed=seed))
        before = counts.reindex(pd.MultiIndex.from_frame(rows[_KEY])).to_numpy()
        parts.append(rows[rows["n"].to_numpy() < before].assign(analysis=name))
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def _rows(study: Study) -> pd.DataFrame:
    """Return the deciding tests without covariates, and those given the covariates."""
    assert study.given is not None  # there are covariates
    given = study.given.adjusted
    given = given[given["model"] == ADJUSTED]
    plain = study.associations.assign(covariates="", missing="")
    plain["exploratory"] = plain["exploratory"] != ""
    columns = _COLUMNS[1:]
    both = pd.concat([plain[columns], given[columns]], ignore_index=True)
    order = {pair: place for place, pair in enumerate(_pairs(study.associations))}
    both["order"] = [order[pair] for pair in _pairs(both)]
    return both.sort_values("order", kind="stable").drop(columns="order")


def _pairs(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    return zip(table["feature"], table["label"], strict=True)


def _definition(family: Family, name: str) -> LabelDefinition:
    return next(one for one in family.labels if one.name == name)


def _only(family: Family, where: Mapping[str, Any]) -> Family:
    """Return the hypotheses of the patients who meet conditions besides those of each label."""
    tested = {one.label for one in family.hypotheses}
    labels = tuple(
        replace(one, where={**where, **(one.where or {})}) if one.name in tested else one
        for one in family.labels
    )
    return replace(family, labels=labels)


def _without_value(family: Family, value: str) -> Family:
    """Return the hypotheses with a value that is missing in place of a level."""
    return replace(family, labels=tuple(_missing(one, value) for one in family.labels))


def _missing(definition: LabelDefinition, value: str) -> LabelDefinition:
    levels = definition.levels
    if not isinstance(levels, Mapping) or not any(value in several for several in levels.values()):
        return definition
    rest = {level: [one for one in several if one != value] for level, several in levels.items()}
    return replace(definition, levels=rest, missing=[*definition.missing, value])
