import math

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from lggshape.errors import InputError
from lggshape.statistics import auc
from lggshape.statistics.prediction import cross_validated, stratified_folds


def patients(seed, count=60, covariates=3, effect=1.5):
    """Draw patients whose first covariate matters."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, covariates)) * 10.0 ** np.arange(covariates) + 5
    risk = 1 / (1 + np.exp(-effect * (X[:, 0] - 5) + 0.5))
    return (rng.random(count) < risk).astype(int), X


def ridge(y, X, C, new):
    """Predict new rows by Newton's method; the intercept is not penalised."""
    design = np.column_stack([np.ones(len(X)), X])
    penalty = np.diag([0.0, *[1 / C] * X.shape[1]])
    beta = np.zeros(design.shape[1])
    for _ in range(30):
        risk = 1 / (1 + np.exp(-design @ beta))
        information = (design.T * (risk * (1 - risk))) @ design + penalty
        beta += np.linalg.solve(information, design.T @ (y - risk) - penalty @ beta)
    return 1 / (1 + np.exp(-beta[0] - new @ beta[1:]))


# No effect, some, and one that hardly needs a penalty: the grid's first, middle and last values.
@pytest.mark.parametrize("effect", [0, 1.5, 50])
def test_nested_cross_validation_by_newtons_method_analytic(effect):
    y, X = patients(0, effect=effect)
    folds = np.arange(60) % 2
    expected = np.empty(60)
    for fold in (0, 1):
        train, losses = folds != fold, {}
        Z, outcome = (X - X[train].mean(axis=0)) / X[train].std(axis=0), y[train]
        inner = StratifiedKFold(5, shuffle=True, random_state=4)
        for C in (0.001, 0.01, 0.1, 1, 10, 100):
            means = []
            for fit, check in inner.split(outcome, outcome):
                p = ridge(outcome[fit], Z[train][fit], C, Z[train][check])
                means.append(-np.mean(np.log(np.where(outcome[check] == 1, p, 1 - p))))
            losses[C] = np.mean(means)
        expected[~train] = ridge(outcome, Z[train], min(losses, key=losses.get), Z[~train])
    result = cross_validated(y, X, folds, seed=4)
    assert result.probability == pytest.approx(expected, abs=1e-5)
    assert result.unpredicted == 0


def test_a_held_out_row_does_not_leak_invariant():
    y, X = patients(1)
    folds = stratified_folds(y, 3)
    before = cross_validated(y, X, folds).probability
    row = 7
    X[row], y[row] = [1e6, -1e7, 1e9], 1 - y[row]
    after = cross_validated(y, X, folds).probability
    same = (folds == folds[row]) & (np.arange(60) != row)
    assert (after[same] == before[same]).all()
    assert (after[folds != folds[row]] != before[folds != folds[row]]).all()


def test_units_of_covariates_do_not_matter_invariant():
    y, X = patients(2)
    folds = stratified_folds(y, 4)
    rescaled = cross_validated(y, 1e3 * X - 40, folds).probability
    assert rescaled == pytest.approx(cross_validated(y, X, folds).probability, abs=1e-9)


def test_names_of_folds_do_not_matter_invariant():
    y, X = patients(3)
    institutions = np.repeat([0, 1, 2], [30, 20, 10])
    renamed = np.array([7, -1, 3])[institutions]
    expected = cross_validated(y, X, institutions).probability
    assert (cross_validated(y, X, renamed).probability == expected).all()


def test_constant_covariates_leave_the_prevalence_of_the_training_part_analytic():
    y = np.repeat([0, 1, 0, 1], [3, 7, 6, 4])
    folds = np.repeat([0, 1], 10)
    expected = np.repeat([0.4, 0.7], 10)
    result = cross_validated(y, np.full((20, 2), 3.0), folds)
    assert result.probability == pytest.approx(expected, abs=1e-6)


