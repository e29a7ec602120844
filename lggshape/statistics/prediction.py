"""Predictions of a binary outcome by models that have not seen the row."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lggshape.errors import InputError
from lggshape.statistics._validators import binary_outcome, finite_columns

# scikit-learn's C, the inverse of the penalty on standardised covariates. Of a hundred patients the
# first leaves hardly more than the prevalence, the last hardly shrinks.
_GRID = 10.0 ** np.arange(-3, 3)
_INNER_FOLDS = 5


class OutOfFold(NamedTuple):
    """Predictions by models that did not see the row.

    Attributes
    ----------
    probability : ndarray of shape (N,)
        Probability of the outcome being 1; NaN in the folds for which no model could be fitted.
    unpredicted : int
        How many are NaN.
    """

    probability: NDArray[np.float64]
    unpredicted: int


def stratified_folds(outcome: ArrayLike, count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Deal rows into random folds that have about the same share of positives.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1, one value per patient.
    count : int
        Number of folds, from 2 to the number of rows with the rarer outcome.
    seed : int, optional
        Seed of the random order.

    Returns
    -------
    ndarray of shape (N,)
        The fold of each row, from 0.

    Raises
    ------
    InputError
        If the outcome is not binary, or the number of folds is out of range.

    Examples
    --------
    >>> folds = stratified_folds([0, 0, 0, 0, 1, 1], 2)
    >>> np.bincount(folds).tolist(), np.bincount(folds, [0, 0, 0, 0, 1, 1]).tolist()
    ([3, 3], [1.0, 1.0])
    """
    y = binary_outcome(outcome)
    rarer = int(np.bincount(y).min())
    if not 2 <= count <= rarer:
        expected = f"from 2 to {rarer}, the number of the rarer outcome"
        msg = f"Expected `count` to be {expected}, found {count}."
        raise InputError(msg)
    folds = np.empty(len(y), dtype=np.int64)
    splits = StratifiedKFold(count, shuffle=True, random_state=seed).split(y, y)
    for fold, (_, held_out) in enumerate(splits):
        folds[held_out] = fold
    return folds


def cross_validated(
    outcome: ArrayLike, covariates: ArrayLike, folds: ArrayLike, *, seed: int = 0
) -> OutOfFold:
    """Predict each row by a ridge logistic regression that is fitted to the other folds.

    Everything is learnt from the training part alone [1]_: the means and standard deviations of
    the covariates, and the penalty. This is the best of six (C from 0.001 to 100) by the log-loss
    in an inner cross-validation, the largest in case of a tie. There are five inner folds,
    stratified, or as many as the training part has rows with the rarer outcome. Where it has fewer
    than two, the held-out fold cannot be predicted.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1, one value per patient.
    covariates : array_like of shape (N, P)
        Finite numbers. They are not imputed: leave out rows that lack one, or impute beforehand.
    folds : array_like of int, shape (N,)
        The part in which each row is held out: random folds, or a number for each institution.
    seed : int, optional
        Seed of the inner folds.

    Returns
    -------
    OutOfFold
        The probabilities, and how many are missing.

    Raises
    ------
    InputError
        If the outcome is not binary, a covariate is missing, there are fewer than two folds, or the
        arguments differ in length.

    Notes
    -----
    Predictions of several folds come from models with different intercepts. Without any effect
    they are little but the training part's prevalence, which is lower where the held-out part has
    more positives. Their pooled AUC then lies below 0.5 [2]_: about 0.35 with ten random folds of a
    hundred patients, 0.45 if these are stratified, and 0.4 if four institutions are left out.

    References
    ----------
    .. [1] Varma S, Simon R. Bias in error estimation when using cross-validation for model
       selection. BMC Bioinformatics 7 (2006) 91.
    .. [2] Parker BJ, Günter S, Bedo J. Stratification bias in low signal microarray studies. BMC
       Bioinformatics 8 (2007) 326.

    Examples
    --------
    >>> outcome = np.tile([0, 1], 20)
    >>> predicted = cross_validated(outcome, outcome[:, None], stratified_folds(outcome, 4))
    >>> predicted.probability[:2].round(2).tolist(), predicted.unpredicted
    ([0.0, 1.0], 0)
    """
    y = binary_outcome(outcome)
    X = finite_columns(covariates, "covariates", len(y))
    if not X.shape[1]:
        msg = "Expected `covariates` to have at least one column, found none."
        raise InputError(msg)
    labels = np.asarray(folds)
    if labels.shape != y.shape or labels.dtype.kind not in "iu":
        msg = (
            f"Expected `folds` to be {len(y)} integers, "
            f"found shape {labels.shape} of type {labels.dtype}."
        )
        raise InputError(msg)
    names = np.unique(labels)
    if len(names) < 2:
        msg = f"Expected `folds` to name at least two folds, found {names.tolist()}."
        raise InputError(msg)
    probability = np.full(len(y), np.nan)
    for name in names:
        held_out = labels == name
        rarer = int(np.bincount(y[~held_out], minlength=2).min())
        if rarer < 2:
            continue
        model = make_pipeline(
            StandardScaler(),
            LogisticRegressionCV(
                Cs=_GRID,
                l1_ratios=(0,),
                cv=StratifiedKFold(min(_INNER_FOLDS, rarer), shuffle=True, random_state=seed),
                scoring=_log_likelihood,
                solver="newton-cholesky",
                tol=1e-6,
                use_legacy_attributes=False,
            ),
        ).fit(X[~held_out], y[~held_out])
        probability[held_out] = model.predict_proba(X[held_out])[:, 1]
    return OutOfFold(probability, int(np.isnan(probability).sum()))


def _log_likelihood(
    model: LogisticRegressionCV, X: NDArray[np.float64], y: NDArray[np.int64]
) -> float:
    """Score a model by its mean log-likelihood; scikit-learn's own takes ten times as long."""
    return float(-np.logaddexp(0, (1 - 2 * y) * model.decision_function(X)).mean())
