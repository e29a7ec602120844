import math
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, Study, associate
from lggshape.figures.style import LEVELS
from lggshape.report.answer import answer
from lggshape.report.blocks import Drawing, Facts, Folded, Text
from lggshape.report.conclusion import MOST_ROWS, conclusion, forest, terms
from lggshape.report.gallery import Gallery

COUNT = 60
NAMES = [f"p{number}" for number in range(COUNT)]


def study(pairs: list[tuple[str, str]], **bounds: float) -> Study:
    rng = np.random.default_rng(2)
    keys = {"case": NAMES, "patient": NAMES, "masks": "manual"}
    true = np.arange(COUNT, dtype=float)
    columns = {
        name: true if name == "margin_fluctuation" else rng.normal(size=COUNT) for name, _ in pairs
    }
    labels = pd.DataFrame({"patient": NAMES, "grade": ["II"] * 30 + ["III"] * 30, "age": true + 20})
    hypotheses = tuple(Hypothesis(*pair, reported_below=bounds.get(pair[1])) for pair in pairs)
    return associate(pd.DataFrame(keys | columns), labels, Family("mine", "Mine", hypotheses))


def test_the_conclusion_names_what_holds_and_how_strongly_analytic() -> None:
    found = study([("margin_fluctuation", "grade"), ("volume", "grade"), ("volume", "age")])
    named, strongest = conclusion(found, "manual")
    assert named == (
        "1 of 3 hypotheses holds after correction for all of them (Bonferroni, 0.05): MF × grade."
    )
    row = found.associations.iloc[0]
    assert strongest == (
        "The smallest p is that of MF × grade (p < 0.000001): its Cramér's V is "
        f"{row.effect:.2f} (95 % interval {row.effect_low:.2f} to {row.effect_high:.2f}) in 60 "
        "patients; MF is highest in III and lowest in II."
    )


@pytest.mark.usefixtures("undrawn")
def test_the_conclusion_has_three_sentences_and_the_rest_stands_below(tmp_path: Path) -> None:
    found = study([("margin_fluctuation", "grade"), ("volume", "grade")], grade=0.01)
    rows = found.associations.assign(exploratory="few patients")
    rows.loc[1, ["p", "p_bonferroni"]] = math.nan
    found = replace(found, associations=rows)
    texts = [one for one in answer(found, Gallery(tmp_path)).blocks if isinstance(one, Text)]
    asked, lead, _, sure, *_ = (unescape(one.text) for one in texts)
    named, strongest, exploratory, untested, published = conclusion(found, "manual")
    assert asked.endswith("The family “mine” has 2 hypotheses.")
    assert lead.endswith(f"Manual masks:</b> {named} {strongest} {exploratory}")
    assert exploratory.startswith("All tests can only be exploratory")
    assert untested == "1 of 2 could not be tested."
    assert published.startswith("These masks reach 1 of the 2 bounds")
    assert "by chance in at most 5 % of such studies" in sure
    assert sure.endswith(f"may still be true. Manual masks: {untested} {published}")


def test_the_figure_tells_its_numbers_and_the_published_bounds(tmp_path: Path) -> None:
    found = study([("margin_fluctuation", "grade")], grade=0.01)
    (drawing,) = forest(found, Gallery(tmp_path))
    assert isinstance(drawing, Drawing)
    assert "in brackets the bound that was published" in drawing.description
    effect = found.associations["effect"].iloc[0]
    assert f"MF × grade: manual {effect:.2f}" in drawing.svg
    assert "(&lt; 0.01)" in drawing.svg


def test_the_markers_of_what_holds_are_filled_analytic(tmp_path: Path) -> None:
    found = study([("margin_fluctuation", "grade"), ("volume", "grade")])
    holds = (found.associations["p_bonferroni"] <= found.family.alpha).tolist()
    assert holds == [True, False]
    (drawing,) = forest(found, Gallery(tmp_path))
    assert isinstance(drawing, Drawing)
    colour = re.escape(LEVELS[0])
    assert len(re.findall(f"fill: {colour}; stroke: {colour}", drawing.svg)) == 1
    assert len(re.findall(f"fill: #ffffff; stroke: {colour}", drawing.svg)) == 1


def test_a_figure_of_many_hypotheses_shows_the_smallest_p(tmp_path: Path) -> None:
    names = ["margin_fluctuation", *(f"f{number}" for number in range(MOST_ROWS))]
    (drawing,) = forest(study([(name, "grade") for name in names]), Gallery(tmp_path))
    assert isinstance(drawing, Drawing)
    assert drawing.description.startswith(f"The {MOST_ROWS} hypotheses with the smallest p, of 41")
    assert "MF × grade" in drawing.svg


def test_features_and_labels_are_explained_where_they_first_appear() -> None:
    found = study([("margin_fluctuation", "grade"), ("margin_fluctuation", "age")])
    features, labels = terms(found)
    assert isinstance(features, Facts)
    assert features.values[0][0] == "MF"
    assert features.values[0][1].startswith("margin fluctuation. Distances from the centroid")
    assert isinstance(labels, Folded)
    (facts,) = labels.blocks
    assert isinstance(facts, Facts)
    assert facts.values == [
        ("grade", "groups: II (30), III (30)"),
        ("age", "a number, of 60 patients"),
    ]
