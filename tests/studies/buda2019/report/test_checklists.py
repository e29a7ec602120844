import ast
import re
from pathlib import Path

import pandas as pd
import pytest

from lggshape.report.checklists import FOR_THE_AUTHORS, NO, NOT_APPLICABLE, YES
from lggshape.studies.buda2019.report.checklists import read_checklists, score

PROJECT = Path(__file__).resolve().parents[4]
TABLE = read_checklists()
METRICS = TABLE[TABLE["checklist"] == "METRICS"]


def made(*rows: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["answer", "weight"])


def test_only_the_item_on_end_to_end_networks_does_not_apply() -> None:
    # Of the five conditions of METRICS only the last fails: the networks outline, nothing predicts.
    assert METRICS.loc[METRICS["answer"] == NOT_APPLICABLE, "number"].tolist() == [17]


def test_every_yes_names_what_can_be_opened_and_every_other_answer_has_a_reason() -> None:
    assert set(TABLE["answer"]) == {YES, NO, NOT_APPLICABLE, FOR_THE_AUTHORS}
    for row in TABLE.itertuples():
        assert row.where, f"{row.checklist} {row.number}"
        if row.answer == YES:
            assert re.search(r"\w\.(csv|md|json|toml)\b", row.where), (
                f"{row.checklist} {row.number}"
            )


def test_tables_that_are_named_are_written() -> None:
    modules = (PROJECT / "lggshape" / "studies" / "buda2019").glob("*_steps.py")
    written = {
        key.value
        for path in modules
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and function.returns is not None
        if ast.unparse(function.returns) == "Tables"
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant)
    }
    named = {table for where in TABLE["where"] for table in re.findall(r"(\w+)\.csv\b", where)}
    assert named
    assert named <= written


def test_documents_that_are_named_are_there() -> None:
    for item in TABLE.itertuples():
        documents = re.findall(r"([\w/]+\.(?:md|toml|json))(?: \(([^)]+)\))?", item.where)
        for path, sections in documents:
            if path == "run.json":
                continue
            text = (PROJECT / path).read_text(encoding="utf-8")
            for section in filter(None, sections.split("; ")):
                heading = f"## {section.partition(':')[0]}\n"
                assert heading in text, f"{item.checklist} {item.number}: {path} has no {heading}"


def test_score_analytic() -> None:
    rows = [("yes", 0.2), ("no", 0.3), ("not applicable", 0.1), ("for the authors", 0.4)]
    assert score(made(*rows)) == pytest.approx(100 * 0.2 / 0.9)
    assert score(made(*rows[1:])) == 0
    assert score(made(*rows[:1])) == 100


def test_score_of_metrics_is_that_of_its_weights_analytic() -> None:
    # 1 - 0.0200 (item 17) applies; without the weights of all items that are answered no.
    refused = METRICS.loc[METRICS["answer"] == NO, "weight"].sum()
    assert score(METRICS) == pytest.approx(100 * (0.98 - refused) / 0.98)