def test_permuted_outcome_is_predicted_by_chance_simulated():
    rng = np.random.default_rng(5)
    y, X = patients(5, count=80)
    areas = []
    for shuffled in [y, *(rng.permutation(y) for _ in range(5))]:
        p = cross_validated(shuffled, X, stratified_folds(shuffled, 4)).probability
        areas.append(auc(p[shuffled == 1], p[shuffled == 0]).estimate)
    assert areas[0] > 0.75
    # Below one half rather than above: see the notes of the function.
    assert 0.35 < np.mean(areas[1:]) < 0.55


@pytest.mark.parametrize(("positives", "unpredicted"), [(0, 10), (1, 10), (2, 0)])
def test_folds_without_enough_positives_elsewhere_analytic(positives, unpredicted):
    # All other positives are in fold 0, so that its training part has this many.
    y = np.zeros(30, dtype=int)
    y[:4] = 1
    y[10 : 10 + positives] = 1
    folds = np.repeat([0, 1, 2], 10)
    result = cross_validated(y, np.arange(30.0)[:, None], folds)
    assert result.unpredicted == unpredicted
    assert (np.isnan(result.probability) == ((folds == 0) & (unpredicted > 0))).all()


def test_seed_decides_the_inner_folds_alone_invariant():
    y, X = patients(6, count=40, effect=0.4)
    folds = stratified_folds(y, 2)
    results = [cross_validated(y, X, folds, seed=seed).probability for seed in (0, 0, 1, 2, 3)]
    assert (results[0] == results[1]).all()
    assert any((results[0] != other).any() for other in results[2:])


@pytest.mark.parametrize("count", [2, 5, 13])
def test_folds_are_stratified_invariant(count):
    y = np.repeat([0, 1], [40, 13])
    folds = stratified_folds(y, count, seed=1)
    sizes, positives = np.bincount(folds), np.bincount(folds, y)
    assert len(sizes) == count
    assert np.ptp(positives) <= 1
    assert np.ptp(sizes) <= 2
    assert (stratified_folds(y, count, seed=1) == folds).all()
    assert (stratified_folds(y, count, seed=2) != folds).any()


@pytest.mark.parametrize(
    ("outcome", "covariates", "folds", "message"),
    [
        ([0, 1, 2], np.ones((3, 1)), [0, 1, 1], r"`outcome` to hold 0 and 1, found \[0.0, 1.0, 2"),
        ([0, 0, 0], np.ones((3, 1)), [0, 1, 1], r"`outcome` to hold 0 and 1, found \[0\]"),
        ([0, 1, math.nan], np.ones((3, 1)), [0, 1, 1], "`outcome` to hold finite numbers"),
        ([0, 1, 1], [[1.0], [math.nan], [2.0]], [0, 1, 1], "`covariates` .* finite .* found 1 not"),
        ([0, 1, 1], [["a"], ["b"], ["c"]], [0, 1, 1], "`covariates` to hold numbers"),
        ([0, 1, 1], np.ones((2, 4)), [0, 1, 1], r"shape \(3, columns\), found \(2, 4\)"),
        ([0, 1, 1], np.ones((3, 0)), [0, 1, 1], "`covariates` to have at least one column"),
        ([0, 1, 1], np.ones(3), [0, 1, 1], r"shape \(3, columns\), found \(3,\)"),
        ([0, 1, 1], np.ones((3, 1)), [0, 1], r"`folds` to be 3 integers, found shape \(2,\)"),
        ([0, 1, 1], np.ones((3, 1)), [0, 1, math.nan], "`folds` .* of type float64"),
        ([0, 1, 1], np.ones((3, 1)), [4, 4, 4], r"at least two folds, found \[4\]"),
    ],
)
def test_unusable_rows(outcome, covariates, folds, message):
    with pytest.raises(InputError, match=message):
        cross_validated(outcome, covariates, folds)


@pytest.mark.parametrize("count", [1, 3])
def test_unusable_number_of_folds(count):
    with pytest.raises(
        InputError, match=f"from 2 to 2, the number of the rarer outcome, found {count}"
    ):
        stratified_folds([0, 1, 0, 1, 0], count)
