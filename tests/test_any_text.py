"""Functions that are given text by strangers: whatever it is, they return a value or refuse it."""

from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lggshape.errors import InputError
from lggshape.files import read_toml
from lggshape.labels import read_labels
from lggshape.names import natural_key, printable, stand_in, what_is_unsafe
from lggshape.readers.layouts import patient_key, whose
from lggshape.readers.naming import read_name
from lggshape.readers.pattern import Pattern
from lggshape.tables import plain_number
from lggshape.tables.text_files import read_text_rows

settings.register_profile("tests", derandomize=True, database=None, deadline=None, max_examples=60)
settings.load_profile("tests")

TEXT = st.text(max_size=20)
CELL = st.one_of(
    TEXT, st.floats().map(str), st.integers().map(str), st.sampled_from(["NA", "1,5", "1.2.2021"])
)


@given(TEXT)
def test_what_stands_in_for_a_name_is_the_name_of_a_file_or_begins_so_invariant(name: str) -> None:
    assert what_is_unsafe(stand_in(name) + "x") == ""


ODD = st.text(st.sampled_from("ab /\\%é\t\u2028\udcfc\udcf6\ud800"), max_size=6)


@given(ODD, ODD)
def test_two_names_have_two_stand_ins_invariant(one: str, other: str) -> None:
    assert (stand_in(one) == stand_in(other)) == (one == other)
    assert stand_in(one * 40).encode()


@given(st.one_of(TEXT, ODD))
def test_a_line_of_the_terminal_stays_one_invariant(text: str) -> None:
    assert printable(text).isprintable()


@given(TEXT, TEXT)
def test_every_two_names_have_an_order_invariant(one: str, other: str) -> None:
    assert (natural_key(one) == natural_key(other)) == (one == other)


@given(TEXT)
def test_names_of_cases_are_read_invariant(name: str) -> None:
    assert isinstance(patient_key(name), str)
    assert isinstance(whose(name).patient, str)
    assert isinstance(read_name(name).role, str)


@given(st.text(alphabet="{}/:=,.*abrolepatient", max_size=30))
def test_patterns_are_read_or_refused_invariant(text: str) -> None:
    with suppress(InputError):
        Pattern(text)


@given(TEXT)
def test_a_plain_number_stays_as_it_is_invariant(text: str) -> None:
    assert plain_number(plain_number(text)) == plain_number(text)


@given(st.binary(max_size=200))
def test_bytes_are_a_table_or_refused_invariant(content: bytes) -> None:
    with suppress(InputError):
        assert all(row for _, row in read_text_rows(content, Path("a.csv")).rows)


@given(st.binary(max_size=200))
def test_bytes_are_toml_or_refused_invariant(content: bytes) -> None:
    with suppress(InputError):
        assert isinstance(read_toml(content), dict)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_cells_in_a_file_are_those_in_memory_or_refused_invariant(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    table = pd.DataFrame(rows, columns=["one", "two"])
    table.insert(0, "patient", [f"P{number}" for number in range(len(rows))])
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    table.to_csv(path, index=False)
    with suppress(InputError):
        read, in_memory = read_labels(path), read_labels(table)
        for name in read:
            pd.testing.assert_series_equal(read[name].values, in_memory[name].values)
