"""Measures of a mask, of the networks behind it and of the image, which tell how good it may be.

All are taken on the grid of the networks, where pixels and intensities are comparable between
images: lengths are pixels of the networks, intensities are robust standard deviations from the
median of the head. Probabilities below `LEAST` do not count: they add up over a whole volume, and
depend on how much was computed.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lggshape.head import find_head
from lggshape.masks import Mask, bounding_box
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.preprocessing.frame import Frame
from lggshape.segmentation.preprocessing.intensities import LOWEST, STEP
from lggshape.slabwise import SlabComponents

LEAST = 0.1
"""The lowest probability that counts."""

UNCERTAIN = 0.25, 0.75
"""Probabilities from the first to the second are uncertain."""

SHELL = 3, 8
"""How far from the mask its surroundings begin and end, in pixels within the slice."""

_STEP = 2  # pixels: every second one is enough to know the head
_SKULL = np.linspace(0.05, 0.35, 7)  # depths between scalp and brain, as shares of the deepest
_BRAIN = 0.5  # the depth from which on there is only brain
_MIDDLE = 0.4, 0.8  # heights of slices in which the skull is a ring


def measure_mask(
    flair: NDArray[np.uint8],
    probability: NDArray[np.float32],
    *,
    threshold: float,
    frame: Frame,
    agreement: float,
    missing: int,
) -> dict[str, float]:
    """Compute what the image and the probabilities tell of the mask that follows from them.

    Parameters
    ----------
    flair : ndarray of uint8, shape (Z, Y, X)
        FLAIR as codes.
    probability : ndarray of float32, shape (Z, Y, X)
        Calibrated probability of tumour.
    threshold : float
        The lowest probability that is inside the mask.
    frame : Frame
        Where the slices lie in the grid.
    agreement : float
        The agreement of the networks, see `agreement_of`.
    missing : int
        Number of missing sequences.

    Returns
    -------
    dict of str to float
        By their names, mostly those of the functions below. What cannot be computed is NaN.
        Nothing if the mask is empty.
    """
    mask = select_component(probability, threshold).mask
    if not mask.any():
        return {}
    head = find_head(flair[:, ::_STEP, ::_STEP])
    values = flair * np.float32(STEP) + np.float32(LOWEST - STEP)
    hull = hull_within_slices(mask)
    height, front, side = place(mask, head)
    return {
        "soft_dice": soft_dice(probability, mask),
        "second_component": second_component(probability, threshold),
        "uncertain": uncertain(probability, mask),
        "volume": volume(mask, head),
        "solidity": float(mask.sum() / hull.sum()),
        "dark": float(np.mean(values[hull] < 0)),
        "height": height,
        "front": front,
        "side": side,
        "contrast": contrast(values, mask),
        "head_size": head_size(head),
        "cut": cut(head, frame),
        "skull": skull(values[:, ::_STEP, ::_STEP], head),
        "noise": noise(values, head),
        "saturated": saturated(flair[:, ::_STEP, ::_STEP], head),
        "agreement": agreement,
        "missing": float(missing),
    }


def agreement_of(together: float, alone: float, count: int) -> float:
    """Return the soft Dice of the probabilities p_i of n networks over all pairs (0 to 1).

    It is sum(p_i p_j) / sum(p_i^2), the sums over voxels, with the mean over pairs above and over
    networks below: a Dice with squares [1]_. It is expected to be the same for two networks and for
    ten.

    Parameters
    ----------
    together : float
        The sum of the squares of the mean probability.
    alone : float
        The sum of the squares of the probabilities of all networks.
    count : int
        The number of networks. NaN is returned for a single one.

    References
    ----------
    .. [1] Milletari F, Navab N, Ahmadi SA. V-Net: fully convolutional neural networks for
       volumetric medical image segmentation. 3DV 2016: 565-571.
    """
    if count < 2 or alone == 0:
        return float("nan")
    return (count**2 * together - alone) / ((count - 1) * alone)


def soft_dice(probability: NDArray[np.floating], mask: Mask) -> float:
    """Return 2 sum(p m) / (sum(p) + sum(m)) of probabilities p and the mask m (pure number).

    If the probabilities are right, it is about the Dice to expect.
    """
    counted = np.where(probability < LEAST, 0, probability)
    return float(2 * counted[mask].sum() / (counted.sum() + mask.sum()))


def second_component(probability: NDArray[np.floating], threshold: float) -> float:
    """Return the summed probability of the second component by that of the first (0 to 1)."""
    components = SlabComponents(probability >= threshold)
    if components.number < 2:
        return 0.0
    weights = np.sort(components.weights(probability)[1:])
    return float(weights[-2] / weights[-1])


def uncertain(probability: NDArray[np.floating], mask: Mask) -> float:
    """Return the number of voxels of an uncertain probability by that of the mask."""
    low, high = UNCERTAIN
    return float(np.count_nonzero((probability >= low) & (probability < high)) / mask.sum())


def volume(mask: Mask, head: Mask) -> float:
    """Return the decimal logarithm of the share of the head that the mask takes."""
    if not head.any():
        return float("nan")
    return float(np.log10(mask.sum() / (head.sum() * _STEP**2)))


def hull_within_slices(mask: Mask) -> Mask:
    """Return the convex hull of a mask (Z, Y, X) within each slice.

    Pixels that lie in one line stay as they are.
    """
    from skimage.morphology import convex_hull_image

    hull = mask.copy()
    for number in np.flatnonzero(mask.any(axis=(1, 2))):
        points = np.argwhere(mask[number])
        if np.linalg.matrix_rank(points - points[0]) == 2:
            box = bounding_box(mask[number])
            hull[number][box] |= convex_hull_image(mask[number][box], offset_coordinates=False)
    return hull


def place(mask: Mask, head: Mask) -> tuple[float, float, float]:
    """Return where the centroid of the mask lies in the box of the head.

    Returns
    -------
    height : float
        From the lowest slice of the head (0) to the highest (1).
    front : float
        From the front of the head (0) to the back (1).
    side : float
        From the middle (0) to the left or right end (0.5).
    """
    box = bounding_box(head)
    if box is None:
        return (float("nan"),) * 3
    centroid = np.mean(np.nonzero(mask), axis=1) / (1, _STEP, _STEP)
    z, y, x = (
        (middle - part.start) / max(1, part.stop - 1 - part.start)
        for middle, part in zip(centroid, box, strict=True)
    )
    return float(z), float(y), float(abs(x - 0.5))


def contrast(flair: NDArray[np.floating], mask: Mask) -> float:
    """Return the median of FLAIR in the mask minus that in a shell around it, within slices.

    The unit is the robust standard deviation of the head.
    """
    from scipy.ndimage import distance_transform_edt

    near, far = SHELL
    around = np.zeros_like(mask)
    for number in np.flatnonzero(mask.any(axis=(1, 2))):
        away = distance_transform_edt(~mask[number])
        around[number] = (away > near) & (away <= far)
    if not around.any():
        return float("nan")
    return float(np.median(flair[mask]) - np.median(flair[around]))


def head_size(head: Mask) -> float:
    """Return the square root of the largest area of the head in a slice, by the side of the field.

    It is far from usual where the size of a pixel is not what the file says.
    """
    return float(np.sqrt(head.mean(axis=(1, 2)).max()))


def cut(head: Mask, frame: Frame) -> float:
    """Return the share of an edge of the field of view that is head, for the edge that has most.

    Slices without head do not count.
    """
    (row, column), (rows, columns) = frame.corner, frame.inner
    first, last = row // _STEP, (row + rows - 1) // _STEP
    left, right = column // _STEP, (column + columns - 1) // _STEP
    field = head[head.any(axis=(1, 2)), first : last + 1, left : right + 1]
    if not field.size:
        return float("nan")
    edges = field[:, 0], field[:, -1], field[:, :, 0], field[:, :, -1]
    return float(max(edge.mean() for edge in edges))


def skull(flair: NDArray[np.floating], head: Mask) -> float:
    """Return how much brighter than the brain the darkest layer below the scalp is.

    It is the lowest median of FLAIR in layers of the head (by depth within the slice) minus the
    median in its inner half, in robust standard deviations of the head. Bone is dark; where the
    skull was stripped there is none.
    """
    from scipy.ndimage import distance_transform_edt

    slices = np.flatnonzero(head.any(axis=(1, 2)))
    if not slices.size:
        return float("nan")
    low, high = np.quantile(slices, _MIDDLE)
    middle = slices[(slices >= low) & (slices <= high)]
    chosen = middle if middle.size else slices  # of two slices neither lies in the middle
    depth = np.stack([distance_transform_edt(np.pad(head[n], 1))[1:-1, 1:-1] for n in chosen])
    depth /= depth.max(axis=(1, 2), keepdims=True)
    values = flair[chosen]
    layers = [
        np.median(values[(depth > outer) & (depth <= inner)])
        for outer, inner in pairwise(_SKULL)
        if np.any((depth > outer) & (depth <= inner))
    ]
    return float(min(layers) - np.median(values[depth > _BRAIN])) if layers else float("nan")


def noise(flair: NDArray[np.floating], head: Mask) -> float:
    """Return the decimal logarithm of the noise in the head, in its robust standard deviations.

    Noise is estimated by what a difference of two Laplacians leaves, which is blind to edges that
    are straight [1]_.

    References
    ----------
    .. [1] Immerkaer J. Fast noise variance estimation. Comput Vis Image Underst 1996; 64: 300-302.
    """
    from scipy.ndimage import convolve

    if not head.any():
        return float("nan")
    kernel = np.outer((1, -2, 1), (1, -2, 1)).astype(np.float32)
    left = np.abs(convolve(flair, kernel[None]))[:, ::_STEP, ::_STEP]
    sigma = np.sqrt(np.pi / 2) / 6 * left[head].mean()
    return float(np.log10(max(sigma, STEP / 10)))


def saturated(codes: NDArray[np.uint8], head: Mask) -> float:
    """Return the share of the head that has the highest intensity (0 to 1)."""
    return float(np.mean(codes[head] == codes.max())) if head.any() else float("nan")
