import itertools
import math

import numpy as np
import pytest
from scipy.stats import fisher_exact as scipy_fisher_exact
from scipy.stats import hypergeom, random_table

from lggshape.errors import InputError
from lggshape.statistics import fisher as module
from lggshape.statistics import fisher_exact
from lggshape.statistics.fisher_network import exact_p
from lggshape.statistics.fisher_work import Work

# R 4.2.2: fisher.test(table, workspace = 2e8)$p.value
R_VALUES = [
    ([[23, 4, 5, 2, 3], [16, 5, 6, 2, 8]], 0.444558248627882),
    ([[4, 2, 1, 3], [2, 1, 1, 5]], 0.76812661023187),
    ([[5, 7], [5, 6], [7, 5]], 0.764050877786915),
    ([[13, 2, 8], [11, 3, 9]], 0.840314360963458),
    ([[8, 3, 3, 6, 1], [5, 3, 4, 8, 0], [5, 2, 4, 8, 2]], 0.92335547628392),
    ([[29, 12], [32, 9]], 0.613535814509192),
    ([[21, 11], [15, 16], [13, 18]], 0.146800409391013),
    ([[16, 8], [15, 9], [11, 12], [11, 13]], 0.410468343915309),
    ([[10, 4], [5, 8], [3, 10]], 0.0421355572844508),
    ([[2, 5, 1, 4], [0, 3, 6, 2], [3, 4, 2, 2], [0, 6, 2, 4]], 0.231756682025866),
    ([[7, 6, 8], [7, 1, 12], [3, 4, 13], [3, 2, 16]], 0.118373934807815),
    ([[0, 1, 3, 1, 1], [3, 0, 1, 0, 1], [1, 1, 1, 2, 0], [0, 0, 2, 1, 2]], 0.448636281895895),
    ([[3, 3], [1, 4], [0, 5]], 0.29945054945055),
    ([[0, 2, 2, 0, 2], [3, 0, 2, 0, 0], [0, 0, 2, 2, 1], [0, 0, 4, 2, 0]], 0.0391669767247742),
    ([[1, 2, 2], [2, 1, 2]], 0.999999999999997),
    ([[12, 3], [9, 6]], 0.426986506746627),
    ([[2, 0, 1, 1, 4, 2], [0, 1, 2, 4, 1, 1]], 0.210851068436207),
    ([[3, 4], [3, 4], [0, 7]], 0.165634674922598),
    ([[1, 1], [1, 1], [2, 0], [1, 1], [0, 2]], 0.87301587301587),
    ([[7, 2, 4, 9, 6], [6, 8, 4, 5, 4], [5, 6, 2, 9, 5], [6, 4, 5, 11, 2]], 0.611230672171322),
    ([[9, 3, 3, 7, 6], [4, 8, 7, 4, 4], [6, 4, 6, 5, 6], [7, 3, 6, 4, 8]], 0.676655212206661),
    (
        [[11, 14, 2, 0, 1], [4, 6, 4, 10, 3], [3, 4, 3, 10, 7], [0, 3, 1, 15, 9]],
        8.38776370017794e-08,
    ),
    ([[3, 1], [1, 3]], 0.485714285714286),
    ([[10, 2], [3, 15]], 0.000536724119143436),
    ([[0, 5], [5, 0]], 0.00793650793650794),
    ([[3, 1, 0], [1, 2, 4]], 0.103030303030303),
    ([[1, 0, 0, 2], [0, 3, 1, 0], [2, 2, 2, 2], [0, 0, 4, 1]], 0.0928383621882062),
    ([[12, 0, 0], [0, 11, 0], [0, 0, 9]], 2.63684115203031e-14),
    ([[2, 2], [2, 2], [2, 2]], 1),
    ([[5, 3], [1, 6]], 0.118881118881119),
    ([[30, 1, 2, 5], [2, 8, 9, 1]], 1.29344141761235e-08),
    (
        [
            [1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 1],
        ],
        1,
    ),
    ([[60, 31, 45], [38, 40, 52], [36, 61, 37]], 0.000418050661515823),
    ([[160, 131, 145], [128, 170, 166]], 0.0103092063263218),
    ([[5, 2, 4, 3, 6, 0], [1, 4, 3, 5, 2, 3], [6, 1, 0, 2, 4, 9]], 0.00529047123200415),
]


def quartile_table(rng, *, n, clusters, shift):
    label = np.arange(n) % clusters
    value = rng.normal(size=n) + shift * label
    table = np.zeros((4, clusters), dtype=int)
    np.add.at(table, (np.searchsorted(np.quantile(value, [0.25, 0.5, 0.75]), value), label), 1)
    return table


