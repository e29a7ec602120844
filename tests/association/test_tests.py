from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from lggshape.association import TESTS, Result, Study, Test, TestedPair, associate
from lggshape.association.tests import tests_for
from lggshape.labels import Kind
from lggshape.report import write_report


class Spearman(Test):
    """A test for numbers, as one would be added."""

    name = "spearman"
    title = "Spearman's rank correlation"
    kinds = frozenset({Kind.CONTINUOUS})
    statistic = ""
    effect = "Spearman's rho"
    effect_limits = (-1.0, 1.0)
    references = ("Spearman C. The American Journal of Psychology 1904; 15: 72-101.",)

    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        n = int(pair.complete.sum())
        if reason := pair.untestable:
            return Result("spearman", n, reason=reason)
        found = spearmanr(pair.feature[pair.complete], pair.label[pair.complete])
        return Result("spearman", n, np.nan, found.pvalue, found.statistic, -1.0, 1.0)

    def methods(self, bins: int) -> str:
        return "The ranks were correlated."

    def figure(self, pair: TestedPair, *, bins: int, value_name: str) -> Figure:
        figure = Figure()
        figure.subplots().scatter(pair.label, pair.feature)
        return figure


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(7)
    patients = [f"p{i}" for i in range(30)]
    features = pd.DataFrame({"case": patients, "patient": patients, "masks": "manual"})
    features["margin_fluctuation"] = random.random(30)
    labels = pd.DataFrame(
        {"patient": patients, "age": random.random(30) * 80, "arm": ["a", "b"] * 15}
    )
    labels.loc[:2, "age"] = np.nan
    return features, labels


def test_a_test_for_numbers_needs_no_other_change_scipy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels = tables()
    before = associate(features, labels)
    monkeypatch.setitem(TESTS, "spearman", Spearman())
    study = associate(features, labels)
    assert [h.label for h in study.family.hypotheses] == ["age", "arm"]
    assert [test.name for test in study.tests] == ["spearman", "fisher"]
    row = study.associations.iloc[0]
    expected = spearmanr(features["margin_fluctuation"][3:], labels["age"][3:])
    assert row["n"] == 27
    assert row[["p", "effect"]].tolist() == pytest.approx([expected.pvalue, expected.statistic])
    # The label with groups is tested as before.
    pd.testing.assert_series_equal(
        study.associations.iloc[1].drop(["p_bonferroni", "p_holm", "p_bh"]),
        before.associations.iloc[0].drop(["p_bonferroni", "p_holm", "p_bh"]),
        check_names=False,
    )
    assert set(study.discrimination["label"]) == {"arm"}
    page = write_report(study, tmp_path).read_text(encoding="utf-8")
    assert "Spearman&#39;s rho" in page or "Spearman's rho" in page
    assert len(study.plot().axes) == 1


@pytest.mark.parametrize("test", TESTS)
def test_every_test_says_what_it_is(test: str) -> None:
    features, labels = tables()
    study: Study = associate(features, labels, test=test)
    decided = study.tests[0]
    assert decided.name == test
    assert study.other_tests == tuple(t for t in tests_for(Kind.NOMINAL) if t is not decided)
    pair = study.pair(study.family.hypotheses[0], "manual")
    axes = decided.figure(pair, bins=4, value_name="margin").axes[0]
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["a\nn = 15", "b\nn = 15"]
    assert axes.get_ylabel() == "margin"


def test_what_no_test_takes_is_left_out_by_its_kind() -> None:
    features, labels = tables()
    left_out = associate(features, labels, "all").left_out
    assert left_out[["name", "reason"]].values.tolist() == [["age", "continuous, not categorical"]]
