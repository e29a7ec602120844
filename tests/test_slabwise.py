import numpy as np
import pytest
import skimage.measure

from lggshape import slabwise
from lggshape.slabwise import SlabComponents, high_percentile, slabs_of


@pytest.fixture(params=[100, 10**9], ids=["slabs", "one slab"])
def volumes(request, monkeypatch):
    """Return masks of many components, in slabs of one or two slices, or in one."""
    monkeypatch.setattr(slabwise, "_VOXELS", request.param)
    rng = np.random.default_rng(4)
    return [rng.random(shape) < 0.4 for shape in ((9, 8, 8), (10, 7, 7), (1, 9, 9))]


def test_slabs_hold_every_slice_once_analytic(monkeypatch):
    monkeypatch.setattr(slabwise, "_VOXELS", 100)
    assert slabs_of((5, 7, 7)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert slabs_of((2, 20, 20)) == [slice(0, 1), slice(1, 2)]  # a slice is never divided


@pytest.mark.parametrize("percent", [50, 99, 99.5])
@pytest.mark.parametrize("kind", ["float32", "int16"])
def test_high_percentiles_numpy(volumes, percent, kind):
    rng = np.random.default_rng(2)
    for mask in volumes:
        values = rng.normal(0, 1000, mask.shape).astype(kind)
        # In 64 bits: before NumPy 2.4 the place of the percentile was rounded to 32.
        expected = np.percentile(values.astype(np.float64), percent)
        slabs = [values[part] for part in slabs_of(values.shape)]
        assert high_percentile(slabs, percent) == pytest.approx(expected, rel=1e-6)


def test_components_are_those_of_the_whole_skimage(volumes):
    rng = np.random.default_rng(3)
    for mask in volumes:
        labels, count = skimage.measure.label(mask, connectivity=1, return_num=True)
        components = SlabComponents(mask)
        assert components.number == count > 1
        values = rng.random(mask.shape)
        expected = np.bincount(labels.ravel(), np.where(mask, values, 0).ravel())
        # In the order of their first voxels, as those of the whole are.
        np.testing.assert_allclose(components.weights(values), expected)
        heaviest = labels == expected[1:].argmax() + 1
        np.testing.assert_array_equal(components.heaviest(values), heaviest)
        largest = labels == np.bincount(labels.ravel())[1:].argmax() + 1
        np.testing.assert_array_equal(components.largest(), largest)
        columns = np.zeros(mask.shape[1:], dtype=bool)
        columns[0] = True
        touching = np.isin(labels, np.unique(labels[:, columns])) & mask
        np.testing.assert_array_equal(components.touching(columns), touching)
        assert touching.any()
        assert (touching != mask).any()


def test_an_empty_mask_has_no_component_analytic(monkeypatch):
    empty = np.zeros((6, 5, 5), dtype=bool)
    for voxels in (50, 10**9):
        monkeypatch.setattr(slabwise, "_VOXELS", voxels)
        components = SlabComponents(empty)
        assert components.number == 0
        assert not components.largest().any()
        assert not components.heaviest(np.ones(empty.shape)).any()