def every_table(rows, columns):
    """Yield all tables with these margins, the last row being what is left."""
    if len(rows) == 1:
        yield (tuple(columns),)
        return
    for first in itertools.product(*(range(c + 1) for c in columns)):
        if sum(first) == rows[0]:
            rest = [c - x for c, x in zip(columns, first, strict=True)]
            for others in every_table(rows[1:], rest):
                yield (first, *others)


def p_by_counting(table):
    """Sum the probabilities of all tables that are at most as probable, in whole numbers."""
    rows, columns = np.sum(table, axis=1).tolist(), np.sum(table, axis=0).tolist()

    def ways(cells):
        # Number of assignments of the patients that give the table, for fixed margins.
        product = 1
        for row in cells:
            product *= math.factorial(sum(row)) // math.prod(math.factorial(int(x)) for x in row)
        return product

    observed = ways(table)
    counts = [ways(cells) for cells in every_table(rows, columns)]
    return sum(c for c in counts if c <= observed) / sum(counts)


@pytest.mark.parametrize(("table", "p"), R_VALUES)
def test_p_equals_fisher_test_r(table, p):
    result = fisher_exact(table)
    assert result.method == "fisher_exact"
    assert result.standard_error == 0
    assert result.draws == 0
    assert result.p == pytest.approx(p, rel=1e-7)


@pytest.mark.parametrize(
    "table",
    [
        [[3, 0, 1], [1, 2, 2]],
        [[4, 1], [0, 2], [1, 3]],
        [[2, 0, 1, 1], [0, 2, 1, 0], [1, 1, 0, 3]],
        [[1, 0], [2, 1], [0, 3], [2, 2]],
        [[2, 1, 0, 0, 1], [0, 1, 2, 1, 0], [0, 0, 1, 1, 2]],
        [[1, 0, 0], [0, 2, 0], [0, 0, 1], [1, 0, 1], [0, 1, 0]],
    ],
)
def test_p_is_the_sum_over_all_tables_analytic(table):
    assert fisher_exact(table).p == pytest.approx(p_by_counting(table), rel=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(r, c) for r in range(2, 6) for c in range(2, 7)])
