import re
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, Study, associate
from lggshape.report import write_report
from lggshape.report.blocks import Table
from lggshape.report.checklists import (
    FOR_THE_AUTHORS,
    NO,
    NOT_APPLICABLE,
    YES,
    checklists_of,
    of_associations,
)
from lggshape.report.document import study_sections
from lggshape.report.gallery import Gallery

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


def study(feature: str = "volume", count: int = 200, **options: object) -> Study:
    rng = np.random.default_rng(5)
    names = [f"p{number}" for number in range(count)]
    features = pd.DataFrame({"case": names, "patient": names, "masks": "manual"})
    features[feature] = rng.normal(size=count)
    labels = pd.DataFrame({"patient": names, "idh": ["mutant", "wild type"] * (count // 2)})
    labels["age"] = rng.uniform(20, 80, count)
    family = Family("mine", "Mine", (Hypothesis(feature, "idh"),))
    return associate(features, labels, family, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain() -> Study:
    return study()


@pytest.fixture(scope="module")
def adjusted() -> Study:
    return study(adjust=["age"])


def answers(found: Study, checklist: str = "CLEAR") -> pd.Series:
    table = checklists_of(found)
    return table[table["checklist"] == checklist].set_index("number")["answer"]


def test_items_are_numbered_without_gaps_published(plain: Study) -> None:
    table = checklists_of(plain)
    for name, count in (("CLEAR", 58), ("METRICS", 30)):
        numbers = table.loc[table["checklist"] == name, "number"]
        assert numbers.tolist() == list(range(1, count + 1))


def test_parts_have_as_many_items_as_published(plain: Study) -> None:
    parts = checklists_of(plain)["section"].str.partition(":")[0]
    sizes = [(name, len(list(group))) for name, group in groupby(parts)]
    assert sizes == [
        ("Title", 1), ("Abstract", 1), ("Keywords", 1), ("Introduction", 3), ("Method", 37),
        ("Results", 5), ("Discussion", 4), ("Open science", 6),
        ("Study design", 3), ("Imaging data", 4), ("Segmentation", 3),
        ("Image processing and feature extraction", 3), ("Feature processing", 4),
        ("Preparation for modelling", 2), ("Metrics and comparison", 6), ("Testing", 2),
        ("Open science", 3),
    ]  # fmt: skip


def test_weights_published(plain: Study) -> None:
    table = checklists_of(plain)
    metrics = table[table["checklist"] == "METRICS"]
    weights = metrics["weight"]
    assert weights.sum() == pytest.approx(1, abs=30 * 0.00005)
    assert weights.tolist() == pytest.approx(OF_THE_TOOL, abs=0.00051)
    of_category = metrics.groupby("section")["weight"].sum()[BY_IMPORTANCE]
    # The third and the fourth are equal.
    assert all(above >= below - 1e-9 for above, below in pairwise(of_category))
    assert table.loc[table["checklist"] == "CLEAR", "weight"].isna().all()


def test_confounders_are_dealt_with_only_if_covariates_were_named_invariant(
    plain: Study, adjusted: Study
) -> None:
    for name, number in (("CLEAR", 36), ("METRICS", 19)):
        assert answers(plain, name)[number] == NO
        assert answers(adjusted, name)[number] == YES
    assert answers(plain)[17] == NOT_APPLICABLE
    assert answers(adjusted)[17] == YES


def test_few_patients_and_other_features_change_the_answers_invariant(plain: Study) -> None:
    few, other = study(count=12), study("texture")
    assert answers(plain, "METRICS")[16] == YES
    assert answers(few, "METRICS")[16] == NO
    assert answers(plain)[23] == NOT_APPLICABLE
    assert answers(other)[23] == FOR_THE_AUTHORS


@pytest.mark.usefixtures("undrawn")
def test_what_is_named_is_in_the_report_invariant(adjusted: Study, tmp_path: Path) -> None:
    sections = study_sections(adjusted, Gallery(tmp_path))
    titles = {section.short or section.title for section in sections}
    write_report(adjusted, tmp_path / "out")
    files = {path.name for path in (tmp_path / "out").iterdir()}
    table = checklists_of(adjusted)
    shown = " ".join(table["where"])
    assert {"Answer", "Adjusted"} <= set(re.findall("“(.+?)”", shown)) <= titles
    assert set(re.findall(r"\w+\.(?:csv|json)", shown)) <= files
    assert all(
        re.search("“|csv|json", where) for where in table.loc[table["answer"] == YES, "where"]
    )
    kept = pd.read_csv(tmp_path / "out" / "checklists.csv")
    assert kept["answer"].tolist() == table["answer"].tolist()


def test_no_score_is_claimed_of_what_is_for_the_authors(plain: Study) -> None:
    section = of_associations(checklists_of(plain))
    assert section.folded
    _, clear, metrics = section.blocks
    assert isinstance(clear, Table)
    assert isinstance(metrics, Table)
    count = int((answers(plain, "METRICS") == FOR_THE_AUTHORS).sum())
    assert f"no score, because {count} items of 30 are open" in metrics.caption
    assert [column.title for column in metrics.columns][-1] == "weight"
    assert [column.title for column in clear.columns][-1] == "where"
