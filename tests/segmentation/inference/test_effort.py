import numpy as np
import pytest

from lggshape.segmentation import SHIPPED, read_ensemble
from lggshape.segmentation.inference.effort import EFFORTS, may_show_tumour

ALL = read_ensemble(SHIPPED).members
FOLD = tuple(member for member in ALL if member.fold == 3)


def names(members):
    return [member.name for member in members]


@pytest.mark.parametrize(
    ("effort", "members", "used", "first"),
    [
        ("fast", ALL, ["fold0-member0", "fold2-member1"], ["fold0-member0"]),
        ("usual", ALL, names(ALL), ["fold0-member0", "fold2-member1"]),
        ("usual", FOLD, names(FOLD), ["fold3-member0"]),
        ("fast", FOLD, names(FOLD), ["fold3-member0"]),
        ("thorough", ALL, names(ALL), ["fold0-member0"]),
        ("fast", FOLD[:1], ["fold3-member0"], ["fold3-member0"]),
    ],
)
def test_networks_of_different_folds_are_chosen_analytic(effort, members, used, first):
    workload = EFFORTS[effort]
    assert names(workload.choose(members)) == used
    assert names(workload.first(workload.choose(members))) == first


def test_nothing_found_shows_nothing_analytic():
    assert may_show_tumour(np.full((5, 2, 2), 0.1)).tolist() == []


def test_a_finding_at_the_end_has_one_neighbour_analytic():
    probability = np.zeros((5, 2, 2))
    probability[4, 1, 1] = 0.11
    assert may_show_tumour(probability).tolist() == [3, 4]
