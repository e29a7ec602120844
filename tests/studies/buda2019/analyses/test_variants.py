from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from lggshape.case import Case
from lggshape.readers import CaseSource, open_cases
from lggshape.shape import extract_features, feature_table
from lggshape.studies.buda2019.analyses import masks as masks_module
from lggshape.studies.buda2019.analyses.masks import above_threshold, jittered
from lggshape.studies.buda2019.analyses.perturbation import dilate, erode, jitter, smooth
from lggshape.studies.buda2019.analyses.probabilities import generator
from lggshape.studies.buda2019.analyses.sensitivity import Analysis
from lggshape.studies.buda2019.analyses.variants import (
    changed_masks,
    other_conventions,
    other_thresholds,
)

ASD, OFFSETS, MF, BEVR = FOUR = [
    "angular_standard_deviation",
    "angular_standard_deviation_offset_averaged",
    "margin_fluctuation",
    "bounding_ellipsoid_volume_ratio",
]
SOME = 6


@pytest.fixture(scope="module")
def table(replicated) -> pd.DataFrame:
    return replicated.manual[:SOME]


@pytest.fixture(scope="module")
def other(replicated, table: pd.DataFrame) -> dict[str, Analysis]:
    found = other_conventions(table, replicated.manual_sources[:SOME], jobs=1)
    return {analysis.analysis: analysis for analysis in found}


@pytest.fixture(scope="module")
def masks(replicated) -> list[np.ndarray]:
    return [source.read(image=False).mask for source in replicated.manual_sources[:SOME]]


@pytest.fixture(scope="module")
def every_change(replicated) -> list[Analysis]:
    return list(changed_masks("manual", replicated.manual_sources[:SOME], seed=9, jobs=1))


@pytest.fixture(scope="module")
def changed(every_change: list[Analysis]) -> dict[str, Analysis]:
    return {analysis.analysis: analysis for analysis in every_change}


