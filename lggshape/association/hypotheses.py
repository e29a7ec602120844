"""Hypotheses as data: which feature is tested against which label, in which family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lggshape.association.feature_table import measured_columns
from lggshape.errors import InputError
from lggshape.files import read_toml
from lggshape.labels import Kind
from lggshape.labels.labels import Labels
from lggshape.shape import FEATURES

DEFAULT_PRESET = "buda2019"


@dataclass(frozen=True)
class Hypothesis:
    """A feature goes with a label.

    Attributes
    ----------
    feature : str
        Column of the feature table.
    label : str
        Column of the label tables, or `table:column`.
    higher_in : str or None
        The level in which the more irregular shapes are expected, if a direction was stated.
    reported_below : float or None
        The bound under which the study that stated the hypothesis reports its p.
    """

    feature: str
    label: str
    higher_in: str | None = None
    reported_below: float | None = None


class ReportedAUC(NamedTuple):
    """One-vs-rest areas under the curve that a publication reports, by level."""

    feature: str
    label: str
    masks: str
    values: Mapping[str, float]


class LeftOut(NamedTuple):
    """A feature, label or hypothesis that is not tested, and why."""

    what: str
    name: str
    reason: str


@dataclass(frozen=True)
class Family:
    """The hypotheses that a correction for multiple testing covers together.

    Attributes
    ----------
    name : str
        Name of the family, given beside every corrected p.
    title : str
        What is asked, as the heading of a report.
    hypotheses : tuple of Hypothesis
        In the order in which they are reported.
    alpha : float
        The error rate that the whole family is to keep.
    reference : str or None
        The publication that the hypotheses come from.
    reported_aucs : tuple of ReportedAUC
        What that publication reports.
    left_out : tuple of LeftOut
        What was considered and is not tested.
    notes : tuple of str
        What a reader has to know about these hypotheses, as the report prints it.
    """

    name: str
    title: str
    hypotheses: tuple[Hypothesis, ...]
    alpha: float = 0.05
    reference: str | None = None
    reported_aucs: tuple[ReportedAUC, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def reported_bounds(self) -> dict[tuple[str, str], float | None]:
        """Give the bound of p that the publication reports, by feature and label."""
        return {(h.feature, h.label): h.reported_below for h in self.hypotheses}


def read_family(path: Path) -> Family:
    """Read a family of hypotheses from a TOML file.

    Parameters
    ----------
    path : Path
        `name`, `title`, `alpha`, `reference` and `notes`, all optional, and a [[hypothesis]] with
        `feature` and `label` for each hypothesis. `studies/buda2019/hypotheses.toml` is an example.

    Returns
    -------
    Family
        What the file says.

    Raises
    ------
    InputError
        If it cannot be read, lacks something, has a key that has no meaning, or states a
        hypothesis twice.
    """
    return _family(read_toml(path), name=path.stem, where=str(path))


def read_preset(name: str = DEFAULT_PRESET) -> Family:
    """Read a family of hypotheses that ships with the package."""
    preset = resources.files("lggshape.studies") / name / "hypotheses.toml"
    return _family(read_toml(preset.read_bytes()), name=name, where=f"preset {name}")


def choose_family(choice: str | None, features: pd.DataFrame, labels: Labels) -> Family:
    """Give the hypotheses that were asked for.

    Parameters
    ----------
    choice : str or None
        "buda2019", "all", or the path of a TOML file. Without a choice: "buda2019" if the tables
        have all its labels and features, else "all".
    features : DataFrame
        Feature table, as from `read_features`.
    labels : Labels
        The labels of the patients.

    Returns
    -------
    Family
        Its hypotheses all name features and labels that are there.

    Raises
    ------
    InputError
        If the choice is none of these, or names a feature or label that is not there; if no
        patient has both features and labels.
    """
    if labels.patients.isdisjoint(features["patient"]):
        msg = (
            "Expected patients with features to have labels, found none: the first with features "
            f"is {min(features['patient'], default='none')}, the first with labels "
            f"{min(labels.patients, default='none')}."
        )
        raise InputError(msg)
    preset = read_preset()
    absent = _absent(preset, features, labels)
    if choice is None and absent:
        passed_over = LeftOut("hypotheses", preset.name, f"found no {'; no '.join(absent)}")
        family = every_pair(features, labels)
        return replace(family, left_out=(passed_over, *family.left_out))
    choice = choice or preset.name
    if choice == "all":
        return every_pair(features, labels)
    if choice == preset.name:
        family = preset
    elif Path(choice).suffix == ".toml":
        family = read_family(Path(choice))
    else:
        msg = f"Expected hypotheses to be {preset.name}, all, or a TOML file, found {choice!r}."
        raise InputError(msg)
    absent = _absent(family, features, labels)
    if absent:
        msg = (
            f"Expected the tables to have all that the hypotheses {family.name} name, found no "
            f"{'; no '.join(absent)}."
        )
        raise InputError(msg)
    for hypothesis in family.hypotheses:
        label = labels[hypothesis.label]
        if label.kind is not Kind.CATEGORICAL:
            msg = (
                f"Expected the label {label.name} to be categorical, found it {label.kind}: "
                f"hypotheses {family.name}. A codebook can name its levels."
            )
            raise InputError(msg)
        if hypothesis.higher_in is not None and hypothesis.higher_in not in label.levels:
            msg = (
                f"Expected `higher_in` to be a level of {label.name} "
                f"({', '.join(label.levels)}), found {hypothesis.higher_in!r}."
            )
            raise InputError(msg)
    return family


def every_pair(features: pd.DataFrame, labels: Labels) -> Family:
    """Make the family of every feature with every label that Fisher's test can take.

    Left out, and listed: features without two different values, and labels that are constant,
    continuous, times or identifiers, or that say the same as an earlier label.

    Parameters
    ----------
    features : DataFrame
        Feature table, as from `read_features`.
    labels : Labels
        The labels of the patients.

    Returns
    -------
    Family
        Named "all".

    Raises
    ------
    InputError
        If nothing remains to be tested, or two tables contradict each other on a label.
    """
    left_out: list[LeftOut] = []
    measured: list[str] = []
    for name in measured_columns(features):
        if name not in FEATURES:
            continue
        if not FEATURES[name].in_default_family:
            left_out.append(LeftOut("feature", name, "not in the default family of features"))
        elif features[name].nunique() < 2:
            left_out.append(LeftOut("feature", name, "has no two different values"))
        else:
            measured.append(name)
    kept: dict[str, tuple[int, ...]] = {}
    for name in labels:
        label = labels[name]
        values = label.values[label.values.index.isin(features["patient"])]
        codes, _ = pd.factorize(values.reindex(sorted(labels.patients)))
        partition = tuple(codes.tolist())
        twin = next((other for other, groups in kept.items() if groups == partition), None)
        if label.kind is not Kind.CATEGORICAL:
            left_out.append(LeftOut("label", name, f"{label.kind}, not categorical"))
        elif values.nunique() < 2:
            left_out.append(LeftOut("label", name, "constant among the patients with features"))
        elif twin is not None:
            left_out.append(LeftOut("label", name, f"the same groups of patients as {twin}"))
        else:
            kept[name] = partition
    if not measured or not kept:
        msg = (
            "Expected at least one feature of lggshape and one categorical label with two "
            f"levels, found {len(measured)} and {len(kept)}. Other columns can be tested by "
            "naming them in a TOML file of hypotheses; a codebook can name the levels of a label."
        )
        raise InputError(msg)
    return Family(
        name="all",
        title="Every shape feature against every categorical label",
        hypotheses=tuple(Hypothesis(f, name) for name in kept for f in measured),
        left_out=tuple(left_out),
    )


def _absent(family: Family, features: pd.DataFrame, labels: Labels) -> list[str]:
    wanted = dict.fromkeys(h.feature for h in family.hypotheses)
    asked = dict.fromkeys(h.label for h in family.hypotheses)
    columns = measured_columns(features)
    return [
        *(f"feature {name}" for name in wanted if name not in columns),
        *(f"label {name}" for name in asked if name not in labels),
    ]


def _family(content: Mapping[str, Any], *, name: str, where: str) -> Family:
    known = {"name", "title", "alpha", "reference", "notes", "hypothesis", "auc"}
    _check_keys(content, known, "a family", where)
    entries, aucs = content.get("hypothesis", []), content.get("auc", [])
    if not isinstance(entries, list) or not entries or not isinstance(aucs, list):
        msg = f"Expected one [[hypothesis]] or more, and any [[auc]] in a list: {where}."
        raise InputError(msg)
    for key in ("name", "title", "reference"):
        if not isinstance(content.get(key, ""), str):
            msg = f"Expected {key} to be text, found {content[key]!r}: {where}."
            raise InputError(msg)
    notes = content.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        msg = f"Expected notes to be a list of texts, found {notes!r}: {where}."
        raise InputError(msg)
    hypotheses = [_hypothesis(entry, where) for entry in entries]
    pairs = [(h.feature, h.label) for h in hypotheses]
    doubled = sorted({pair for pair in pairs if pairs.count(pair) > 1})
    if doubled:
        msg = f"Expected every hypothesis once, found {' x '.join(doubled[0])} twice: {where}."
        raise InputError(msg)
    alpha = content.get("alpha", 0.05)
    if not isinstance(alpha, float) or not 0 < alpha < 1:
        msg = f"Expected alpha to be a number between 0 and 1, found {alpha!r}: {where}."
        raise InputError(msg)
    return Family(
        name=content.get("name", name),
        title=content.get("title", content.get("name", name)),
        hypotheses=tuple(hypotheses),
        alpha=alpha,
        reference=content.get("reference"),
        reported_aucs=tuple(_reported_auc(entry, where) for entry in aucs),
        notes=tuple(notes),
    )


def _hypothesis(entry: Any, where: str) -> Hypothesis:
    _check_keys(entry, {"feature", "label", "higher_in", "reported_below"}, "a hypothesis", where)
    texts = [entry.get(key) for key in ("feature", "label")]
    texts += [entry["higher_in"]] if "higher_in" in entry else []
    if not all(isinstance(text, str) for text in texts):
        msg = (
            "Expected a hypothesis to have a `feature` and a `label`, and texts for these and for "
            f"`higher_in`, found {entry}: {where}."
        )
        raise InputError(msg)
    bound = entry.get("reported_below", 1.0)
    if not isinstance(bound, float) or not 0 < bound <= 1:
        msg = f"Expected `reported_below` to be a number up to 1, found {bound!r}: {where}."
        raise InputError(msg)
    return Hypothesis(**entry)


def _reported_auc(entry: Any, where: str) -> ReportedAUC:
    _check_keys(entry, {"feature", "label", "masks", "values"}, "an auc", where)
    match entry:
        case {"feature": str(), "label": str(), "masks": str(), "values": dict(values)}:
            if all(isinstance(v, float) and 0 <= v <= 1 for v in values.values()):
                return ReportedAUC(**entry)
    msg = (
        "Expected an [[auc]] with the texts feature, label and masks, and values from 0 to 1 by "
        f"level, found {entry}: {where}."
    )
    raise InputError(msg)


def _check_keys(entry: Any, known: set[str], what: str, where: str) -> None:
    unknown: Sequence[str] = sorted(set(entry) - known) if isinstance(entry, Mapping) else [entry]
    if unknown:
        msg = (
            f"Expected {what} to have only the keys {', '.join(sorted(known))}, found "
            f"{', '.join(map(str, unknown))}: {where}."
        )
        raise InputError(msg)
