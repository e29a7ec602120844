"""From probabilities to a mask: a threshold, and one component."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

ComponentChoice = Literal["probability", "size"]


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


def select_component(
    probability: NDArray[np.floating], threshold: float, *, by: ComponentChoice = "probability"
) -> SelectedComponent:
    """Keep one 6-connected component of the voxels that reach a threshold.

    Parameters
    ----------
    probability : ndarray of shape (Z, Y, X)
        Probability of tumour, 0 to 1.
    threshold : float
        The lowest probability that is inside.
    by : {"probability", "size"}
        Which component is kept: the one with the largest sum of probabilities, or the one with the
        most voxels, as in [1]_. On a tie it is the first in the order of slices, rows and columns.

    Returns
    -------
    SelectedComponent
        The mask, and the number of components that were removed.

    References
    ----------
    .. [1] Buda M, Saha A, Mazurowski MA. Association of genomic subtypes of lower-grade gliomas
       with shape features automatically extracted by a deep learning algorithm. Computers in
       Biology and Medicine 2019;109:218-225.

    Examples
    --------
    >>> small_and_certain = [[[0.9, 0.0, 0.5, 0.5]]]
    >>> select_component(np.array(small_and_certain), 0.5, by="size").mask.astype(int)
    array([[[0, 0, 1, 1]]])
    """
    # Imported here because importing this module should be fast.
    from scipy.ndimage import label

    inside = probability >= threshold
    labels, count = label(inside)
    if count < 2:
        return SelectedComponent(inside, 0)
    voxels = labels[inside]
    # In 64 bits, whatever the type of the probabilities.
    weights = probability[inside].astype(np.float64) if by == "probability" else None
    kept = np.bincount(voxels, weights)[1:].argmax() + 1
    return SelectedComponent(labels == kept, count - 1)
