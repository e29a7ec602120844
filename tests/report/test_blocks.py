import numpy as np
import pandas as pd
import pytest

from lggshape.report import blocks
from lggshape.report.blocks import Column

DATA = pd.DataFrame(
    {
        "feature": ["margin_fluctuation", "own_feature"],
        "label": ["RNASeqCluster", np.nan],
        "n": [92, np.nan],
        "p": [0.00123, np.nan],
        "auc": [0.8049, np.nan],
        "low": [0.7, np.nan],
        "high": [0.9, np.nan],
        "reached": [True, False],
    }
)


def cells(*columns: Column) -> list[list[str]]:
    return [list(row) for row in blocks.table(DATA, "", "data", *columns).rows]


def test_a_table_has_a_row_a_row_and_says_where_its_numbers_are() -> None:
    columns = blocks.feature(), blocks.count("patients", "n")
    found = blocks.table(DATA, "A caption.", "associations", *columns)
    assert (found.caption, found.source, found.kind) == ("A caption.", "associations", "table")
    assert [(column.title, column.is_text) for column in found.columns] == [
        ("feature", True),
        ("patients", False),
    ]
    assert found.rows == [["MF", "92"], ["own feature", "—"]]


@pytest.mark.parametrize(
    ("column", "first", "missing"),
    [
        (blocks.words("label", "label"), "RNASeqCluster", "—"),
        (blocks.number("AUC", "auc"), "0.80", "—"),
        (blocks.number("AUC", "auc", 3), "0.805", "—"),
        (blocks.p("p"), "0.0012", "—"),
        (blocks.p("at most", "low"), "0.70", "—"),
        (blocks.interval("AUC", "auc", "low", "high"), "0.80 (0.70 to 0.90)", "—"),
        (blocks.yes("reached", "reached"), "yes", "no"),
    ],
)
def test_cells_by_hand_analytic(column: Column, first: str, missing: str) -> None:
    assert cells(column) == [[first], [missing]]


def test_words_are_text_and_numbers_are_not() -> None:
    texts = blocks.words("a", "a"), blocks.feature(), blocks.yes("a", "a")
    numbers = blocks.number("a", "a"), blocks.count("a", "a"), blocks.p("a")
    assert all(column.is_text for column in texts)
    assert not any(column.is_text for column in (*numbers, blocks.interval("a", "a", "b", "c")))


def test_an_empty_text_is_shown_as_missing_and_zero_is_not() -> None:
    data = pd.DataFrame({"text": ["", "0"], "number": [0, 1]})
    columns = blocks.words("text", "text"), blocks.count("number", "number")
    assert blocks.table(data, "", "data", *columns).rows == [["—", "0"], ["0", "1"]]


def test_a_table_without_rows_has_its_columns() -> None:
    found = blocks.table(DATA[:0], "None.", "data", blocks.feature())
    assert (found.rows, len(found.columns)) == ([], 1)