def test_p_of_any_small_table_counting(rows, columns):
    rng = np.random.default_rng([rows, columns])
    for n in (1, 2, 3, 4, 5, 6, 7, 7, 7):
        # Many have empty rows and columns.
        table = np.zeros((rows, columns), dtype=int)
        np.add.at(table, (rng.integers(rows, size=n), rng.integers(columns, size=n)), 1)
        assert fisher_exact(table).p == pytest.approx(p_by_counting(table), rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_two_by_two_scipy(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 30, size=(2, 2)) + 1
    assert fisher_exact(table).p == pytest.approx(scipy_fisher_exact(table).pvalue, rel=1e-9)


@pytest.mark.parametrize("shift", [0.1, 0.5])
def test_order_of_rows_and_columns_does_not_matter_invariant(shift):
    rng = np.random.default_rng(1)
    table = quartile_table(rng, n=62, clusters=4, shift=shift)
    p = fisher_exact(table).p
    assert fisher_exact(table.T).p == pytest.approx(p, rel=1e-10)
    for _ in range(3):
        shuffled = rng.permutation(rng.permutation(table, axis=0), axis=1)
        assert fisher_exact(shuffled).p == pytest.approx(p, rel=1e-10)


def test_same_table_same_p_to_the_bit_invariant():
    table = quartile_table(np.random.default_rng(2), n=92, clusters=4, shift=0.3)
    assert fisher_exact(table) == fisher_exact(table.copy())


def test_split_of_the_columns_does_not_matter_invariant():
    table = quartile_table(np.random.default_rng(3), n=48, clusters=4, shift=0.4)
    expected = fisher_exact(table).p
    columns = range(4)
    for middle in columns:
        others = [j for j in columns if j != middle]
        for size in (1, 2, 3):
            for first in itertools.combinations(others, size):
                last = tuple(j for j in others if j not in first)
                p = exact_p(table, first, middle, last, module.TOLERANCE, Work(math.inf))
                assert p == pytest.approx(expected, rel=1e-10)


def test_empty_rows_and_columns_are_dropped_invariant():
    table = [[5, 3, 0, 1], [0, 0, 0, 0], [1, 6, 0, 2]]
    assert fisher_exact(table) == fisher_exact([[5, 3, 1], [1, 6, 2]])


@pytest.mark.parametrize("table", [[[3, 4, 5]], [[3], [4]], [[0, 0], [2, 5]], [[7]]])
def test_one_row_or_column_has_p_of_one_analytic(table):
    assert fisher_exact(table) == (1.0, "fisher_exact", 0.0, 0, 0.0)


def test_complete_association_analytic():
    # Of the 60! / 20!^3 ways to fill the margins, those of the 3! tables with one cell a row.
    expected = 6 * math.factorial(20) ** 3 / math.factorial(60)
    assert fisher_exact(np.diag([20, 20, 20])).p == pytest.approx(expected, rel=1e-9)


def test_uneven_margins_analytic():
    # One of 2,000 has the rare label, and lies in the row of ten: probability 10 / 2000.
    assert fisher_exact([[1, 9], [0, 1990]]).p == pytest.approx(0.005, rel=1e-9)


def test_many_patients_two_by_two_scipy():
    table = [[1_220, 2_780], [22_700, 53_300]]
    expected = scipy_fisher_exact(table).pvalue
    assert 0.1 < expected < 0.9
    assert fisher_exact(table).p == pytest.approx(expected, rel=1e-6)


def test_weights_beyond_the_largest_number_are_sampled_analytic():
    table = np.array([[300, 5_700, 0], [3_000, 61_000, 1]])
    result = fisher_exact(table)
    assert result.method == "fisher_monte_carlo"
    # The one patient of the third column is in a row with the share of that row.
    total, row, column = int(table.sum()), int(table[0].sum()), int(table[:, 0].sum())
    counts = np.arange(column + 1)
    found = [
        share * hypergeom(total - 1, row - inside, column).pmf(counts)
        for inside, share in ((0, 1 - row / total), (1, row / total))
    ]
    p = sum(float(one[one <= found[0][300] * (1 + 1e-7)].sum()) for one in found)
    assert abs(result.p - p) < 4 * result.standard_error


def test_the_limit_decides_alone_whether_p_is_exact_invariant():
    table = quartile_table(np.random.default_rng(3), n=80, clusters=5, shift=0.3)
    exact = fisher_exact(table)
    assert fisher_exact(table, max_work=exact.work) == exact
    for share in np.linspace(0.05, 0.999, 30):
        result = fisher_exact(table, max_work=share * exact.work, draws=99)
        assert result.method == "fisher_monte_carlo"
        assert share * exact.work < result.work <= exact.work


def test_monte_carlo_beyond_the_limit_r():
    table, p = R_VALUES[0]
    result = fisher_exact(table, max_work=0, draws=20_000, seed=5)
    assert result.method == "fisher_monte_carlo"
    assert result.draws == 20_000
    assert result.standard_error == pytest.approx(math.sqrt(p * (1 - p) / 20_000), rel=0.02)
    assert abs(result.p - p) < 4 * result.standard_error


def test_monte_carlo_follows_the_seed_invariant():
    table = [[5, 3, 2], [1, 6, 3]]
    first = fisher_exact(table, max_work=0, draws=999, seed=1)
    assert first == fisher_exact(table, max_work=0, draws=999, seed=1)
    assert first == fisher_exact(table, max_work=0, draws=999, seed=np.random.SeedSequence(1))
    others = {fisher_exact(table, max_work=0, draws=999, seed=seed).p for seed in range(2, 6)}
    assert others != {first.p}


def test_monte_carlo_p_is_never_zero_analytic():
    result = fisher_exact(np.diag([30, 30, 30]), max_work=0, draws=99)
    assert result.p == 1 / 100


def test_thousands_of_patients_are_sampled():
    table = random_table([1000] * 4, [800] * 5, seed=np.random.default_rng(0)).rvs()
    result = fisher_exact(table, draws=999)
    assert result.method == "fisher_monte_carlo"
    assert result.work > module.MAX_WORK


def test_long_shorter_side_is_sampled():
    assert fisher_exact(np.ones((7, 7), dtype=int), draws=9).method == "fisher_monte_carlo"


def test_many_columns_counting():
    # Eight columns: only the splits by size are tried.
    table = [[2, 1, 0, 1, 0, 1, 0, 1], [0, 0, 1, 0, 1, 0, 1, 1]]
    assert fisher_exact(table).p == pytest.approx(p_by_counting(table), rel=1e-12)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1, 2, 3], "2 dimensions, found 1"),
        ([[1, -2], [3, 4]], "non-negative integers"),
        ([[1, 2.5], [3, 4]], "non-negative integers"),
        ([[1, math.nan], [3, 4]], "non-negative integers"),
        ([["a", "b"], ["c", "d"]], "hold counts"),
        ([[0, 0], [0, 0]], "at least one thing, found none"),
        ([[1, 2], [3]], "rows of equal length"),
    ],
)
def test_unusable_table(table, message):
    with pytest.raises(InputError, match=message):
        fisher_exact(table)


def test_unusable_draws():
    with pytest.raises(InputError, match="`draws` to be a whole number of at least 1, found 0"):
        fisher_exact([[1, 2], [3, 4]], draws=0)
