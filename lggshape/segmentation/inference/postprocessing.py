"""From probabilities to a mask: a threshold, and one component without holes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.slabwise import SlabComponents, Sliced, slabs_of


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


def select_component(probability: Sliced, threshold: float) -> SelectedComponent:
    """Keep the 6-connected component of the largest summed probability above a threshold.

    Where a small component is certain and a larger one is not, this keeps the tumour more often
    than the number of voxels does. What it encloses within a slice is filled: readers draw a tumour
    by its outline.

    Parameters
    ----------
    probability : ndarray of shape (Z, Y, X)
        Probability of tumour, 0 to 1; or what returns some slices of it at a time.
    threshold : float
        The lowest probability that counts as inside.

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
    from scipy.ndimage import binary_fill_holes

    inside = np.empty(probability.shape, dtype=bool)
    for part in slabs_of(inside.shape):
        inside[part] = probability[part] >= threshold
    components = SlabComponents(inside)
    inside = components.heaviest(probability)
    for number in np.flatnonzero(inside.any(axis=(1, 2))):
        inside[number] = binary_fill_holes(inside[number])
    return SelectedComponent(inside, max(0, components.number - 1))
