"""What networks are trained by: a loss for each task."""

from typing import Any

from lggshape.segmentation._backend import keras

Tensor = Any

_SMOOTH = 1.0
_BORDER = 5
"""Side of the square around a pixel that has to touch the outline for it to be of the border: two
pixels to each side."""


def segmentation_loss(logits: Tensor, masks: Tensor, *, border_weight: float = 0.0) -> Tensor:
    """Compute binary cross-entropy plus soft Dice loss [1]_.

    Most pixels lie far from any outline and are soon right. So the cross-entropy is a weighted
    mean in which those of the border, within two pixels of the outline, count more, as in [2]_.

    Parameters
    ----------
    logits, masks : tensors of shape (B, Y, X, 1)
        The Dice is that of all pixels of the batch together: a slice without tumour has none of
        its own.
    border_weight : float
        Weight of the pixels of the border beyond the 1 of all pixels.

    Returns
    -------
    tensor
        A number.

    References
    ----------
    .. [1] Milletari F, Navab N, Ahmadi SA. V-Net. 3DV 2016, 565-571.
    .. [2] Ronneberger O, Fischer P, Brox T. U-Net. MICCAI 2015, 234-241.
    """
    ops = keras.ops
    entropies = ops.binary_crossentropy(masks, logits, from_logits=True)
    widened = ops.max_pool(masks, _BORDER, strides=1, padding="same")
    narrowed = 1 - ops.max_pool(1 - masks, _BORDER, strides=1, padding="same")
    weights = 1 + border_weight * (widened - narrowed)
    entropy = ops.sum(weights * entropies) / ops.sum(weights)
    inside = ops.sigmoid(logits)
    overlap = 2 * ops.sum(inside * masks) + _SMOOTH
    return entropy + 1 - overlap / (ops.sum(inside) + ops.sum(masks) + _SMOOTH)


def detection_loss(evidence: Tensor, masks: Tensor) -> Tensor:
    """Compute the binary cross-entropy of whether the slices have tumour.

    Parameters
    ----------
    evidence : tensor of shape (B, y, x, 1)
        Its mean over a slice is the logit.
    masks : tensor of shape (B, Y, X, 1)
        A slice in which any pixel is 1 has tumour.

    Returns
    -------
    tensor
        A number.
    """
    ops = keras.ops
    tumour = ops.max(masks, axis=(1, 2))
    logits = ops.mean(evidence, axis=(1, 2))
    return ops.mean(ops.binary_crossentropy(tumour, logits, from_logits=True))


def reconstruction_loss(images: Tensor, references: Tensor, hidden: Tensor) -> Tensor:
    """Compute the mean absolute error over the pixels that were hidden, as in [1]_.

    Parameters
    ----------
    images, references, hidden : tensors of shape (B, Y, X, 1)
        What was made of the slices, what they are, and 1 where the network did not see it.

    Returns
    -------
    tensor
        A number; 0 if nothing was hidden.

    References
    ----------
    .. [1] Xie Z, et al. SimMIM: a simple framework for masked image modeling. CVPR 2022, 9653-9663.
    """
    ops = keras.ops
    errors = ops.sum(hidden * ops.abs(images - references))
    return errors / ops.maximum(ops.sum(hidden), 1.0)
