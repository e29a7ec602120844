from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from lggshape.association import Family, associate
from lggshape.errors import CaseError
from lggshape.labels import Labels
from lggshape.progress import Progress
from lggshape.studies.buda2019.analyses.perturbation import dilate, erode
from lggshape.studies.buda2019.analyses.scatter import OTHER_COLUMNS
from lggshape.studies.buda2019.analyses.uncertainty import (
    DRAWN_FEATURES,
    FIELDS,
    Field,
    draw_tests,
    feature_intervals,
    measure_draws,
    measure_samples,
    spread_table,
    stability_table,
)

ASD, MF, BEVR = DRAWN_FEATURES
SOME = 5


def masks_of(sources) -> list[np.ndarray]:
    return [source.read(image=False).mask for source in sources]


@pytest.fixture(scope="module")
def certain(replicated, keep, tmp_path_factory) -> Path:
    """Every mask as its own probability; samples are the mask, eroded, and nothing."""
    folder = tmp_path_factory.mktemp("certain")
    sources = replicated.automatic_sources
    for source, mask in zip(sources, masks_of(sources), strict=True):
        samples = np.stack([mask, erode(mask), np.zeros_like(mask)])
        keep(folder, source.id, mask, samples=samples)
    return folder


@pytest.fixture(scope="module")
def blurred(replicated, keep, tmp_path_factory) -> Path:
    """Masks blurred in their slices."""
    folder = tmp_path_factory.mktemp("blurred")
    sources = replicated.automatic_sources[:SOME]
    for source, mask in zip(sources, masks_of(sources), strict=True):
        keep(folder, source.id, gaussian_filter(dilate(mask).astype(float), (0, 1.5, 1.5)))
    return folder


@pytest.fixture(scope="module")
def draws(replicated, blurred: Path) -> pd.DataFrame:
    return measure_draws(
        replicated.automatic_sources[:SOME], {}, blurred, Field(1, 3, 6), seed=1, jobs=1
    )


def test_fields_of_the_protocol_published() -> None:
    # "Uncertainty carried through" in reports/buda2019/protocol.md.
    assert [(field.name, field.draws) for field in FIELDS] == [
        ("10 pixels, 2 slices", 100),
        ("5 pixels, 1 slices", 20),
        ("20 pixels, 4 slices", 20),
    ]


class DrawsTests:
    def test_certain_probabilities_give_the_mask_itself_analytic(
        self, replicated, certain: Path
    ) -> None:
        told: list[Progress] = []
        # Their own references but for the last, which has none.
        own = {source.id: source for source in replicated.automatic_sources[:-1]}
        found = measure_draws(
            replicated.automatic_sources, own, certain, Field(2, 10, 3), seed=1, jobs=1,
            on_progress=told.append,
        )  # fmt: skip
        assert list(found) == ["case", "patient", "draw", "dice", *DRAWN_FEATURES]
        assert found["dice"].tolist() == pytest.approx([1] * 69 + [np.nan] * 3, nan_ok=True)
        assert found["draw"].tolist() == [1, 2, 3] * 24
        assert (told[-1].done, told[-1].total) == (24, 24)
        for _, one in found.groupby("draw"):
            assert one["patient"].tolist() == replicated.automatic["patient"].tolist()
            np.testing.assert_array_equal(
                one[list(DRAWN_FEATURES)], replicated.automatic[list(DRAWN_FEATURES)]
            )

    def test_uncertain_ones_differ_from_draw_to_draw(self, draws: pd.DataFrame) -> None:
        assert (draws.groupby("case")[BEVR].nunique() == 6).all()

    def test_draws_hang_on_seed_case_and_draw_alone_invariant(
        self, replicated, blurred: Path, draws: pd.DataFrame
    ) -> None:
        backwards = replicated.automatic_sources[SOME - 1 : 0 : -1]
        fewer = measure_draws(backwards, {}, blurred, Field(1, 3, 2), seed=1, jobs=1)
        key = ["case", "draw"]
        expected = draws.set_index(key).loc[fewer.set_index(key).index]
        pd.testing.assert_frame_equal(fewer.set_index(key), expected)
        for field, seed in ((Field(1, 3, 2), 2), (Field(1, 6, 2), 1)):
            others = measure_draws(backwards, {}, blurred, field, seed=seed, jobs=1)
            assert (others[BEVR] != fewer[BEVR]).all()

    def test_nothing_to_draw_has_no_features(self, replicated, keep, tmp_path: Path) -> None:
        source, mask = replicated.automatic_sources[0], masks_of(replicated.automatic_sources)[0]
        for probability, empty in ((0.0, True), (0.0009, True), (mask, False)):
            keep(tmp_path, source.id, np.broadcast_to(probability, mask.shape))
            found = measure_draws([source], {}, tmp_path, Field(2, 10, 4), seed=1, jobs=1)
            assert found["draw"].tolist() == [1, 2, 3, 4]
            assert (found[list(DRAWN_FEATURES)].isna() == empty).all(axis=None)

    def test_a_case_without_probability_is_named(self, replicated, tmp_path: Path) -> None:
        source = replicated.automatic_sources[0]
        with pytest.raises(CaseError, match=f"threshold of case {source.id}"):
            measure_draws([source], {}, tmp_path, FIELDS[0], seed=1, jobs=1)
        with pytest.raises(CaseError, match=f"samples, shape of case {source.id}"):
            measure_samples([source], {}, tmp_path, jobs=1)


