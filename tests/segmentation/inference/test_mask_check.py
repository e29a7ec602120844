import json
from math import nan

import pytest
from scipy.special import expit

from lggshape.errors import InputError
from lggshape.segmentation.inference.mask_check import (
    CHECK,
    NO_REASON,
    NOTHING_FOUND,
    WORDS,
    Check,
    Model,
    Term,
    read_model,
)
from lggshape.segmentation.run.folder import SHIPPED

TERM = Term(mean=2, deviation=0.5, low=1, high=3, slope=1, square=-0.25)
LINES = {"low": (-1.0, 1.0), "expected": (0.0, 1.0), "high": (1.0, 1.0)}
MODEL = Model({"agreement": TERM, "noise": TERM._replace(slope=-1, square=0)}, 2, LINES, 0.85, 0.7)
WRITTEN = {
    **MODEL._asdict(), "terms": {name: term._asdict() for name, term in MODEL.terms.items()}
}  # fmt: skip


def test_a_term_is_a_parabola_of_the_standardised_measure_analytic():
    assert TERM.add(2) == 0
    assert TERM.add(2.5) == pytest.approx(1 - 0.25)
    assert TERM.add(1) == pytest.approx(-2 - 1)
    assert TERM.add(-9) == TERM.add(1)  # not beyond the range
    assert TERM.add(nan) == 0


def test_the_expected_dice_and_its_interval_are_those_of_the_lines_analytic():
    found = MODEL.judge({"agreement": 2.0, "noise": 2.0})
    assert found == Check(*map(float, expit([2, 1, 3])), "ok", "")


@pytest.mark.parametrize(
    ("agreement", "noise", "verdict", "reason"),
    [
        (2.0, 2.3, "look", "FLAIR is noisy"),
        (1.5, 2.5, "doubtful", "the networks disagree; FLAIR is noisy"),
        # Not seen in the fit, though the Dice to expect is high.
        (3.0, 0.9, "look", "FLAIR is unusually smooth"),
    ],
)
def test_the_reason_names_what_lowers_the_dice_or_is_out_of_range_analytic(
    agreement, noise, verdict, reason
):
    found = MODEL.judge({"agreement": agreement, "noise": noise})
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_good_sign_is_no_reason_whatever_its_coefficient_analytic():
    model = MODEL._replace(terms={"agreement": TERM._replace(slope=-1)})
    found = model.judge({"agreement": 2.5})
    assert (found.verdict, found.reason) == ("doubtful", NO_REASON)


def test_an_empty_mask_is_doubtful_analytic():
    assert MODEL.judge({}) == Check(verdict="doubtful", reason=NOTHING_FOUND)


def test_a_model_is_read_as_it_was_written_invariant(tmp_path):
    assert read_model(tmp_path) is None
    (tmp_path / CHECK).write_text(json.dumps(WRITTEN))
    assert read_model(tmp_path) == MODEL


@pytest.mark.parametrize(
    "change",
    [
        {"terms": {"noise": {"mean": 0}}},
        {"terms": []},
        {"lines": {"low": [0, 1]}},
        {"intercept": "two"},
        {"further": 1},
    ],
)
def test_other_contents_are_refused_invariant(tmp_path, change):
    (tmp_path / CHECK).write_text(json.dumps({**WRITTEN, **change}))
    with pytest.raises(InputError, match="to hold a model of the Dice to expect"):
        read_model(tmp_path)


def test_the_model_that_ships_knows_the_measures_invariant():
    model = read_model(SHIPPED)
    assert model is not None
    assert model.terms.keys() == WORDS.keys()
    assert 0.7 == model.doubtful <= model.ok <= 1
    assert all(term.low <= term.mean <= term.high for term in model.terms.values())
