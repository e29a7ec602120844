"""A table in memory and the same table through its file give the same result."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import (
    Family,
    Hypothesis,
    associate,
    choose_family,
    every_pair,
    read_features,
)
from lggshape.errors import InputError
from lggshape.files import write_table
from lggshape.labels import read_labels
from lggshape.shape import FeatureTable

N = 24

Change = Callable[[pd.DataFrame], pd.DataFrame]


def features() -> pd.DataFrame:
    i = np.arange(N)
    keys = {"case": [f"c{k}" for k in i], "patient": i, "masks": "manual"}
    values = {
        "margin_fluctuation": (37 * i % 23) / 7,
        "components": 1 + i % 3,
        "own": (11 * i % 19) / 3,
    }
    return pd.DataFrame(keys | values | {"reason": [None] * N})


def labels() -> pd.DataFrame:
    i = np.arange(N)
    return pd.DataFrame(
        {"Patient": i, "g": (i * i + i // 4) % 3, "h": np.where(i % 2, "yes", "no")}
    )


def first_missing(table: pd.DataFrame, name: str, dtype: str) -> pd.DataFrame:
    column = table[name].astype(object)
    column.iloc[0] = None
    return table.assign(**{name: column.astype(dtype)})


FEATURES: dict[str, Change] = {
    "as it is": lambda table: table,
    "Int64": lambda table: first_missing(table, "components", "Int64"),
    "Float64": lambda table: first_missing(table, "margin_fluctuation", "Float64"),
    "float32": lambda table: table.astype({"margin_fluctuation": "float32"}),
    "objects": lambda table: first_missing(table, "components", "object"),
    "numbers as text": lambda table: table.assign(own=table["own"].map("{:.3f}".format)),
    "NA": lambda table: table.assign(own=table["own"].astype(object).where(table.index > 0, "NA")),
    "words": lambda table: table.assign(own="u"),
    "truths": lambda table: table.assign(own=table["own"] > 2, spacing_known=table["own"] > -1),
    "truths with a gap": lambda table: first_missing(
        table.assign(spacing_known=True), "spacing_known", "boolean"
    ),
    "categories": lambda table: table.astype({"masks": "category", "case": "category"}),
    "whole patients as floats": lambda table: table.astype({"patient": float}),
    "patients as text": lambda table: table.astype({"patient": str}),
    "blanks": lambda table: table.assign(patient=" " + table["patient"].astype(str) + " "),
    "another index": lambda table: table.set_index(pd.Index([5] * N)),
    "shuffled": lambda table: table.sample(frac=1, random_state=1),
    "no reason": lambda table: table.drop(columns="reason"),
    "a column without a value": lambda table: table.assign(volume=np.nan, other=None),
}

LABELS: dict[str, Change] = {
    "as it is": lambda table: table,
    "floats": lambda table: table.astype({"g": float, "Patient": float}),
    "a gap": lambda table: first_missing(table, "g", "float"),
    "Int64": lambda table: first_missing(table, "g", "Int64"),
    "numbers as text": lambda table: table.assign(g=table["g"].map("{:.1f}".format)),
    "categories": lambda table: table.astype({"h": "category"}),
    "truths": lambda table: table.assign(h=table["h"] == "yes"),
    "objects": lambda table: first_missing(table, "h", "object"),
    "NA": lambda table: table.assign(h=table["h"].where(table.index > 0, "NA")),
    "another index": lambda table: table.set_index(pd.Index([5] * N)),
}


@pytest.mark.parametrize("kind", FEATURES)
def test_features_in_memory_and_by_file_invariant(tmp_path: Path, kind: str) -> None:
    table = FEATURES[kind](features())
    path = tmp_path / "features.csv"
    write_table(path, table)
    pd.testing.assert_frame_equal(read_features(table), read_features(path))
    pd.testing.assert_frame_equal(read_features(read_features(table)), read_features(table))
    assert every_pair(table, labels()).hypotheses == every_pair(path, labels()).hypotheses


@pytest.mark.parametrize("kind", LABELS)
def test_labels_in_memory_and_by_file_invariant(tmp_path: Path, kind: str) -> None:
    table = LABELS[kind](labels())
    path = tmp_path / "labels.csv"
    write_table(path, table)
    in_memory, by_file = read_labels(table), read_labels(path)
    assert list(in_memory) == list(by_file) == ["g", "h"]
    for name in in_memory:
        pd.testing.assert_series_equal(in_memory[name].values, by_file[name].values)
        assert in_memory[name].levels == by_file[name].levels
    assert in_memory["g"].levels == ("0", "1", "2")


@pytest.mark.parametrize(("of_features", "of_labels"), [("objects", "floats"), ("shuffled", "NA")])
def test_a_study_of_tables_in_memory_and_by_file_invariant(
    tmp_path: Path, of_features: str, of_labels: str
) -> None:
    tables = FEATURES[of_features](features()), LABELS[of_labels](labels())
    paths = tmp_path / "features.csv", tmp_path / "labels.csv"
    for path, table in zip(paths, tables, strict=True):
        write_table(path, table)
    in_memory, by_file = (associate(*sources, "all") for sources in (tables, paths))
    assert in_memory.to_dict() == by_file.to_dict()
    assert in_memory.associations["n"].max() == N


def test_whole_numbers_in_memory_are_features_too() -> None:
    counted = Family("mine", "Mine", (Hypothesis("components", "g"),))
    assert associate(features(), labels(), counted).associations["feature"].tolist() == [
        "components"
    ]


FAMILY = Family("mine", "Mine", (Hypothesis("own", "g"),))

REFUSED: dict[str, tuple[Change, str]] = {
    "a patient twice": (
        lambda table: pd.concat([table, table]),
        r"one row per patient and kind of mask in .*, found 2 of patient 0 \(manual: c0, c0\)",
    ),
    "a patient twice by another spelling": (
        lambda table: table.assign(patient=["7", "7.0", *map(str, range(8, 6 + N))]),
        "found 2 of patient 7",
    ),
    "a patient without a key": (
        lambda table: first_missing(table, "patient", "object"),
        "to name its patient, found none in",
    ),
    "a kind of mask that is missing": (
        lambda table: first_missing(table, "masks", "object"),
        "Expected masks in every row of .*, found none in",
    ),
    "infinite": (
        lambda table: table.assign(own=table["own"].where(table.index > 0, np.inf)),
        "own to be a finite number, found 'inf' for case c0",
    ),
    "a word": (
        lambda table: table.assign(margin_fluctuation="small"),
        "finite number, found 'small' for case c0",
    ),
    "no row": (lambda table: table[:0], "a row per patient, found none"),
    "a column twice": (
        lambda table: pd.concat([table, table[["own"]]], axis=1),
        r"found twice: own\.",
    ),
    "neither true nor false": (
        lambda table: table.assign(spacing_known="perhaps"),
        "True or False, found 'perhaps'",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_feature_table_is_refused_in_memory_and_by_file(tmp_path: Path, kind: str) -> None:
    change, complaint = REFUSED[kind]
    table = change(features())
    path = tmp_path / "features.csv"
    write_table(path, table)
    for source in (table, path):
        with pytest.raises(InputError, match=complaint):
            read_features(source)
        with pytest.raises(InputError, match=complaint):
            associate(source, labels(), FAMILY)
        with pytest.raises(InputError, match=complaint):
            choose_family("all", source, labels())
        with pytest.raises(InputError, match=complaint):
            every_pair(source, labels())


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (pd.DataFrame({"Patient": [1, 1], "g": [1, 2]}), "found several of: 1"),
        (pd.DataFrame({"Patient": [1, None], "g": [1, 2]}), "found none in"),
        (pd.DataFrame({"name": [1, 2], "g": [1, 2]}), "one column of patients"),
    ],
)
def test_a_bad_label_table_is_refused_in_memory_and_by_file(
    tmp_path: Path, table: pd.DataFrame, complaint: str
) -> None:
    write_table(tmp_path / "labels.csv", table)
    for source in (table, tmp_path / "labels.csv", str(tmp_path / "labels.csv")):
        with pytest.raises(InputError, match=complaint):
            associate(features(), source)


def test_features_among_the_labels_are_refused() -> None:
    with pytest.raises(InputError, match="found a feature table among them"):
        associate(features(), features())


def test_what_feature_table_returns_is_taken_invariant() -> None:
    table = FeatureTable(features(), {}, {})
    assert associate(table, labels()).to_dict() == associate(features(), labels()).to_dict()
