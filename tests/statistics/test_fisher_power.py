import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics import fisher_exact, fisher_power, power_of_v, shrunk_table


def test_shrinking_multiplies_v_and_leaves_the_margins_analytic() -> None:
    counts = np.array([[10, 2, 3], [1, 9, 4], [2, 5, 8]])
    shares = counts / counts.sum()
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    found = shrunk_table(counts, 0.3)
    np.testing.assert_allclose(found.sum(axis=0), shares.sum(axis=0))
    np.testing.assert_allclose(found.sum(axis=1), shares.sum(axis=1))
    squares = [np.sum((table - expected) ** 2 / expected) for table in (found, shares)]
    assert np.sqrt(squares[0] / squares[1]) == pytest.approx(0.3)
    np.testing.assert_allclose(shrunk_table(counts, 1), shares)
    np.testing.assert_allclose(shrunk_table(counts, 0), expected)


def test_power_is_that_of_enumeration_analytic() -> None:
    """Of two rows of four, all 25 tables are enumerated."""
    from scipy.stats import binom

    one, other, alpha = 0.9, 0.2, 0.2
    exact = sum(
        binom.pmf(i, 4, one) * binom.pmf(j, 4, other)
        for i in range(5)
        for j in range(5)
        if fisher_exact([[i, 4 - i], [j, 4 - j]]).p < alpha
    )
    found = fisher_power([[one, 1 - one], [other, 1 - other]], [4, 4], alpha, draws=4000, seed=1)
    assert found.low < exact < found.high
    assert found.estimate == pytest.approx(exact, abs=4 * np.sqrt(0.25 / 4000))


def test_power_is_about_that_of_chi_squared_simulation() -> None:
    counts = np.full((3, 3), 4) + 6 * np.eye(3, dtype=int)
    shares = counts / counts.sum()
    v = np.sqrt(np.sum((shares - 1 / 9) ** 2 * 9) / 2)
    found = fisher_power(shares, counts.sum(axis=1), 0.01, draws=400)
    assert found.estimate == pytest.approx(
        power_of_v(int(counts.sum()), 3, 3, v, alpha=0.01), abs=0.08
    )


def test_nothing_and_everything_analytic() -> None:
    independent, certain = np.full((2, 2), 0.25), np.eye(2)
    assert fisher_power(independent, [5, 5], 1e-9, draws=50)[:2] == (0.0, 0.0)
    found = fisher_power(certain, [5, 5], 0.05, draws=50)
    assert (found.estimate, found.high) == (1.0, 1.0)
    # Clopper and Pearson: 0.025 ** (1 / 50).
    assert found.low == pytest.approx(0.025 ** (1 / 50))


@pytest.mark.parametrize(
    ("cells", "rows", "alpha", "message"),
    [
        ([[1, 1], [0, 0]], [3, 3], 0.05, "Expected `probabilities` to be a table"),
        ([[1, 1], [1, 1]], [3], 0.05, "Expected `rows` to have shape"),
        ([[1, 1], [1, 1]], [3, 3], 0, "Expected `alpha`"),
    ],
)
def test_what_cannot_be_simulated_is_refused(cells, rows, alpha, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fisher_power(cells, rows, alpha)


def test_shrinking_beyond_the_table_is_refused() -> None:
    with pytest.raises(InputError, match="Expected `factor` to be from 0 to 1"):
        shrunk_table([[1, 0], [0, 1]], 1.5)
