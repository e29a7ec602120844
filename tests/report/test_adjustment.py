import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, associate
from lggshape.report import write_report
from lggshape.report.wording import p_text

NASTY = "<b>age</b>"


def report(folder: Path, **options: object) -> str:
    """Return the section on covariates of a study of sixty patients, as HTML."""
    rng = np.random.default_rng(5)
    patients = [f"p{number}" for number in range(60)]
    keys = {"case": patients, "patient": patients, "masks": "manual"}
    features = pd.DataFrame(keys | {"x": rng.normal(size=60), "site": rng.choice(list("ABC"), 60)})
    features["twin"] = np.exp(features["x"])
    columns = {
        "group": rng.choice(["a", "b"], 60), "days": rng.integers(1, 900, 60), "dead": [1, 0] * 30,
        NASTY: [*rng.normal(size=58), np.nan, np.nan], "same": "always",
    }  # fmt: skip
    labels = pd.DataFrame({"patient": patients} | columns)
    hypotheses = (
        Hypothesis("x", "group"),
        Hypothesis("twin", "group"),
        Hypothesis("x", "survival", time="days", event="dead"),
    )
    family = Family("mine", "Mine", hypotheses)
    study = associate(features, labels, family, permutations=19, **options)
    text = write_report(study, folder / "out").read_text(encoding="utf-8")
    start = text.index('<section id="adjusted">')
    return text[start : text.index("</section>", start)]


@pytest.mark.usefixtures("undrawn")
def test_all_that_is_found_given_covariates_is_shown_invariant(tmp_path: Path) -> None:
    section = report(tmp_path, adjust=[NASTY, "twin"], within="site")
    assert NASTY not in section
    assert "adjusted for &lt;b&gt;age&lt;/b&gt;, twin, within site" in section
    assert "missing: &lt;b&gt;age&lt;/b&gt; (2)" in section
    assert "hardly to be told from the covariates" in section
    assert "as nothing is tested given itself" in section
    assert "Interaction with site" in section
    assert "without the patients of each site" in section
    assert "Collinear features" in section
    assert "a Cox model of the feature and the covariates, stratified by site" in section


@pytest.mark.usefixtures("undrawn")
def test_the_answer_leads_with_the_tests_given_covariates(tmp_path: Path) -> None:
    report(tmp_path, adjust=[NASTY])
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    answer = text[text.index('<section id="answer">') : text.index('<section id="cohort">')]
    lead = re.findall('<p class="lead">(.+?)</p>', answer)[1]
    models = pd.read_csv(tmp_path / "out" / "adjusted.csv")
    given = models[models["model"] == "adjusted"]
    holding = int((given["p_holm"] <= 0.05).sum())
    assert (
        "Adjusted for &lt;b&gt;age&lt;/b&gt;: p is at most 0.05 after Holm&#39;s correction for "
        f"{holding} of 3 hypotheses. Unadjusted, "
    ) in lead
    table = answer[answer.index("<table>") : answer.index("</table>")]
    for row in given.itertuples():
        cells = [f"{p_text(row.p)}</td>", f"{p_text(row.p_holm)}</td>", row.effect_name]
        assert all(cell in table for cell in cells)


@pytest.mark.usefixtures("undrawn")
def test_why_a_model_is_not_fitted_is_shown(tmp_path: Path) -> None:
    section = report(tmp_path, adjust=["same"])
    assert "same is always for all these patients" in section
    assert "3 could not be tested" in section
