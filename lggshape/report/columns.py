"""Columns of tables: how the numbers and words of a data frame are written."""

import math
from typing import Any

import pandas as pd
from markupsafe import Markup

from lggshape.report import wording
from lggshape.report.blocks import Column


def words(title: str, name: str) -> Column:
    """Return a column of text."""
    return Column(title, lambda row: _shown(getattr(row, name)), "text")


def feature(title: str = "feature", name: str = "feature") -> Column:
    """Return a column of the abbreviations of features."""
    return Column(title, lambda row: wording.symbol(getattr(row, name)), "text")


def label(title: str = "label", name: str = "label") -> Column:
    """Return a column of the names of labels, which may be broken after an underscore."""
    return Column(title, lambda row: Markup("_<wbr>").join(getattr(row, name).split("_")), "text")


def number(title: str, name: str, digits: int = 2) -> Column:
    """Return a column of numbers with a fixed number of digits."""
    return Column(title, lambda row: wording.number_text(_float(getattr(row, name)), digits))


def count(title: str, name: str) -> Column:
    """Return a column of whole numbers."""
    return number(title, name, 0)


def p(title: str, name: str = "p") -> Column:
    """Return a column of p-values."""
    return Column(title, lambda row: wording.p_text(float(getattr(row, name))))


def interval(title: str, estimate: str, low: str, high: str, digits: int = 2) -> Column:
    """Return a column of estimates with their intervals."""

    def cell(row: Any) -> str:
        found, start, end = (float(getattr(row, name)) for name in (estimate, low, high))
        return wording.interval_text(found, start, end, digits)

    return Column(title, cell)


def yes(title: str, name: str) -> Column:
    """Return a column of truth values."""
    return Column(title, lambda row: "yes" if getattr(row, name) else "no", "text")


def _float(value: Any) -> float:
    """Return a number; NaN for every sign of a missing one."""
    return math.nan if pd.isna(value) else float(value)


def _shown(value: Any) -> str:
    return "—" if pd.isna(value) or value == "" else str(value)
