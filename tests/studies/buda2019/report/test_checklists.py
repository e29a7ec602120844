import ast
import re
from itertools import groupby, pairwise
from pathlib import Path

import pandas as pd
import pytest

from lggshape.studies.buda2019.report.checklists import Answer, Checklist, Item, read_checklists

PROJECT = Path(__file__).resolve().parents[4]
CLEAR, METRICS = read_checklists()
ITEMS = [(checklist.name, item) for checklist in (CLEAR, METRICS) for item in checklist.items]

# The weights of the METRICS tool: metricsscore.github.io/metrics/METRICS.html, three digits.
OF_THE_TOOL = [
    0.037, 0.074, 0.092, 0.044, 0.029, 0.044, 0.029, 0.034, 0.022, 0.011, 0.062, 0.031, 0.041,
    0.02, 0.02, 0.03, 0.02, 0.06, 0.03, 0.035, 0.023, 0.018, 0.012, 0.029, 0.018, 0.037, 0.075,
    0.007, 0.007, 0.007,
]  # fmt: skip

# The abstract of the METRICS paper names the categories in descending order of weight.
BY_IMPORTANCE = [
    "Study design",
    "Imaging data",
    "Image processing and feature extraction",
    "Metrics and comparison",
    "Testing",
    "Feature processing",
    "Preparation for modelling",
    "Segmentation",
    "Open science",
]


def sizes(checklist: Checklist) -> dict[str, int]:
    """Count the items of each part, parts in their order; a part that comes twice shows."""
    parts = [item.section.partition(":")[0] for item in checklist.items]
    counts = [(name, len(list(group))) for name, group in groupby(parts)]
    assert len(dict(counts)) == len(counts)
    return dict(counts)


def made(*rows: tuple[str, float]) -> Checklist:
    items = (Item(n, "", "", Answer(a), "", w) for n, (a, w) in enumerate(rows, start=1))
    return Checklist("made", "", tuple(items))


@pytest.mark.parametrize(("checklist", "count"), [(CLEAR, 58), (METRICS, 30)])
def test_items_are_numbered_without_gaps_published(checklist: Checklist, count: int) -> None:
    assert [item.number for item in checklist.items] == list(range(1, count + 1))


def test_parts_have_as_many_items_as_published() -> None:
    assert sizes(CLEAR) == {
        "Title": 1, "Abstract": 1, "Keywords": 1, "Introduction": 3, "Method": 37, "Results": 5,
        "Discussion": 4, "Open science": 6,
    }  # fmt: skip
    assert sizes(METRICS) == {
        "Study design": 3, "Imaging data": 4, "Segmentation": 3,
        "Image processing and feature extraction": 3, "Feature processing": 4,
        "Preparation for modelling": 2, "Metrics and comparison": 6, "Testing": 2,
        "Open science": 3,
    }  # fmt: skip


def test_weights_published() -> None:
    weights = METRICS.table().set_index("number")["weight"]
    assert weights.sum() == pytest.approx(1, abs=30 * 0.00005)
    assert weights.tolist() == pytest.approx(OF_THE_TOOL, abs=0.00051)
    of_category = METRICS.table().groupby("section")["weight"].sum()[BY_IMPORTANCE]
    # The third and the fourth are equal.
    assert all(above >= below - 1e-9 for above, below in pairwise(of_category))


def test_only_items_whose_condition_fails_do_not_apply() -> None:
    failed = {n for condition in METRICS.conditions if not condition.holds for n in condition.items}
    assert {i.number for i in METRICS.items if i.answer == Answer.NOT_APPLICABLE} == failed
    assert [condition.number for condition in METRICS.conditions] == [1, 2, 3, 4, 5]


def test_every_yes_names_what_can_be_opened_and_every_other_answer_has_a_reason() -> None:
    for name, item in ITEMS:
        assert item.where, f"{name} {item.number}"
        if item.answer == Answer.YES:
            assert re.search(r"\w\.(csv|md|json|toml)\b", item.where), f"{name} {item.number}"


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
    named = {table for _, item in ITEMS for table in re.findall(r"(\w+)\.csv\b", item.where)}
    assert named
    assert named <= written


def test_documents_that_are_named_are_there() -> None:
    for name, item in ITEMS:
        documents = re.findall(r"([\w/]+\.(?:md|toml|json))(?: \(([^)]+)\))?", item.where)
        for path, sections in documents:
            if path == "run.json":
                continue
            text = (PROJECT / path).read_text(encoding="utf-8")
            for section in filter(None, sections.split("; ")):
                heading = f"## {section.partition(':')[0]}\n"
                assert heading in text, f"{name} {item.number}: {path} has no {heading}"


def test_score_analytic() -> None:
    rows = [("yes", 0.2), ("no", 0.3), ("not applicable", 0.1), ("for the authors", 0.4)]
    assert made(*rows).score == pytest.approx(100 * 0.2 / 0.9)
    assert made(*rows[1:]).score == 0
    assert made(*rows[:1]).score == 100
    assert CLEAR.score is None


def test_score_of_metrics_is_that_of_its_weights_analytic() -> None:
    # 1 - 0.0200 (item 17) applies; without the weights of all items that are answered no.
    refused = sum(item.weight or 0 for item in METRICS.items if item.answer == Answer.NO)
    assert METRICS.score == pytest.approx(100 * (0.98 - refused) / 0.98)


def test_table() -> None:
    table = METRICS.table()
    assert list(table) == ["number", "section", "item", "answer", "where", "weight"]
    assert list(CLEAR.table()) == ["number", "section", "item", "answer", "where"]
    both = pd.concat([CLEAR.table(), table])
    assert set(both.to_csv(index=False, columns=["answer"]).split("\n")) == {
        "answer", "yes", "no", "not applicable", "for the authors", "",
    }  # fmt: skip
