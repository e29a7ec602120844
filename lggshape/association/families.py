"""Families of hypotheses for given tables: of a study, of a file, of the literature, every pair."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lggshape.association.feature_table import (
    FeatureSource,
    feature_symbol,
    find_feature,
    measured_columns,
    read_features,
    why_no_number,
)
from lggshape.association.hypotheses import (
    Family,
    Hypothesis,
    LeftOut,
    read_family,
    shipped_families,
)
from lggshape.association.survival_columns import part_of_survival
from lggshape.association.tests import testable_kinds, tests_for
from lggshape.association.unsuitable import why_no_test, why_one_value
from lggshape.errors import InputError
from lggshape.labels import Labels, LabelSource, as_labels, define_labels, match_patients
from lggshape.names import did_you_mean, first_few
from lggshape.shape import FEATURES
from lggshape.tables import check_path, same_spelling

LITERATURE = "literature"
"""Name of the family of the few features that the literature names, with every label."""

EVERY_PAIR = "all"
"""Name of the family of every shape feature with every label."""

_TITLES = {
    LITERATURE: "Shape features that the literature names, against every label",
    EVERY_PAIR: "Every shape feature against every label",
}

FamilyChoice = Family | str | os.PathLike[str] | None
"""A family; the name of a bundled study; "literature"; "all"; a TOML file; or None for what fits
the tables."""


def choose_family(
    choice: FamilyChoice, features: FeatureSource, labels: Labels | LabelSource
) -> Family:
    """Return the hypotheses that were asked for, checked against the tables.

    Parameters
    ----------
    choice : Family, str, path or None
        A family; the name of a bundled study; "literature" for the few features that the
        literature names, with every label; "all" for every shape feature with every label; or a
        TOML file. None stands for the hypotheses of the one bundled study whose features and labels
        are all in the tables, and for "literature" if there is none.
    features : path, DataFrame or FeatureTable
        Feature table.
    labels : Labels, or what `read_labels` takes
        The labels of the patients.

    Returns
    -------
    Family
        Its hypotheses name columns of the feature table, and labels that can be tested.

    Raises
    ------
    InputError
        If the choice is none of these, or names a feature or label that is not there or cannot be
        tested; if several studies fit; if no patient has both features and labels.

    Examples
    --------
    >>> patients = [f"p{i}" for i in range(6)]
    >>> features = pd.DataFrame({"case": patients, "patient": patients, "masks": "manual"})
    >>> features["margin_fluctuation"] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    >>> grades = pd.DataFrame({"patient": patients, "grade": ["II", "III"] * 3})
    >>> choose_family(None, features, grades).hypotheses[0].label
    'grade'
    """
    return chosen_family(choice, read_features(features), as_labels(labels))


def every_pair(features: FeatureSource, labels: Labels | LabelSource) -> Family:
    """Return the family of every shape feature with every label that a test can take.

    Left out, and listed: counts, such as the number of slices; features without two different
    values; and labels that are constant, of a kind that no test takes, contradictory between
    tables, or that say the same as an earlier label.

    Parameters
    ----------
    features : path, DataFrame or FeatureTable
        Feature table.
    labels : Labels, or what `read_labels` takes
        The labels of the patients.

    Returns
    -------
    Family
        Named "all".

    Raises
    ------
    InputError
        If nothing remains to be tested.

    Examples
    --------
    >>> patients = [f"p{i}" for i in range(6)]
    >>> features = pd.DataFrame({"case": patients, "patient": patients, "masks": "manual"})
    >>> features["sphericity"] = [0.3, 0.5, 0.4, 0.8, 0.7, 0.9]
    >>> labels = pd.DataFrame({"patient": patients, "idh": ["mutant", "wild-type"] * 3})
    >>> [(one.feature, one.label) for one in every_pair(features, labels).hypotheses]
    [('sphericity', 'idh')]
    """
    return _crossed(EVERY_PAIR, read_features(features), as_labels(labels))


def read_study_family(name: str) -> Family:
    """Read the hypotheses of a bundled study.

    Parameters
    ----------
    name : str
        The study, one of `shipped_families()`.

    Returns
    -------
    Family
        Its hypotheses.

    Raises
    ------
    InputError
        If there is no bundled study of this name with hypotheses.

    Examples
    --------
    >>> name = next(iter(shipped_families()))
    >>> len(read_study_family(name).hypotheses)
    10
    """
    families = shipped_families()
    if name not in families:
        msg = (
            f"Expected the name of a bundled study, found {name!r}. The studies are: "
            f"{', '.join(families)}.{did_you_mean(name, families)}"
        )
        raise InputError(msg)
    return families[name]


def chosen_family(choice: FamilyChoice, features: pd.DataFrame, labels: Labels) -> Family:
    """Return the same as `choose_family`, from tables that are read."""
    if labels.patients.isdisjoint(features["patient"]):
        msg = (
            "Expected patients with features to have labels, found none in common: the first with "
            f"features is {min(features['patient'])}, the first with labels "
            f"{min(labels.patients, default='none')}.{_near_spellings(features, labels)}"
        )
        raise InputError(msg)
    if {"case", "masks"}.issubset(labels) and not FEATURES.keys().isdisjoint(labels):
        msg = "Expected tables of labels beside the features, found a feature table among them."
        raise InputError(msg)
    if choice is None:
        return _fitting(features, labels)
    if isinstance(choice, Family):
        return _checked(choice, features, labels)
    check_path(choice, "hypotheses: a Family, a name or a TOML file")
    if choice in (LITERATURE, EVERY_PAIR):
        return _crossed(str(choice), features, labels)
    families = shipped_families()
    if str(choice) in families:
        return _checked(families[str(choice)], features, labels)
    if Path(choice).suffix == ".toml":
        return _checked(read_family(choice), features, labels)
    msg = (
        f"Expected hypotheses to be {', '.join([*families, *_TITLES])}, or a TOML file, found "
        f"{str(choice)!r}.{did_you_mean(str(choice), [*families, *_TITLES])}"
    )
    raise InputError(msg)


def _near_spellings(features: pd.DataFrame, labels: Labels) -> str:
    """Return the end of a message: how many keys would join if their spelling did not count."""
    near = match_patients(features["patient"], labels).near
    if not near:
        return ""
    pair = f"{near[0].patient} and {near[0].key}"
    return (
        f" Keys of {len(near)} differ in their spelling alone, as {pair}: --match-ids loose "
        "(match_ids= in Python) joins them."
    )


def _fitting(features: pd.DataFrame, labels: Labels) -> Family:
    """Return the hypotheses of the one study that has all it needs, else the literature's."""
    families = shipped_families()
    absent = {name: _absent(family, features, labels) for name, family in families.items()}
    fitting = [name for name in families if not absent[name]]
    if len(fitting) > 1:
        msg = (
            f"Expected the hypotheses of one study to fit the tables, found those of "
            f"{' and '.join(fitting)}. Name one of them, {LITERATURE} or {EVERY_PAIR}."
        )
        raise InputError(msg)
    if fitting:
        return _checked(families[fitting[0]], features, labels)
    passed_over = [
        LeftOut("hypotheses", name, f"found no {'; no '.join(reasons)}")
        for name, reasons in absent.items()
    ]
    family = _crossed(LITERATURE, features, labels)
    return replace(family, left_out=(*passed_over, *family.left_out))