class ConventionsTests:
    def test_list_of_the_protocol_published(self, other: dict[str, Analysis]) -> None:
        # The groups "slice" to "component" of reports/buda2019/protocol.md.
        found = {(one.group, one.analysis, one.features) for one in other.values()}
        assert len(other) == 10
        assert found == {
            ("slice", "mean over all slices", (ASD, MF)),
            ("ellipsoid", "voxel centres", (BEVR,)),
            ("ASD", "bins offset by 9 degrees", (ASD,)),
            ("ASD", "bins offset by 18 degrees", (ASD,)),
            ("ASD", "bins offset by 27 degrees", (ASD,)),
            ("ASD", "mean of offsets 0 and 18", (ASD,)),
            ("MF", "window rounded up", (MF,)),
            ("MF", "window rounded down", (MF,)),
            ("MF", "window odd", (MF,)),
            ("component", "all of the mask", ()),
        }

    def test_tests_and_patients_stay_invariant(
        self, other: dict[str, Analysis], table: pd.DataFrame
    ) -> None:
        default = Analysis("", "", table)
        for one in other.values():
            assert one[4:] == default[4:]
            assert one.table["patient"].tolist() == table["patient"].tolist()
            assert set(one.table["masks"]) == {"manual"}

    def test_other_features_stay_invariant(
        self, other: dict[str, Analysis], table: pd.DataFrame
    ) -> None:
        for one in other.values():
            unchanged = [name for name in (ASD, MF, BEVR) if name not in one.features]
            # These phantoms have a single component, so that all of it is the largest one.
            pd.testing.assert_frame_equal(one.table[unchanged], table[unchanged])

    def test_offsets_of_0_and_18_have_the_known_mean_invariant(
        self, other: dict[str, Analysis], table: pd.DataFrame
    ) -> None:
        half_turned = other["bins offset by 18 degrees"].table[ASD]
        np.testing.assert_allclose((table[ASD] + half_turned) / 2, table[OFFSETS])
        mean = other["mean of offsets 0 and 18"].table
        assert mean[ASD].tolist() == table[OFFSETS].tolist()

    def test_ellipsoid_over_centres_is_smaller_analytic(
        self, other: dict[str, Analysis], table: pd.DataFrame
    ) -> None:
        assert (other["voxel centres"].table[BEVR] > table[BEVR]).all()

    def test_window_is_one_of_its_neighbours_analytic(
        self, other: dict[str, Analysis], table: pd.DataFrame
    ) -> None:
        # The nearest whole number is the next one up or down. So is the nearest odd one, unless
        # a tenth of the contour's points is a whole, even number.
        up, down, odd = (
            other[f"window {how}"].table[MF] for how in ("rounded up", "rounded down", "odd")
        )
        assert ((table[MF] == up) | (table[MF] == down)).all()
        assert ((odd == up) | (odd == down) | (up == down)).all()
        assert (up != down).any()
        assert (odd != table[MF]).any()

    def test_means_over_slices_and_other_bins_differ(
        self, other: dict[str, Analysis], table: pd.DataFrame
    ) -> None:
        means = other["mean over all slices"].table
        assert (means[MF] != table[MF]).all()
        offsets = [other[f"bins offset by {angle} degrees"].table[ASD] for angle in (9, 18, 27)]
        assert len({table[ASD].iloc[0], *(values.iloc[0] for values in offsets)}) == 4

    def test_all_of_the_mask_holds_its_islands(self, replicated, tmp_path: Path) -> None:
        source = replicated.manual_sources[0]
        mask = source.read(image=False).mask
        island = mask.copy()
        island[0, :2, :2] = True
        source.write(tmp_path, {"mask": island})
        sources = open_cases(tmp_path, masks_only=True)
        one = feature_table(sources, jobs=1).table
        assert one["components"].item() == 2
        found = {a.analysis: a.table for a in other_conventions(one, sources, jobs=1)}
        assert one["volume"].item() == mask.sum()
        assert found["all of the mask"]["volume"].item() == mask.sum() + 4
        assert found["all of the mask"][BEVR].item() < one[BEVR].item()

    def test_an_automatic_mask_is_one_component(self, table: pd.DataFrame) -> None:
        found = other_conventions(table.assign(masks="automatic"), [], jobs=1)
        assert "component" not in {one.group for one in found}


class MasksTests:
    def test_list_of_the_protocol_published(self, every_change: list[Analysis]) -> None:
        # The group "mask" of reports/buda2019/protocol.md.
        assert [one.analysis for one in every_change] == [
            "eroded by a pixel",
            "dilated by a pixel",
            "smoothed, 1 pixel",
            "smoothed, 2 pixels",
            *["outline jittered"] * 5,
        ]
        assert {(one.group, one.features) for one in every_change} == {("mask", ())}
        assert (masks_module.JITTER_AMPLITUDE, masks_module.JITTER_LENGTH) == (1, (1, 5))

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("eroded by a pixel", erode),
            ("dilated by a pixel", dilate),
            ("smoothed, 1 pixel", partial(smooth, sigma=1)),
            ("smoothed, 2 pixels", partial(smooth, sigma=2)),
        ],
    )
    def test_changed_masks_are_measured_invariant(
        self, changed: dict[str, Analysis], masks: list[np.ndarray], name: str, change
    ) -> None:
        expected = [extract_features(change(mask)).values for mask in masks]
        found = changed[name].table
        for feature in (*FOUR, "volume"):
            np.testing.assert_array_equal(found[feature], [one[feature] for one in expected])

    def test_draws_differ(self, every_change: list[Analysis], table: pd.DataFrame) -> None:
        draws = [one.table[BEVR].tolist() for one in every_change[-5:]]
        assert len({table[BEVR].iloc[0], *(draw[0] for draw in draws)}) == 6

    def test_jitter_hangs_on_seed_case_and_draw_alone_invariant(
        self, replicated, every_change: list[Analysis]
    ) -> None:
        backwards = replicated.manual_sources[SOME - 1 :: -1]
        again = list(changed_masks("manual", backwards, seed=9, jobs=1))
        reversed_table = again[-3].table[::-1].reset_index(drop=True)
        pd.testing.assert_frame_equal(reversed_table, every_change[-3].table)

    def test_jittered_is_a_jitter_of_the_protocol_invariant(self, masks: list[np.ndarray]) -> None:
        def case(name: str) -> Case:
            return Case(id=name, patient=name, mask=masks[0])

        found = jittered(case("a"), seed=1, draw=2)
        np.testing.assert_array_equal(found, jittered(case("a"), seed=1, draw=2))
        rng = generator(1, "a", 2)
        expected = jitter(masks[0], amplitude=1, length=(1, 5), rng=rng)
        np.testing.assert_array_equal(found, expected)
        for name, seed, draw in (("b", 1, 2), ("a", 2, 2), ("a", 1, 3)):
            assert (found != jittered(case(name), seed=seed, draw=draw)).any()