def test_samples_are_measured_as_they_are_invariant(replicated, certain: Path) -> None:
    manual = {source.id: source for source in replicated.manual_sources}
    found = measure_samples(replicated.automatic_sources, manual, certain, jobs=1)
    assert list(found) == ["case", "patient", "draw", "dice", *DRAWN_FEATURES]
    assert found.query("draw == 3")["dice"].eq(0).all()
    one = masks_of(replicated.automatic_sources)[0]
    other = masks_of(replicated.manual_sources)[0]
    assert found["dice"].iloc[0] == 2 * (one & other).sum() / (one.sum() + other.sum())
    assert found["draw"].tolist() == [1, 2, 3] * 24
    own, eroded, nothing = (found.query("draw == @n")[list(DRAWN_FEATURES)] for n in (1, 2, 3))
    np.testing.assert_array_equal(own, replicated.automatic[list(DRAWN_FEATURES)])
    assert (eroded[BEVR].to_numpy() != own[BEVR].to_numpy()).all()
    assert nothing.isna().all(axis=None)


def test_intervals_by_hand() -> None:
    # Type 7: of 0, 10, ..., 400 the quantile q is 400 q. Of one value all quantiles are it.
    many = np.random.default_rng(0).permutation(41) * 10.0
    draws = pd.DataFrame({"patient": [*["b"] * 42, "a", "a", "c"], "draw": [*range(45)]})
    for name, factor in zip(DRAWN_FEATURES, (1, 2, -1), strict=True):
        draws[name] = factor * np.array([*many, np.nan, 7, np.nan, np.nan])
    table = pd.DataFrame({"patient": list("abc"), ASD: [1, 2, 3], MF: [4, 5, 6], BEVR: [7, 8, 9]})
    found = feature_intervals(draws, "field", table)
    assert list(found) == [
        "draws", "patient", "feature", "value", "count", "median", "low", "high",
    ]  # fmt: skip
    expected = [
        ("b", ASD, 2, 41, 200, 10, 390),
        ("a", ASD, 1, 1, 7, 7, 7),
        ("c", ASD, 3, 0, np.nan, np.nan, np.nan),
        ("b", MF, 5, 41, 400, 20, 780),
        ("a", MF, 4, 1, 14, 14, 14),
        ("c", MF, 6, 0, np.nan, np.nan, np.nan),
        ("b", BEVR, 8, 41, -200, -390, -10),
        ("a", BEVR, 7, 1, -7, -7, -7),
        ("c", BEVR, 9, 0, np.nan, np.nan, np.nan),
    ]
    rows = [("field", *row) for row in expected]
    expected_table = pd.DataFrame(rows, columns=list(found))
    pd.testing.assert_frame_equal(found, expected_table, check_dtype=False)


def test_spreads_by_hand() -> None:
    rows = [
        ("d", "a", BEVR, 0.5, 0.3, 0.1, 0.4),  # own value above the interval
        ("d", "b", BEVR, 0.7, 0.6, 0.5, 0.9),
        ("d", "c", BEVR, 0.9, 0.8, 0.9, 1.0),  # just on its end
        ("d", "e", BEVR, np.nan, np.nan, np.nan, np.nan),
    ]
    columns = ["draws", "patient", "feature", "value", "median", "low", "high"]
    (found,) = spread_table(pd.DataFrame(rows, columns=columns)).to_dict("records")
    assert (found["draws"], found["feature"], found["patients"]) == ("d", BEVR, 3)
    assert found["shift"] == pytest.approx(-0.1)
    assert found["outside"] == pytest.approx(1 / 3)
    # Widths 0.3, 0.4 and 0.1; values 0.5, 0.7 and 0.9 have the standard deviation 0.2.
    assert found["width"] == pytest.approx(0.3 / 0.2)


