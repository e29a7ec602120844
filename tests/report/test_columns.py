import numpy as np
import pandas as pd
import pytest

from lggshape.report import columns
from lggshape.report.blocks import Column, Table

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


def cells(*shown: Column) -> list[list[str]]:
    return [list(row) for row in Table.of(DATA, "", "data", *shown).rows]


def test_a_table_has_a_row_per_row_and_says_where_its_numbers_are() -> None:
    shown = columns.feature(), columns.count("patients", "n")
    found = Table.of(DATA, "A caption.", "associations", *shown)
    assert (found.caption, found.source) == ("A caption.", "associations")
    assert [(column.title, column.kind) for column in found.columns] == [
        ("feature", "text"),
        ("patients", "number"),
    ]
    assert found.rows == [["MF", "92"], ["own feature", "—"]]


@pytest.mark.parametrize(
    ("column", "first", "missing"),
    [
        (columns.words("label", "label"), "RNASeqCluster", "—"),
        (columns.number("AUC", "auc"), "0.80", "—"),
        (columns.number("AUC", "auc", 3), "0.805", "—"),
        (columns.p("p"), "0.0012", "—"),
        (columns.p("at most", "low"), "0.70", "—"),
        (columns.interval("AUC", "auc", "low", "high"), "0.80 (0.70 to 0.90)", "—"),
        (columns.yes("reached", "reached"), "yes", "no"),
    ],
)
def test_cells_by_hand_analytic(column: Column, first: str, missing: str) -> None:
    assert cells(column) == [[first], [missing]]


def test_an_empty_text_is_shown_as_missing_and_zero_is_not() -> None:
    data = pd.DataFrame({"text": ["", "0"], "number": [0, 1]})
    shown = columns.words("text", "text"), columns.count("number", "number")
    assert Table.of(data, "", "data", *shown).rows == [["—", "0"], ["0", "1"]]


def test_a_table_without_rows_has_its_columns() -> None:
    found = Table.of(DATA[:0], "None.", "data", columns.feature())
    assert (found.rows, len(found.columns)) == ([], 1)
