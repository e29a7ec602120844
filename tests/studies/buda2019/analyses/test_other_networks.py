"""Results by masks of other networks: where the difference is known, and as the study has them."""

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, associate
from lggshape.labels import Labels
from lggshape.studies.buda2019.analyses.other_networks import (
    FEATURES,
    SCORES,
    difference_table,
    effect_table,
    intraclass_table,
    score_table,
)

REFERENCE = "automatic"
FEW = 19


@pytest.fixture(scope="module")
def patients(features: pd.DataFrame) -> pd.DataFrame:
    """Return patients with two kinds of mask, and a network of shifted scores and features.

    Its features are larger by the same for everybody, so that their ranks are the same.
    """
    rng = np.random.default_rng(0)
    automatic = features["masks"] == REFERENCE
    scores = rng.uniform(0.5, 0.9, (len(features), len(SCORES)))
    table = features[["patient", "masks", *FEATURES]].assign(
        **dict(zip(SCORES, scores.T, strict=True))
    )
    table.loc[~automatic, list(SCORES)] = np.nan
    network = table[automatic].assign(masks="network")
    network[[*SCORES, *FEATURES]] += 0.1
    return pd.concat([table, network], ignore_index=True)


def test_a_score_that_is_higher_by_the_same_for_everybody_has_no_interval_analytic(
    patients: pd.DataFrame,
) -> None:
    table = score_table(patients, REFERENCE, replicates=FEW)
    assert list(zip(table["masks"], table["score"], strict=True)) == [
        (masks, score) for score in SCORES for masks in (REFERENCE, "network")
    ]
    ends = table.set_index("masks")[["difference", "difference_low", "difference_high"]]
    np.testing.assert_allclose(ends.loc["network"], 0.1)
    np.testing.assert_array_equal(ends.loc[REFERENCE], 0)
    own = patients.groupby("masks")["dice"].mean()
    means = table[table["score"] == "dice"].set_index("masks")["mean"]
    np.testing.assert_allclose(means, own[means.index])
    assert table["mean"].between(table["mean_low"], table["mean_high"]).all()


def test_agreement_with_manual_masks_falls_by_a_shift_invariant(patients: pd.DataFrame) -> None:
    table = intraclass_table(patients, replicates=FEW).set_index(["masks", "feature"])["estimate"]
    assert set(table.index.get_level_values("masks")) == {REFERENCE, "network"}
    assert (table["network"] < table[REFERENCE]).all()


def test_effects_are_those_of_the_study_invariant(
    patients: pd.DataFrame, labels: Labels, family: Family
) -> None:
    key = ["masks", "feature", "label"]
    table = effect_table(patients, labels, family, replicates=FEW).set_index(key)
    study = associate(patients, labels, family)
    by_ranks = study.sensitivity.query("test == 'kruskal_wallis'")
    for rows, names in (
        (study.associations, {"p": "p_quartiles", "effect": "v", "effect_low": "v_low"}),
        (by_ranks, {"p": "p_ranks", "effect": "epsilon_squared"}),
    ):
        expected = rows.set_index(key)[[*names]].rename(columns=names).reindex(table.index)
        pd.testing.assert_frame_equal(table[[*names.values()]], expected)


def test_an_effect_of_the_same_ranks_does_not_differ_analytic(
    patients: pd.DataFrame, labels: Labels, family: Family
) -> None:
    table = difference_table(
        patients, ["network", "manual"], REFERENCE, labels, family, draws=FEW, jobs=1
    )
    same, manual = (table[table["masks"] == name] for name in ("network", "manual"))
    assert len(same) == len(manual) == len(family.hypotheses)
    np.testing.assert_allclose(same[["difference", "low", "high"]], 0, atol=1e-12)
    np.testing.assert_allclose(
        manual["difference"], manual["effect"] - manual["reference_effect"], atol=1e-12
    )
    assert (manual["difference"] != 0).all()
