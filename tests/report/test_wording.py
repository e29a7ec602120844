from types import SimpleNamespace

import pytest

from lggshape.association import Family, Hypothesis
from lggshape.report import wording

NAN = float("nan")


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1.0, "1.00"),
        (0.2749, "0.27"),
        (0.1, "0.10"),
        (0.0649, "0.065"),
        (0.01, "0.010"),
        (0.00204, "0.0020"),
        (0.000397, "0.00040"),
        (6.06e-5, "0.000061"),
        (6.1e-8, "< 0.000001"),
        (NAN, "—"),
    ],
)
def test_p_is_written_to_two_digits(p: float, text: str) -> None:
    assert wording.p_text(p) == text


def test_p_in_a_sentence() -> None:
    assert wording.p_equals(0.002) == "= 0.0020"
    assert wording.p_equals(1e-9) == "< 0.000001"


def test_numbers_and_intervals() -> None:
    assert wording.number_text(NAN) == "—"
    assert wording.interval_text(0.5, 0.25, 0.751) == "0.50 (0.25 to 0.75)"
    assert wording.interval_text(NAN, 0, 1) == "—"


@pytest.mark.parametrize(
    ("p", "corrected", "short"),
    [
        (0.001, 0.01, "holds"),
        (0.005, 0.05, "holds"),
        (0.0051, 0.051, "not after correction"),
        (0.06, 0.6, "not significant"),
        (NAN, NAN, "not tested"),
    ],
)
def test_the_verdict_rests_on_the_corrected_p(p: float, corrected: float, short: str) -> None:
    row = SimpleNamespace(feature="margin_fluctuation", label="g", p=p, p_bonferroni=corrected)
    assert wording.verdict(row, Family("f", "F", ()))[0] == short
    assert "margin fluctuation" in wording.verdict(row, Family("f", "F", ()))[1]


def test_a_verdict_on_a_count_is_a_sentence() -> None:
    row = SimpleNamespace(feature="slices", label="g", p=0.5, p_bonferroni=1.0)
    sentence = wording.verdict(row, Family("f", "F", ()))[1]
    assert sentence.startswith("The number of slices is not significantly associated with g.")


@pytest.mark.parametrize(
    ("p", "bound", "text"),
    [
        (6.1e-5, 0.0002, "The publication reports p < 0.0002, which is reached here too."),
        (0.02, 0.02, "The publication reports p < 0.02, which is not reached here."),
        (0.02, None, ""),
        (NAN, 0.02, ""),
    ],
)
def test_beside_the_publication(p: float, bound: float | None, text: str) -> None:
    hypothesis = Hypothesis("a", "b", reported_below=bound)
    assert wording.beside_the_publication(SimpleNamespace(p=p), hypothesis) == text


@pytest.mark.parametrize(
    ("which", "shown"),
    [
        ("", ""),
        ("A; B", "A; B"),
        ("A (x; y); B; C", "A (x; y); B and 1 more (flow.csv)"),
        ("A (x); B = b; C; D (y; z)", "A (x); B = b and 2 more (flow.csv)"),
    ],
)
def test_of_many_patients_the_first_are_named_analytic(which: str, shown: str) -> None:
    assert wording.first_patients(which, most=2) == shown
