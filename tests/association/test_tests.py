from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import pearsonr

from lggshape.association import TESTS, Result, Test, TestedPair, associate
from lggshape.association.kinds_of_test import NOWHERE
from lggshape.labels import Kind
from lggshape.report import write_report


class Pearson(Test):
    """A test for numbers, as one would be added."""

    name = "pearson"
    title = "Pearson's correlation"
    kinds = frozenset({Kind.CONTINUOUS})
    statistic = ""
    effect = "Pearson's r"
    effect_limits = (-1.0, 1.0)
    references = ("Pearson K. Philosophical Transactions A 1896; 187: 253-318.",)

    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        n = int(pair.complete.sum())
        if reason := pair.untestable:
            return Result("pearson", n, reason=reason)
        found = pearsonr(pair.feature[pair.complete], pair.label[pair.complete])
        return Result("pearson", n, np.nan, found.pvalue, found.statistic, -1.0, 1.0)

    def methods(self, bins: int) -> str:
        return "The values were correlated."

    def figure(
        self, pair: TestedPair, *, bins: int, value_name: str, targets: Mapping[str, str] = NOWHERE
    ) -> Figure:
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
    monkeypatch.setitem(TESTS, "spearman", Pearson())
    study = associate(features, labels)
    assert [h.label for h in study.family.hypotheses] == ["age", "arm"]
    assert [test.name for test in study.tests] == ["pearson", "fisher"]
    row = study.associations.iloc[0]
    expected = pearsonr(features["margin_fluctuation"][3:], labels["age"][3:])
    assert row["n"] == 27
    assert row[["p", "effect"]].tolist() == pytest.approx([expected.pvalue, expected.statistic])
    # The label with groups is tested as before.
    pd.testing.assert_series_equal(
        study.associations.iloc[1].drop(["p_bonferroni", "p_holm", "p_bh"]),
        before.associations.iloc[1].drop(["p_bonferroni", "p_holm", "p_bh"]),
        check_names=False,
    )
    assert set(study.discrimination["label"]) == {"arm"}
    page = write_report(study, tmp_path).read_text(encoding="utf-8")
    assert "Pearson&#39;s r" in page or "Pearson's r" in page
    assert len(study.plot().axes) == 2
