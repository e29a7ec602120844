"""From probabilities to a mask: a threshold, and one component."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SelectedComponent(NamedTuple):
    """A mask of one component.

    Attributes
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        True inside; all False if no probability reaches the threshold.
    removed : int
        Number of the other components.
    """

    mask: NDArray[np.bool_]
    removed: int


def select_component(probability: NDArray[np.floating], threshold: float) -> SelectedComponent:
    """Keep the 6-connected component of the largest summed probability above a threshold.

    Where a small component is certain and a larger one is not, this keeps the tumour more often
    than the number of voxels does, which decides in Buda et al. 2019.

    Parameters
    ----------
    probability : ndarray of shape (Z, Y, X)
        Probability of tumour, 0 to 1.
    threshold : float
        The lowest probability that is inside.

    Returns
    -------
    SelectedComponent
        The mask, and the number of components that were removed. On a tie, the first component in
        the order of slices, rows and columns is kept.

    Examples
    --------
    >>> small_and_certain = [[[0.95, 0.9, 0.0, 0.5, 0.5, 0.5]]]
    >>> select_component(np.array(small_and_certain), 0.5).mask.astype(int)
    array([[[1, 1, 0, 0, 0, 0]]])
    """
    # Imported here because importing this module should be fast.
    from scipy.ndimage import label

    inside = probability >= threshold
    labels, count = label(inside)
    if count < 2:
        return SelectedComponent(inside, 0)
    voxels = labels[inside]
    # In 64 bits, whatever the type of the probabilities.
    weights = probability[inside].astype(np.float64)
    kept = np.bincount(voxels, weights)[1:].argmax() + 1
    return SelectedComponent(labels == kept, count - 1)