def test_draws_of_the_masks_themselves_are_the_primary_analysis_invariant(
    replicated, certain: Path, labels: Labels, family: Family
) -> None:
    measured = measure_samples(replicated.automatic_sources, {}, certain, jobs=1)
    draws = measured[measured["draw"] < 3].sample(frac=1, random_state=0)
    found = draw_tests(draws, "certain", labels, family, jobs=1)
    assert list(found) == [
        "draws", "draw", "feature", "label", "n", "p", "effect", *OTHER_COLUMNS, "dice",
    ]  # fmt: skip
    assert set(found["draws"]) == {"certain"}
    assert found["draw"].tolist() == ["1"] * 10 + ["2"] * 10
    expected = associate(replicated.automatic, labels, family).associations
    columns = ["feature", "label", "n", "p", "effect"]
    pd.testing.assert_frame_equal(found.loc[:9, columns], expected[columns])
    by_ranks = associate(replicated.automatic, labels, family, test="kruskal-wallis").associations
    assert found["p_ranks"][:10].tolist() == by_ranks["p"].tolist()
    assert found["epsilon_squared"][:10].tolist() == by_ranks["effect"].tolist()
    eroded = found.loc[10:, columns].reset_index(drop=True)
    assert eroded[["feature", "label"]].equals(expected[["feature", "label"]])
    assert (eroded["p"] != expected["p"]).any()


def test_an_empty_draw_is_out_of_the_tests(replicated, labels: Labels, family: Family) -> None:
    table = replicated.automatic[["case", "patient", *DRAWN_FEATURES]].assign(draw=1, dice=0.9)
    known = table["patient"].isin(labels["COCCluster"].values.index)
    table.loc[known.idxmax(), list(DRAWN_FEATURES)] = np.nan
    nothing = table.assign(draw=2, **dict.fromkeys(DRAWN_FEATURES, np.nan))
    found = draw_tests(pd.concat([table, nothing]), "d", labels, family, jobs=1)
    counts = found.query("label == 'COCCluster'").groupby("draw")["n"].unique()
    assert counts["1"].tolist() == [known.sum() - 1]
    assert counts["2"].tolist() == [0]
    assert found.query("draw == '2'")["p"].isna().all()


@pytest.fixture(scope="module")
def stability(family: Family) -> pd.DataFrame:
    def rows(draws, feature, label, p, effect):
        named = {"draws": draws, "feature": feature, "label": label, "n": 20}
        values = {"draw": range(len(p)), "p": p, "effect": effect}
        return pd.DataFrame(named | values)

    bevr, idh = (BEVR, "RNASeqCluster"), (ASD, "idh_1p19q_buda_table2")
    nothing = np.nan
    tests = pd.concat(
        [
            rows("one", *bevr, [0.0001, 0.0002, 0.005, 0.0051, 1] * 5, [0.5, 0.4, 0.3, 0.2, 0] * 5),
            rows("one", *idh, [0.2, nothing, 0.004] * 10, [0.1, nothing, 0.7] * 10),
            rows("two", *bevr, [nothing, nothing], [nothing, nothing]),
            rows("few", *bevr, [0.3, 0.001, 0.2], [0.1, 0.5, 0.2]),
        ]
    )
    return stability_table(tests, family).set_index(["draws", "feature"])


class StabilityTests:
    def test_shares_by_hand(self, stability: pd.DataFrame) -> None:
        # Alpha over ten hypotheses is 0.005; the paper reports p < 0.0002.
        row = stability.loc["one", BEVR]
        assert row["count"] == 25
        # The p of just 0.005 does not count.
        assert row["stability"] == 2 / 5
        assert row["below_reported"] == 1 / 5

    def test_quantiles_by_hand(self, stability: pd.DataFrame) -> None:
        # Type 7 of 25 values, each five times: the quantiles 0.025 and 0.975 lie within the first
        # five and the last.
        row = stability.loc["one", BEVR]
        expected = [0.0001, 0.005, 1]
        assert row[["p_low", "p_median", "p_high"]].tolist() == pytest.approx(expected, rel=1e-12)
        assert row["effect_median"] == 0.3

    def test_draws_that_cannot_be_tested_do_not_count_by_hand(
        self, stability: pd.DataFrame
    ) -> None:
        row = stability.loc["one", ASD]
        assert row["count"] == 20
        assert row["stability"] == 1 / 2
        assert row["p_median"] == pytest.approx(0.102)
        assert row["effect_median"] == pytest.approx(0.4)
        # The paper gives no bound for ASD and IDH.
        assert np.isnan(row["below_reported"])

    def test_few_draws_have_no_quantiles_and_no_shares_by_hand(
        self, stability: pd.DataFrame
    ) -> None:
        row = stability.loc["few", BEVR]
        assert row[["p_low", "p_median", "p_high"]].tolist() == [0.001, 0.2, 0.3]
        assert row[["stability", "below_reported"]].isna().all()

    def test_nothing_tested_is_unknown(self, stability: pd.DataFrame) -> None:
        row = stability.loc["two", BEVR].drop("label")
        assert row["count"] == 0
        assert row.drop("count").isna().all()
