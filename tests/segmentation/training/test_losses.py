import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion

from lggshape.segmentation.training.losses import (
    detection_loss,
    reconstruction_loss,
    segmentation_loss,
)

# --- segmentation


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_the_loss_numpy(share):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=(2, 5, 6, 1)).astype(np.float32)
    masks = (rng.random(logits.shape) < share).astype(np.float32)
    inside = 1 / (1 + np.exp(-logits.astype(float)))
    entropy = -np.mean(masks * np.log(inside) + (1 - masks) * np.log(1 - inside))
    dice = (2 * np.sum(inside * masks) + 1) / (np.sum(inside) + np.sum(masks) + 1)
    found = float(segmentation_loss(logits, masks))
    assert found == pytest.approx(entropy + 1 - dice, rel=1e-5)


def test_the_border_counts_more_scipy():
    rng = np.random.default_rng(1)
    masks = np.zeros((2, 20, 20, 1), dtype=np.float32)
    masks[0, 4:15, 6:19] = 1  # reaches to within two of the edge
    masks[1, :7, 0:3] = 1
    logits = rng.normal(size=masks.shape).astype(np.float32)
    inside = masks > 0
    square = np.ones((1, 5, 5, 1), dtype=bool)
    # Beyond the edge there is neither tumour nor air.
    border = binary_dilation(inside, square) & ~binary_erosion(inside, square, border_value=1)
    assert 0.2 < border.mean() < 0.5
    entropies = np.logaddexp(0, logits) - masks * logits
    expected = np.average(entropies, weights=1 + 4 * border) - entropies.mean()
    weighted = float(segmentation_loss(logits, masks, border_weight=4.0))
    assert weighted - float(segmentation_loss(logits, masks)) == pytest.approx(expected, abs=1e-5)


def test_the_loss_of_certain_predictions_analytic():
    masks = np.zeros((1, 4, 4, 1), dtype=np.float32)
    masks[0, :2] = 1
    logits = np.where(masks > 0, 100, -100).astype(np.float32)
    assert float(segmentation_loss(logits, masks)) == pytest.approx(0, abs=1e-6)
    # All wrong: an entropy of 100 a pixel, and an overlap of 0 of 8 + 8 pixels.
    assert float(segmentation_loss(-logits, masks)) == pytest.approx(100 + 1 - 1 / 17, rel=1e-6)


# --- the other tasks


def test_the_loss_of_detection_numpy():
    rng = np.random.default_rng(2)
    evidence = rng.normal(scale=2, size=(4, 3, 3, 1)).astype(np.float32)
    masks = np.zeros((4, 96, 96, 1), dtype=np.float32)
    masks[0, 5, 7] = 1  # one pixel is tumour
    masks[2, 20:60] = 1
    logits = evidence.mean(axis=(1, 2, 3))
    tumour = np.array([1, 0, 1, 0])
    expected = np.mean(np.logaddexp(0, logits) - tumour * logits)
    assert float(detection_loss(evidence, masks)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_reconstruction_is_of_what_was_hidden_numpy():
    rng = np.random.default_rng(3)
    images, references = rng.normal(size=(2, 2, 6, 6, 1)).astype(np.float32)
    hidden = (rng.random(images.shape) < 0.4).astype(np.float32)
    expected = np.abs(images - references)[hidden > 0].mean()
    found = float(reconstruction_loss(images, references, hidden))
    assert found == pytest.approx(expected, rel=1e-5)
    elsewhere = images + 5 * (1 - hidden)
    assert float(reconstruction_loss(elsewhere, references, hidden)) == pytest.approx(found)
    assert float(reconstruction_loss(images, references, 0 * hidden)) == 0
