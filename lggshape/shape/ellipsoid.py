"""The minimum-volume enclosing ellipsoid, with a certificate that it is one.

The ellipsoid of smallest volume around points is found through its dual: weights on the points
whose weighted scatter has the largest determinant. Any weights give a lower bound of the smallest
volume. The ellipsoid that has their scatter as its shape, blown up until it holds all points, is an
upper bound. The gap between the two certifies the result, however the weights were found.

Only a few points touch the ellipsoid. So the dual is solved over a small working set, which grows
by the points that lie farthest outside until none does.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import InputError

LARGEST_GAP = 1e-6
"""Largest relative gap between the volume and its lower bound that counts as certified."""

_FLAT = 1e-10  # smallest to largest extent of points that still have volume
_MOST_ROUNDS = 100
_MOST_NEWTON_STEPS = 100
_MOST_NEW_POINTS = 8
_CENTRING = 0.1  # how far a Newton step pulls back to the middle
_TO_THE_WALL = 0.95  # how much of the way to a weight of zero a step may go


class Ellipsoid(NamedTuple):
    """All x with `(x - centre) @ matrix @ (x - centre) <= 1`.

    Attributes
    ----------
    centre : ndarray of shape (d,)
        In the unit of the points.
    matrix : ndarray of shape (d, d)
        Symmetric and positive definite; NaN if the points have no volume.
    volume : float
        In the unit of the points to the power d; 0 if the points have no volume.
    gap : float
        The smallest ellipsoid around the points has at least the volume `volume / (1 + gap)`. NaN
        if the points have no volume.
    support : ndarray of int, shape (k,)
        Numbers of the points that carry the certificate.
    weights : ndarray of shape (k,)
        Their weights, which sum to 1. Those of points inside the ellipsoid are nearly 0.
    reason : str
        Why there is no ellipsoid; empty if there is one.
    """

    centre: NDArray[np.float64]
    matrix: NDArray[np.float64]
    volume: float
    gap: float
    support: NDArray[np.int_]
    weights: NDArray[np.float64]
    reason: str = ""

    @property
    def certified(self) -> bool:
        """Whether the gap is at most 1e-6."""
        return self.gap <= LARGEST_GAP

    def shadow(self, axes: tuple[int, int], *, points: int = 200) -> NDArray[np.float64]:
        """Compute the outline of the ellipsoid's projection onto the plane of two axes.

        Parameters
        ----------
        axes : tuple of int
            The two axes that remain.
        points : int
            How many points to return.

        Returns
        -------
        ndarray of shape (points, 2)
            Points around the outline, the last one the first again.
        """
        # The inverse of the matrix is the covariance, up to scale, whose marginal is a shadow's.
        spread = np.linalg.inv(self.matrix)[np.ix_(axes, axes)]
        turn = np.linspace(0, 2 * np.pi, points)
        circle = np.column_stack([np.sin(turn), np.cos(turn)])
        outline: NDArray[np.float64] = (
            self.centre[list(axes)] + circle @ np.linalg.cholesky(spread).T
        )
        return outline


def minimum_volume_ellipsoid(points: NDArray[np.float64], *, tolerance: float = 1e-10) -> Ellipsoid:
    """Find the ellipsoid of smallest volume that holds all points.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The points. Those inside the convex hull of the others make no difference, but take time.
    tolerance : float
        Relative gap of the volume to stop at.

    Returns
    -------
    Ellipsoid
        It holds every point. If the points lie in a plane or on a line it has no volume, and
        `reason` says so. If `tolerance` cannot be reached, `gap` shows how far the search came.

    Raises
    ------
    InputError
        If `points` is not a table of finite numbers with at least one row.

    References
    ----------
    Khachiyan LG. Rounding of polytopes in the real number model of computation. Math Oper Res
    1996;21:307-320 (the dual and its bound).
    Kumar P, Yildirim EA. Minimum-volume enclosing ellipsoids and core sets. J Optim Theory Appl
    2005;126:1-21 (the first working set).
    Sun P, Freund RM. Computation of minimum-volume covering ellipsoids. Oper Res
    2004;52:690-706 (the interior-point method and the growing working set).

    Examples
    --------
    >>> corners = np.array([[z, y, x] for z in (0, 1) for y in (0, 1) for x in (0, 1)])
    >>> ball = minimum_volume_ellipsoid(corners)
    >>> ball.centre.tolist()
    [0.5, 0.5, 0.5]
    >>> round(1 / ball.volume, 5)  # a cube fills 2 / (pi sqrt 3) of its circumscribed ball
    0.36755
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or not points.size or not np.isfinite(points).all():
        msg = f"Expected points to be an (n, d) array of finite numbers, found: {points.shape}."
        raise InputError(msg)
    dimensions = points.shape[1]
    middle = points.mean(axis=0)
    _, extents, axes = np.linalg.svd(points - middle, full_matrices=False)
    rank = int((extents > _FLAT * extents[0]).sum()) if extents[0] > 0 else 0
    if rank < dimensions:
        return _without_volume(middle, rank, dimensions)
    # In these coordinates the points scatter alike in all directions, so that neither their scale
    # nor their orientation matters to the search.
    whiten = axes.T / extents * math.sqrt(len(points))
    white = (points - middle) @ whiten
    support, weights = _search(white, tolerance)

    centre = weights @ white[support]
    spread = white[support] - centre
    scatter = (spread.T * weights) @ spread
    shape = np.linalg.inv(scatter)
    reach = np.einsum("ij,jk,ik->i", white - centre, shape, white - centre).max()
    ball = math.pi ** (dimensions / 2) / math.gamma(dimensions / 2 + 1)
    log_volume = (
        math.log(ball)
        + dimensions / 2 * math.log(reach)
        + np.linalg.slogdet(scatter)[1] / 2
        - np.linalg.slogdet(whiten)[1]
    )
    return Ellipsoid(
        centre=middle + np.linalg.solve(whiten.T, centre),
        matrix=whiten @ shape @ whiten.T / reach,
        volume=math.exp(log_volume),
        # By weak duality no ellipsoid around the points is smaller than the one with reach d.
        gap=max(0.0, math.expm1(dimensions / 2 * math.log(reach / dimensions))),
        support=support,
        weights=weights,
    )