def _crossed(name: str, features: pd.DataFrame, labels: Labels) -> Family:
    """Return the family of this name: its features with every label that a test can take."""
    left_out: list[LeftOut] = []
    measured: list[str] = []
    for feature in measured_columns(features):
        if feature not in FEATURES:
            continue
        if reason := _why_not(feature, name, features):
            left_out.append(LeftOut("feature", feature, reason))
        else:
            measured.append(feature)
    kept: dict[tuple[int, ...], str] = {}
    for label in labels:
        reason, groups = _judged(label, features, labels)
        if not reason and groups in kept:
            reason = f"the same groups of patients as {kept[groups]}"
        if reason:
            left_out.append(LeftOut("label", label, reason))
        else:
            kept[groups] = label
    if not measured or not kept:
        of = "that the literature names" if name == LITERATURE else "of lggshape"
        msg = (
            f"Expected at least one feature {of} and one {testable_kinds()} label with two "
            f"values, found {len(measured)} and {len(kept)}. Other columns can be tested by "
            "naming them in a TOML file of hypotheses; a codebook can name the levels of a label."
            + _why_none(left_out, "feature" if not measured else "label")
        )
        raise InputError(msg)
    return Family(
        name=name,
        title=_TITLES[name],
        hypotheses=tuple(Hypothesis(f, label) for label in kept.values() for f in measured),
        left_out=tuple(left_out),
    )


def _why_not(feature: str, family: str, features: pd.DataFrame) -> str:
    """Return why a feature is not in the family of this name; "" if it is."""
    if FEATURES[feature].is_count:
        return "a count, not a shape; a file of hypotheses can name it"
    if FEATURES[feature].is_exploratory:
        return "exploratory; a file of hypotheses can name it"
    if family == LITERATURE and not FEATURES[feature].in_default_family:
        return "not among the features that the literature names; --hypotheses all tests it"
    return "has fewer than two different values" if features[feature].nunique() < 2 else ""


def _why_none(left_out: Iterable[LeftOut], what: str) -> str:
    """Return the end of a message: why the features, or the labels, were left out."""
    reasons = [
        f"{entry.name} ({entry.reason.rstrip('.')})" for entry in left_out if entry.what == what
    ]
    return f" Left out: {first_few(reasons, separator='; ')}." if reasons else ""


