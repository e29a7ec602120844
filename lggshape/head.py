"""Where the head lies in an image."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lggshape.masks import fill_slices
from lggshape.slabwise import SlabComponents, high_percentile, slabs_of

_BLUR = 1 / 128  # of the longer side of a slice: noise of the air, not the edge of the head
_NEARLY_HIGHEST = 99.5  # percent: a few hot voxels do not count
_BINS = 256
_COARSE = 64  # pixels on the shorter side of a slice, enough to know where the head is
_MOST = 0.5  # of a head that a tumour takes
_FEW = 6  # slices, enough to see that a mask is fine

UNKNOWN_PLACE = "whether the mask lies in the head is unknown"

FlairOf = Callable[[list[int]], NDArray[np.generic] | None]
"""From the numbers of n slices to FLAIR (n, Y, X) of them; None if there is none."""


def find_head(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Find the head in one sequence.

    The air is the median of the outer rows and columns of the slices. How far the intensities lie
    from it, blurred within the slice, is cut by Otsu's threshold [1]_ of its square root: a root,
    since the scalp next to a coil is many times as bright as the brain. Of what lies above, the
    largest 6-connected component counts, with what it encloses in each slice.

    Parameters
    ----------
    values : ndarray of shape (Z, Y, X)
        Finite intensities.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        True inside, bone and cavities included; nowhere if hardly any intensity differs from the
        others.

    References
    ----------
    .. [1] Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man
       Cybern 1979; 9: 62-66.
    """
    return SlabComponents(_bright_parts(values)).largest()


def _bright_parts(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where the intensities lie far from those of the air, holes within slices filled."""
    from skimage.filters import threshold_otsu

    signals = _signals(values)
    highest = high_percentile(signals, _NEARLY_HIGHEST)
    for signal in signals:
        np.sqrt(np.minimum(signal, highest, out=signal), out=signal)
    above = np.zeros(values.shape, dtype=bool)
    ends = min(one.min() for one in signals), max(one.max() for one in signals)
    if ends[0] == ends[1]:
        return above
    # The histogram that scikit-image makes of a copy of all.
    edges = np.histogram_bin_edges(signals[0], bins=_BINS, range=ends)
    counts = sum(np.histogram(one, bins=_BINS, range=ends)[0] for one in signals)
    threshold = threshold_otsu(hist=(counts, (edges[:-1] + edges[1:]) / 2))
    del signal
    for part in slabs_of(values.shape):
        above[part] = fill_slices(signals.pop(0) > threshold)
    return above


def _signals(values: NDArray[np.generic]) -> list[NDArray[np.float32]]:
    """Return how far the intensities lie from the air, blurred within slices, slab by slab."""
    from scipy.ndimage import gaussian_filter

    edges = (values[:, [0, -1]].ravel(), values[:, :, [0, -1]].ravel())
    air = np.median(np.concatenate(edges).astype(np.float32))
    blur = _BLUR * max(values.shape[1:])
    signals = []
    for part in slabs_of(values.shape):
        signal = np.empty(values[part].shape, dtype=np.float32)
        # Slice by slice: a large volume in several copies would take gigabytes.
        for one, blurred in zip(values[part], signal, strict=True):
            gaussian_filter(np.abs(one.astype(np.float32) - air), blur, output=blurred)
        signals.append(signal)
    return signals


def describe_misfit(mask: NDArray[np.bool_], flair_of: FlairOf) -> str:
    """Return in which way a mask does not look like that of a tumour in a head.

    At most six evenly spaced slices are looked at, among them the one of the largest area. Only if
    the mask looks wrong in these, all slices are, and decide.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        True inside the tumour.
    flair_of : callable
        Returns FLAIR (n, Y, X) of n slices, whose numbers (from 0) it is given. The head is looked
        for on a coarser grid.

    Returns
    -------
    str
        That it touches nothing of the head, or covers more than half of it. Empty if it does
        neither, or there is no FLAIR, or no head in it. That this is unknown, if the intensities
        are not finite.

    Examples
    --------
    >>> flair = np.zeros((3, 60, 60))
    >>> flair[:, 10:50, 10:50] = 100
    >>> mask = np.zeros(flair.shape, dtype=bool)
    >>> mask[1, 2:6, 2:6] = True
    >>> describe_misfit(mask, flair.__getitem__)
    'the mask touches nothing of the head'
    """
    if not mask.any():
        return ""
    apart = -(-len(mask) // _FEW)
    largest = int(mask.sum(axis=(1, 2)).argmax())
    for slices in (range(largest % apart, len(mask), apart), range(len(mask))):
        chosen = list(slices)
        found = _misfit(mask[chosen], flair_of(chosen))
        if not found or apart == 1:
            return found
    return found


def _misfit(mask: NDArray[np.bool_], flair: NDArray[np.generic] | None) -> str:
    if flair is None:
        return ""
    if not np.isfinite(flair).all():
        return f"{UNKNOWN_PLACE}: FLAIR is not finite"
    step = max(1, min(flair.shape[1:]) // _COARSE)
    head = find_head(flair[:, ::step, ::step])
    if not head.any():
        return ""
    z, y, x = np.nonzero(mask)
    if not head[z, y // step, x // step].any():
        return "the mask touches nothing of the head"
    share = len(z) / (np.count_nonzero(head) * step**2)
    return f"the mask covers {100 * share:.0f} % of the head" if share > _MOST else ""
