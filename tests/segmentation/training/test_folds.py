from collections import Counter

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.segmentation.training.folds import assign_folds, inner_split, stratified_order


def random_cohort(seed):
    """Return the site of each patient, and the patient of each case: several for some."""
    rng = np.random.default_rng(seed)
    patients = [f"P{number:03d}" for number in range(rng.integers(6, 120))]
    sites = dict(
        zip(patients, rng.choice(["", "CS", "DU", "FG", "HT"], len(patients)), strict=True)
    )
    cases = [f"{p}_{exam}" for p in patients for exam in range(rng.integers(1, 4))]
    return {p: str(site) for p, site in sites.items()}, cases


@pytest.mark.parametrize("seed", range(40))
def test_no_patient_is_on_both_sides_invariant(seed):
    sites, cases = random_cohort(seed)
    folds = 2 + seed % 4
    fold_of = assign_folds(sites, folds=folds, seed=seed)
    assert sorted(fold_of) == list(fold_of) == sorted(sites)
    seen = []
    for fold in range(folds):
        held_out = {case for case in cases if fold_of[case.split("_")[0]] == fold}
        rest = {p: site for p, site in sites.items() if fold_of[p] != fold}
        training, inner = inner_split(rest, share=0.2, rng=np.random.default_rng([seed, fold]))
        groups = [
            {case.split("_")[0] for case in held_out},
            set(training),
            set(inner),
        ]
        assert sum(map(len, groups)) == len(set().union(*groups)) == len(sites)
        seen += sorted(held_out)
    assert sorted(seen) == sorted(cases)  # each case is held out once


@pytest.mark.parametrize("seed", range(40))
def test_folds_are_even_in_patients_and_in_sites_invariant(seed):
    sites, _ = random_cohort(seed)
    folds = 2 + seed % 4
    fold_of = assign_folds(sites, folds=folds, seed=seed)
    sizes = Counter(fold_of.values())
    assert max(sizes.values()) - min(sizes[fold] for fold in range(folds)) <= 1
    for site in set(sites.values()):
        shares = Counter(fold_of[p] for p in sites if sites[p] == site)
        counts = [shares[fold] for fold in range(folds)]
        assert max(counts) - min(counts) <= 1


def test_the_seed_decides_and_not_the_order_invariant():
    sites, _ = random_cohort(1)
    folds = assign_folds(sites, folds=5, seed=0)
    turned = dict(reversed(sites.items()))
    assert assign_folds(turned, folds=5, seed=0) == folds
    assert assign_folds(sites, folds=5, seed=1) != folds

    def split(patients, seed):
        return inner_split(patients, share=0.2, rng=np.random.default_rng(seed))

    assert split(turned, 0) == split(sites, 0)
    assert split(sites, 1) != split(sites, 0)


def test_too_few_patients_for_the_folds_are_refused():
    with pytest.raises(InputError, match=r"patients as folds \(5\), found 4"):
        assign_folds(dict.fromkeys("abcd", ""), folds=5, seed=0)
    assert sorted(assign_folds(dict.fromkeys("abcde", ""), folds=5, seed=0).values()) == [*range(5)]


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(100, 0.1, 10), (88, 0.1, 9), (4, 0.1, 1), (2, 0.01, 1), (10, 0.5, 5), (1, 0, 0)],
)
def test_the_inner_split_has_its_share_analytic(count, share, expected):
    patients = {f"P{number}": "" for number in range(count)}
    training, inner = inner_split(patients, share=share, rng=np.random.default_rng(0))
    assert len(inner) == expected
    assert sorted(training + inner) == sorted(patients)
    assert training == sorted(training)
    assert inner == sorted(inner)


def test_the_inner_split_takes_from_each_site_its_share_invariant():
    """To within two patients: one by rounding, one by the share of all sites together."""
    sites = {
        f"{site}{n}": site for site, many in (("A", 60), ("B", 30), ("C", 20)) for n in range(many)
    }
    for seed in range(20):
        _, inner = inner_split(sites, share=0.2, rng=np.random.default_rng(seed))
        taken = Counter(sites[patient] for patient in inner)
        for site, expected in (("A", 12), ("B", 6), ("C", 4)):
            assert abs(taken[site] - expected) <= 2


@pytest.mark.parametrize(("count", "share"), [(1, 0.1), (2, 0.9), (0, 0.1)])
def test_an_inner_split_that_leaves_nobody_is_refused(count, share):
    patients = {f"P{number}": "" for number in range(count)}
    with pytest.raises(InputError, match=f"found {count} in all"):
        inner_split(patients, share=share, rng=np.random.default_rng(0))


def test_fewer_patients_are_some_of_more_and_of_the_sites_as_all_invariant():
    sites = {
        f"{site}{n}": site for site, many in (("A", 40), ("B", 20), ("C", 20)) for n in range(many)
    }
    for seed in range(10):
        order = stratified_order(sites, np.random.default_rng(seed))
        assert sorted(order) == sorted(sites)
        for count in (20, 40, 60):
            taken = Counter(sites[patient] for patient in order[:count])
            for site, share in (("A", 0.5), ("B", 0.25), ("C", 0.25)):
                assert abs(taken[site] - share * count) <= 2