def blurred(source: CaseSource) -> np.ndarray:
    return gaussian_filter(source.read(image=False).mask.astype(float), (0, 1, 1))


@pytest.fixture(scope="module")
def probabilities(replicated, keep, tmp_path_factory) -> Path:
    """A blurred mask, and a box far from it whose probability is just the threshold, 9/16."""
    folder = tmp_path_factory.mktemp("probabilities")
    for source in replicated.automatic_sources[:SOME]:
        chances = blurred(source)
        chances[0, :2, :2] = 9 / 16
        keep(folder, source.id, chances, threshold=9 / 16)
    return folder


@pytest.fixture(scope="module")
def thresholds(replicated, probabilities: Path) -> dict[str, Analysis]:
    sources = replicated.automatic_sources[:SOME]
    analyses = other_thresholds("automatic", sources, probabilities, jobs=1)
    return {analysis.analysis: analysis for analysis in analyses}


class ThresholdsTests:
    def test_list_of_the_protocol_published(self, thresholds: dict[str, Analysis]) -> None:
        # The groups "threshold" and "component" of reports/buda2019/protocol.md.
        named = [(one.group, one.analysis, one.features) for one in thresholds.values()]
        assert named == [
            *(("threshold", f"probability {p}", ()) for p in (0.3, 0.4, 0.5, 0.6, 0.7)),
            ("component", "all above the threshold", ()),
        ]
        for one in thresholds.values():
            assert set(one.table["masks"]) == {"automatic"}

    def test_volume_falls_with_the_threshold_invariant(
        self, thresholds: dict[str, Analysis]
    ) -> None:
        volumes = np.array(
            [thresholds[f"probability {p}"].table["volume"] for p in (0.3, 0.5, 0.7)]
        )
        assert (np.diff(volumes, axis=0) < 0).all()

    def test_half_of_a_blur_is_a_smoothed_mask_invariant(
        self, replicated, thresholds: dict[str, Analysis]
    ) -> None:
        # One half is rounded to itself; all else keeps its side of it.
        expected = [
            extract_features(smooth(source.read(image=False).mask, 1)).values
            for source in replicated.automatic_sources[:SOME]
        ]
        half = thresholds["probability 0.5"].table
        for name in ("volume", BEVR, MF):
            np.testing.assert_array_equal(half[name], [one[name] for one in expected])

    def test_everything_above_the_own_threshold_analytic(
        self, replicated, probabilities: Path, thresholds: dict[str, Analysis]
    ) -> None:
        # Probabilities are kept in half precision.
        blurs = [blurred(source) for source in replicated.automatic_sources[:SOME]]
        volumes = [int((blur.astype(np.float16) >= 9 / 16).sum()) for blur in blurs]
        everything = thresholds["all above the threshold"].table
        assert everything["volume"].tolist() == [volume + 4 for volume in volumes]
        case = replicated.automatic_sources[0].read(image=False)
        own = above_threshold(case, folder=probabilities)
        assert own.shape == case.mask.shape
        assert own.sum() == volumes[0] + 4
        higher = above_threshold(case, folder=probabilities, threshold=0.7)
        assert not higher[0, :2, :2].any()
        assert 0 < higher.sum() < volumes[0]
