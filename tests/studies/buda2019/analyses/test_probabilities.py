from pathlib import Path

import numpy as np
import pytest

from lggshape.errors import CaseError
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.studies.buda2019.analyses.probabilities import (
    Probability,
    generator,
    read_probability,
    read_samples,
)

SHAPE = (6, 9, 11)


@pytest.fixture
def chances() -> np.ndarray:
    """Two blobs, in multiples of 1/256: these are whole in half precision."""
    z, y, x = np.indices(SHAPE)
    blobs = [
        1 - np.sqrt((z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2) / 4
        for a, b, c in [(2, 3, 3), (4, 6, 9)]
    ]
    return np.maximum(0, np.maximum(*blobs) * 256).round() / 256


def test_round_trip_invariant(keep, tmp_path: Path, chances: np.ndarray) -> None:
    keep(tmp_path / "new", "a", chances, threshold=0.375)
    found = read_probability(tmp_path / "new", "a")
    inside = np.argwhere(chances > 0)
    assert found.shape == SHAPE
    assert found.threshold == 0.375
    assert found.corner == tuple(inside.min(axis=0))
    assert found.values.shape == tuple(np.ptp(inside, axis=0) + 1)
    box = tuple(slice(a, a + n) for a, n in zip(found.corner, found.values.shape, strict=True))
    np.testing.assert_array_equal(found.values, chances[box])
    np.testing.assert_array_equal(found.whole(found.values >= 0.375), chances >= 0.375)


@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.75, 0.99])
def test_mask_is_the_component_of_the_whole_volume_invariant(
    keep, tmp_path: Path, chances: np.ndarray, threshold: float
) -> None:
    keep(tmp_path, "a", chances)
    found = read_probability(tmp_path, "a").mask(threshold)
    np.testing.assert_array_equal(found, select_component(chances, threshold).mask)


def test_half_precision_and_next_to_nothing_analytic(keep, tmp_path: Path) -> None:
    # Half precision has 11 bits: values from 0.001 to 1 are off by at most 2**-11 of themselves.
    values = np.random.default_rng(0).random(SHAPE)
    values[values < 0.5] /= 1000
    values[0] = 0.0009
    keep(tmp_path, "a", values)
    found = read_probability(tmp_path, "a")
    assert found.corner == (1, 0, 0)
    expected = np.where(values < 0.001, 0, values)[1:]
    np.testing.assert_allclose(found.values, expected, rtol=2**-11)


@pytest.mark.parametrize(("value", "inside"), [(0.0, False), (0.0009, False), (1.0, True)])
def test_the_same_everywhere(keep, tmp_path: Path, value: float, inside: bool) -> None:
    keep(tmp_path, "a", np.full(SHAPE, value))
    found = read_probability(tmp_path, "a")
    assert found.shape == SHAPE
    assert found.corner == (0, 0, 0)
    assert found.mask(0.5).shape == SHAPE
    assert (found.mask(0.5) == inside).all()
    # There is a box to draw masks in, and nothing in it that could be drawn.
    assert found.values.shape == (SHAPE if inside else (1, 1, 1))
    assert (found.values == inside).all()


def test_the_component_of_the_largest_sum_is_chosen_by_hand() -> None:
    # 0.9 in one voxel against 3 x 0.2 in its neighbours but one; then without the certain one.
    values = np.zeros((1, 1, 6), dtype=np.float32)
    values[0, 0] = [0.9, 0, 0.2, 0.2, 0.2, 0]
    found = Probability(values, (1, 2, 3), (2, 3, 9), 0.5)
    drawn = values > 0
    assert np.argwhere(found.chosen(drawn)).tolist() == [[1, 2, 3]]
    drawn[0, 0, 0] = False
    assert np.argwhere(found.chosen(drawn)).tolist() == [[1, 2, 5], [1, 2, 6], [1, 2, 7]]
    assert not found.chosen(np.zeros_like(drawn)).any()


@pytest.mark.parametrize("number", [0, 1, 5])
def test_samples_round_trip_invariant(keep, tmp_path: Path, number: int) -> None:
    # 594 voxels are no whole number of bytes.
    samples = np.random.default_rng(1).random((number, *SHAPE)) < 0.3
    keep(tmp_path, "a", np.zeros(SHAPE), samples=samples)
    found = read_samples(tmp_path, "a")
    assert found.dtype == bool
    np.testing.assert_array_equal(found, samples)


def test_the_last_one_counts(keep, tmp_path: Path) -> None:
    for value in (0.25, 0.75):
        keep(tmp_path, "a", np.full(SHAPE, value))
    assert (read_probability(tmp_path, "a").values == 0.75).all()
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["a.npz"]


@pytest.mark.parametrize("read", [read_probability, read_samples])
def test_what_cannot_be_read(keep, tmp_path: Path, read) -> None:
    with pytest.raises(CaseError, match=r"a\.npz to hold .* of case a, found"):
        read(tmp_path, "a")
    path = tmp_path / "a.npz"
    np.savez(path, other=np.zeros(3))
    with pytest.raises(CaseError, match="of case a"):
        read(tmp_path, "a")
    keep(tmp_path, "a", np.random.default_rng(2).random(SHAPE))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CaseError, match="of case a"):
        read(tmp_path, "a")


def test_random_numbers_depend_on_seed_case_and_draw_alone_invariant() -> None:
    def numbers(*key) -> list[float]:
        return generator(*key).random(3).tolist()

    expected = numbers(1, "a", 2)
    keys = [(2, "a", 2), (1, "b", 2), (1, "a", 3), (1, "a"), (1, "a", 2, 0), (1, "A", 2)]
    others = [numbers(*key) for key in keys]
    assert numbers(1, "a", 2) == expected
    assert expected not in others
    assert len({tuple(other) for other in others}) == len(others)