def _judged(name: str, features: pd.DataFrame, labels: Labels) -> tuple[str, tuple[int, ...]]:
    """Return why a label cannot be tested, if so, and how it divides the patients."""
    try:
        label = labels[name]
    except InputError as error:
        return str(error), ()
    values = label.values[label.values.index.isin(features["patient"])]
    codes, _ = pd.factorize(values.reindex(sorted(labels.patients)))
    if reason := part_of_survival(name, label, labels):
        return reason, ()
    if not tests_for(label.kind):
        return why_no_test(label), ()
    return why_one_value(label, features["patient"]), tuple(codes.tolist())


def _checked(family: Family, features: pd.DataFrame, labels: Labels) -> Family:
    """Return a family whose features and labels are there and can be tested, by their columns."""
    if not family.hypotheses:
        msg = f"Expected the family {family.name} to have a hypothesis, found none."
        raise InputError(msg)
    labels = define_labels(family.definitions, labels)
    if absent := _absent(family, features, labels):
        msg = (
            f"Expected the tables to have all that the hypotheses {family.name} name, found no "
            f"{'; no '.join(absent)}. {_what_there_is(family, features, labels)}"
        )
        raise InputError(msg)
    columns = measured_columns(features)
    family = replace(
        family,
        hypotheses=tuple(
            replace(
                h,
                feature=find_feature(h.feature, columns) or h.feature,
                higher_in=_as_spelled(h.higher_in, labels[h.label].levels),
            )
            for h in family.hypotheses
        ),
        reported_aucs=tuple(
            entry._replace(feature=find_feature(entry.feature, columns) or entry.feature)
            for entry in family.reported_aucs
        ),
    )
    pairs = {(h.feature, h.label) for h in family.hypotheses}
    for entry in family.reported_aucs:
        if (entry.feature, entry.label) not in pairs:
            msg = (
                f"Expected every [[auc]] of the hypotheses {family.name} to belong to one of them, "
                f"found {entry.feature} x {entry.label}."
            )
            raise InputError(msg)
    for hypothesis in family.hypotheses:
        _check_label(hypothesis, labels, family.name)
    first: dict[tuple[str, tuple[int, ...]], str] = {}
    for one in family.hypotheses:
        label = first.setdefault((one.feature, labels.identity(one.label)), one.label)
        if label != one.label:
            msg = (
                f"Expected every hypothesis once, found {one.feature} x {label} again as "
                f"{one.label}: hypotheses {family.name}."
            )
            raise InputError(msg)
    return family


def _as_spelled(level: str | None, levels: Iterable[str]) -> str | None:
    """Return a level as the label spells it; as it is if the label has none that is alike."""
    alike = {same_spelling(one): one for one in levels}
    return None if level is None else alike.get(same_spelling(level), level)


def _check_label(hypothesis: Hypothesis, labels: Labels, family: str) -> None:
    label = labels[hypothesis.label]
    if not tests_for(label.kind):
        msg = (
            f"Expected the label {label.name} to be {testable_kinds()}, found "
            f"{why_no_test(label)}: hypotheses {family}."
        )
        raise InputError(msg)
    if hypothesis.higher_in is not None and hypothesis.higher_in not in label.levels:
        if not label.levels:
            msg = (
                f"Expected `higher_in` for a label with levels, found it for {label.name}, which "
                f"is {label.kind.word}."
            )
            raise InputError(msg)
        msg = (
            f"Expected `higher_in` to be a level of {label.name} ({', '.join(label.levels)}), "
            f"found {hypothesis.higher_in!r}."
        )
        raise InputError(msg)


def _absent(family: Family, features: pd.DataFrame, labels: Labels) -> list[str]:
    columns = measured_columns(features)
    wanted = dict.fromkeys(h.feature for h in family.hypotheses)
    asked = dict.fromkeys(h.label for h in family.hypotheses)
    return [
        *(f"feature {name}" for name in wanted if find_feature(name, columns) is None),
        *(f"label {name}" for name in asked if name not in labels),
    ]


def _what_there_is(family: Family, features: pd.DataFrame, labels: Labels) -> str:
    """List the features and labels of the tables, of the sort that a family lacks."""
    columns = measured_columns(features)
    symbols = [feature_symbol(name) for name in columns]
    named = [
        name if symbol == name.replace("_", " ") else f"{name} ({symbol})"
        for name, symbol in zip(columns, symbols, strict=True)
    ]
    lacking = [h.feature for h in family.hypotheses if find_feature(h.feature, columns) is None]
    unknown = [h.label for h in family.hypotheses if h.label not in labels]
    said = []
    for name in lacking[:1]:
        why = why_no_number(name, features) or did_you_mean(name, [*columns, *symbols])
        said.append(f"The features are: {', '.join(named) or 'none'}.{why}")
    for name in unknown[:1]:
        near = did_you_mean(name, labels)
        said.append(f"The labels are: {', '.join(labels) or 'none'}.{near}")
    return " ".join(said)
