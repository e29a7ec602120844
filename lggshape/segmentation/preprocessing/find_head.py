"""Where the head lies in an image."""

import numpy as np
from numpy.typing import NDArray

from lggshape.masks import largest_component

_BLUR = 1 / 128  # of the longer side of a slice: noise of the air, not the edge of the head
_NEARLY_HIGHEST = 99.5  # percent: a few hot voxels do not count


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
    from scipy.ndimage import binary_fill_holes, gaussian_filter
    from skimage.filters import threshold_otsu

    intensities = values.astype(np.float32)
    outer = np.concatenate([intensities[:, [0, -1]].ravel(), intensities[:, :, [0, -1]].ravel()])
    blur = _BLUR * max(intensities.shape[1:])
    signal = gaussian_filter(np.abs(intensities - np.median(outer)), (0, blur, blur))
    root = np.sqrt(np.minimum(signal, np.percentile(signal, _NEARLY_HIGHEST)))
    above = root > threshold_otsu(root.ravel())
    return largest_component(np.stack([binary_fill_holes(plane) for plane in above]))
