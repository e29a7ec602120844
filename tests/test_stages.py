import threading
from functools import partial

import pytest

from lggshape.errors import CaseError
from lggshape.stages import map_stages


def test_stages_overlap_and_come_in_order_analytic():
    """The second stage of an item ends only after the first one of the next has begun."""
    begun = [threading.Event() for _ in range(4)]
    threads = set()

    def before(number):
        begun[number].set()
        return number

    def beside(number):
        threads.add(threading.get_ident())
        assert begun[min(number + 1, 3)].wait(timeout=30)
        return 10 * number

    outcomes = list(map_stages(before, beside, lambda value: value + 1, range(4)))
    assert [tuple(outcome) for outcome in outcomes] == [(n, 10 * n + 1, None) for n in range(4)]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("failing", range(3))
def test_what_fails_in_a_stage_is_not_in_the_next_ones_analytic(failing):
    called = []

    def stage(place, item):
        called.append((place, item))
        if (place, item) == (failing, "bad"):
            raise CaseError("Expected good, found bad.")
        return item

    stages = [partial(stage, place) for place in range(3)]
    outcomes = list(map_stages(*stages, ["good", "bad", "fine"]))
    assert [outcome.item for outcome in outcomes] == ["good", "bad", "fine"]
    assert [outcome.value for outcome in outcomes] == ["good", None, "fine"]
    assert str(outcomes[1].error) == "Expected good, found bad."
    assert [place for place, item in called if item == "bad"] == list(range(failing + 1))


def test_nothing_is_begun_after_the_one_who_asked_has_stopped():
    written = []
    outcomes = map_stages(int, int, written.append, range(9))
    next(outcomes)
    outcomes.close()
    assert written == [0]


def test_nothing_else_is_done_while_a_large_item_is_analytic():
    done = []
    stages = [
        partial(lambda stage, item: done.append((stage, item)) or item, name) for name in "abc"
    ]
    list(map_stages(*stages, [1, 2, 3], alone=lambda value: value == 2))
    assert done.index(("c", 2)) < done.index(("a", 3))
    # The item before is still being worked on while the large one is read.
    assert done.index(("a", 2)) < done.index(("c", 1))
