import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.phantoms import make_phantom
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run.fingerprints import slice_fingerprints
from lggshape.segmentation.training.slice_store import SliceStore
from lggshape.segmentation.training.training_cases import TrainingCase, load_case

CONFIGURATION = NetworkConfiguration(
    architecture="unet", filters=(4, 8), sequences=("FLAIR",), neighbours=1, size=8
)


@dataclass(frozen=True)
class Source:
    """Stand for a source of the readers."""

    case: Case
    id: str = "P1"
    path: Path = Path("P1")
    site: str = "CS"

    def read(self):
        return self.case


def training_case(tumour):
    """Make a case whose slices hold their number, with a tumour where it is said."""
    numbers = np.arange(len(tumour), dtype=np.uint8)
    codes = np.broadcast_to(numbers[:, None, None, None], (len(tumour), 8, 8, 1)).copy()
    mask = np.zeros((len(tumour), 8, 8), dtype=np.uint8)
    mask[np.flatnonzero(tumour), 2, 2] = 1
    return TrainingCase(id="P", patient="P", site="", codes=codes, mask=mask, fingerprints=())


def store_of(with_tumour, without):
    tumour = [True] * with_tumour + [False] * without
    return SliceStore([training_case(np.roll(tumour, 3))], CONFIGURATION)


def epoch_of(store, number, *, seed=(0,), batch=4, empty_slices=0.45):
    return list(store.epoch(seed, number, batch=batch, empty_slices=empty_slices))


@pytest.mark.parametrize("batch", [1, 4, 5, 16, 64])
@pytest.mark.parametrize(("with_tumour", "without"), [(11, 40), (7, 0), (1, 3), (20, 2)])
def test_every_slice_with_tumour_is_in_every_epoch_invariant(with_tumour, without, batch):
    store = store_of(with_tumour, without)
    for number in range(5):
        batches = epoch_of(store, number, batch=batch)
        assert {len(slices) for slices in batches} == {batch}
        assert len(batches) == store.epoch_length(batch=batch, empty_slices=0.45)
        shown = Counter(np.concatenate(batches).tolist())
        assert set(store.with_tumour) <= set(shown)
        # Only the last batch repeats what the epoch has had.
        distinct = with_tumour + min(without, round(0.45 * with_tumour))
        assert len(shown) == distinct
        assert len(batches) == math.ceil(distinct / batch)


def test_slices_without_tumour_take_turns_analytic():
    store = store_of(20, 41)  # 9 of 41 in each epoch: all within 5, and again within the next 5
    epochs = [set(np.concatenate(epoch_of(store, number)).tolist()) for number in range(10)]
    empty = [shown - set(store.with_tumour.tolist()) for shown in epochs]
    assert {len(shown) for shown in empty} == {9}
    assert set().union(*empty[:4]) < set(store.without_tumour.tolist())
    assert set().union(*empty[:5]) == set(store.without_tumour.tolist())
    assert set().union(*empty[5:]) == set(store.without_tumour.tolist())
    counts = Counter(slice_ for shown in empty for slice_ in shown)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize(("empty_slices", "expected"), [(0, 0), (0.5, 5), (1, 10), (99, 30)])
def test_the_share_of_slices_without_tumour_analytic(empty_slices, expected):
    store = store_of(10, 30)
    shown = np.concatenate(epoch_of(store, 0, batch=1, empty_slices=empty_slices))
    assert np.isin(shown, store.without_tumour).sum() == expected
    assert store.epoch_length(batch=1, empty_slices=empty_slices) == 10 + expected


def test_the_order_is_that_of_the_seed_invariant():
    store = store_of(20, 40)

    def order(seed, number):
        return np.concatenate(epoch_of(store, number, seed=seed)).tolist()

    assert order((0, 1), 3) == order((0, 1), 3)
    assert order((0, 1), 3) != order((0, 1), 4)
    assert order((0, 1), 3) != order((0, 2), 3)


def test_neighbours_end_with_the_case_analytic():
    store = SliceStore([training_case([1, 0, 0]), training_case([0, 1])], CONFIGURATION)
    # The slice, the one below and the one above.
    expected = [[0, 0, 1], [2, 1, 2], [3, 3, 4], [1, 0, 2]]
    np.testing.assert_array_equal(store.with_neighbours(np.array([0, 2, 3, 1])), expected)
    alone = SliceStore([training_case([1, 0])], replace(CONFIGURATION, neighbours=0))
    np.testing.assert_array_equal(alone.with_neighbours(np.array([1, 0])), [[1], [0]])


def test_a_store_without_tumour_is_refused():
    with pytest.raises(InputError, match=r"Expected tumour in the masks .* none in 2 cases"):
        SliceStore([training_case([0, 0]), training_case([0])], CONFIGURATION)


def phantom_without_spacing(size):
    """Make a phantom whose slices are fitted by the number of their pixels alone."""
    return replace(make_phantom(np.random.default_rng(0), size=size), geometry=Geometry())


def test_a_case_is_fitted_with_its_mask_invariant():
    phantom = phantom_without_spacing((8, 128, 96))
    case = load_case(Source(phantom), NetworkConfiguration(size=64))
    assert (case.id, case.patient, case.site) == ("PHANTOM", "PHANTOM", "CS")
    assert case.codes.shape == (8, 64, 64, 3)
    assert case.mask.shape == (8, 64, 64)
    assert set(np.unique(case.mask)) == {0, 1}
    # Half the side, so a quarter of the pixels; and nothing in what was added at the sides.
    assert case.mask.sum() * 4 == pytest.approx(phantom.mask.sum(), rel=0.1)
    assert not case.mask[:, :, :8].any()
    assert not case.mask[:, :, 56:].any()
    assert case.fingerprints == tuple(slice_fingerprints(phantom.image[..., 1]))


def test_a_mask_of_the_size_is_left_as_it_is_invariant():
    phantom = phantom_without_spacing((5, 32, 32))
    case = load_case(Source(phantom), NetworkConfiguration(size=32))
    np.testing.assert_array_equal(case.mask, phantom.mask)


def test_a_case_without_mask_is_refused():
    phantom = make_phantom(np.random.default_rng(0), size=(3, 32, 32))
    bare = Case(id="P1", patient="P1", image=phantom.image, sequences=phantom.sequences)
    with pytest.raises(CaseError, match="Expected case P1 to have a mask"):
        load_case(Source(bare), NetworkConfiguration(size=32))