def _without_volume(middle: NDArray[np.float64], rank: int, dimensions: int) -> Ellipsoid:
    kinds = ("all points are one", "all points lie on a line", "all points lie in a plane")
    return Ellipsoid(
        centre=middle,
        matrix=np.full((dimensions, dimensions), math.nan),
        volume=0.0,
        gap=math.nan,
        support=np.array([], dtype=int),
        weights=np.array([]),
        reason=kinds[rank] if rank < len(kinds) else f"all points span only {rank} dimensions",
    )


def _search(
    points: NDArray[np.float64], tolerance: float
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Find the points that carry the ellipsoid and their weights."""
    size = points.shape[1] + 1
    lifted = np.column_stack([points, np.ones(len(points))])
    # The relative gap of the volume is size / 2 times the relative excess of the largest variance
    # over size. Half of it is left for the points outside the working set.
    excess = tolerance / size
    wanted = _spanning_points(points)
    for _ in range(_MOST_ROUNDS):
        chosen = wanted
        weights = _solve(lifted[chosen], excess)
        moments = (lifted[chosen].T * weights) @ lifted[chosen]
        variances = np.einsum("ij,ij->i", lifted @ np.linalg.inv(moments), lifted)
        farthest = np.argsort(variances)[::-1][:_MOST_NEW_POINTS]
        outside = farthest[variances[farthest] > size * (1 + 2 * excess)]
        wanted = np.union1d(chosen, outside)
        if len(wanted) == len(chosen):
            break
    return chosen, weights


def _spanning_points(points: NDArray[np.float64]) -> NDArray[np.int_]:
    """Choose at most 2 d points that span the space: extremes along directions not yet spanned."""
    dimensions = points.shape[1]
    chosen: list[int] = []
    spanned = np.zeros((0, dimensions))
    for number in range(dimensions):
        # The last right-singular vectors are orthogonal to what is spanned.
        direction = np.linalg.svd(spanned)[2][number] if number else np.eye(dimensions)[0]
        along = points @ direction
        ends = [int(along.argmax()), int(along.argmin())]
        chosen += ends
        spanned = np.vstack([spanned, points[ends[0]] - points[ends[1]]])
    return np.unique(chosen)


def _solve(lifted: NDArray[np.float64], excess: float) -> NDArray[np.float64]:
    """Find the weights of all points of a working set by a primal-dual interior-point method.

    With `variance = diag(lifted @ inv(moments) @ lifted.T)` the best weights satisfy
    `variance + slack = size`, `weights * slack = 0`, both not negative.
    """
    count, size = lifted.shape
    weights = np.full(count, 1 / count)
    slack = np.zeros(count)
    for step in range(_MOST_NEWTON_STEPS):
        moments = (lifted.T * weights) @ lifted
        kernel = lifted @ np.linalg.solve(moments, lifted.T)
        variances = np.diag(kernel)
        if variances.max() * weights.sum() <= size * (1 + excess):
            break
        if step == 0:
            slack = np.maximum(size - variances, size / 10)
        target = _CENTRING * (weights @ slack) / count
        hessian = kernel**2
        hessian[np.diag_indices(count)] += slack / weights
        change = np.linalg.solve(hessian, variances - size + target / weights)
        slack_change = (target - slack * change) / weights - slack
        weights = weights + _step(weights, change) * change
        slack = slack + _step(slack, slack_change) * slack_change
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised


def _step(values: NDArray[np.float64], change: NDArray[np.float64]) -> float:
    """Return how far to go, at most 1, so that all values stay positive."""
    falling = change < 0
    wall = np.min(-values[falling] / change[falling], initial=math.inf)
    return min(1.0, _TO_THE_WALL * float(wall))
