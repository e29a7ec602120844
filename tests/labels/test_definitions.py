from typing import Any

import numpy as np
import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.labels import Kind, Label, LabelDefinition, Labels, define_labels, read_labels


def labels() -> Labels:
    table = pd.DataFrame(
        {
            "patient": list("abcdef"),
            "IDH": ["R132H", "R132S", "wildtype", "wild", "NOS", None],
            "who": [4, 2, 3, 2, 3, 4],
            "days": [300, 20, 45.5, 0, None, 7],
            "dead": ["Yes", "no", "yes", None, "no", "NO"],
            "state": ["gone", "here", "here", "gone", "here", "here"],
        }
    )
    return read_labels(table)


def defined(**stated: Any) -> Label:
    return define_labels([LabelDefinition(**stated)], labels())[stated["name"]]


IDH = {"mutant": ["R132H", "R132S"], "wildtype": ["wildtype", "wild"]}


def test_levels_are_merged() -> None:
    label = defined(name="IDH", levels=IDH, missing=["NOS"])
    assert (label.kind, label.levels) == (Kind.NOMINAL, ("mutant", "wildtype"))
    assert label.values.to_dict() == dict.fromkeys("ab", "mutant") | dict.fromkeys("cd", "wildtype")
    assert defined(name="x", column="IDH", levels=IDH, missing=["NOS"]).name == "x"
    ordered = defined(name="x", column="IDH", levels=IDH, missing=["NOS"], kind="ordinal")
    assert ordered.kind is Kind.ORDINAL


def test_case_and_blanks_do_not_matter_invariant() -> None:
    spelled = {"mutant": ["r132h", "R132 S"], "wildtype": ["Wild Type", "wildtype", "WILD"]}
    label = defined(name="IDH", levels=spelled, missing=["nos"])
    expected = defined(name="IDH", levels=IDH, missing=["NOS"])
    pd.testing.assert_series_equal(label.values, expected.values)


def test_one_value_of_a_level_needs_no_list() -> None:
    label = defined(name="grade", column="who", levels={"low": 2, "high": [3, "4"]})
    assert label.values.value_counts().to_dict() == {
        "high": int((label.values == "high").sum()),
        "low": int((defined(name="who", kind="ordinal").values == "2").sum()),
    }


def test_a_list_orders_levels() -> None:
    label = defined(name="grade", column="who", levels=[4, 3, 2])
    assert (label.kind, label.levels) == (Kind.ORDINAL, ("4", "3", "2"))
    assert defined(name="who", kind="ordinal").levels == ("2", "3", "4")


def test_a_kind_is_stated() -> None:
    label = defined(name="who", kind="continuous")
    assert (label.kind, label.values["a"], label.levels) == (Kind.CONTINUOUS, 4.0, ())
    assert defined(name="days", kind="categorical").levels == ("0", "7", "20", "45.5", "300")


def test_survival_has_times_and_events() -> None:
    label = defined(name="survival", time="days", event="dead")
    assert label.kind is Kind.SURVIVAL
    assert label.events is not None
    # d has no event that is known, and e no time.
    assert label.values.to_dict() == {"a": 300, "b": 20, "c": 45.5, "f": 7}
    assert label.events.to_dict() == {"a": True, "b": False, "c": True, "f": False}
    assert repr(label) == "Label('survival' of 4 patients, survival, 2 events)"
    table = pd.DataFrame({"patient": ["a", "b"], "t": [1, 2], "e": ["censored", "Event"]})
    words = define_labels([LabelDefinition("s", time="t", event="e")], read_labels(table))["s"]
    assert words.events is not None
    assert words.events.tolist() == [False, True]
    by_name = defined(name="days", time="days", event="state", event_is="gone")
    assert by_name.events is not None
    assert by_name.events.to_dict() == {"a": True, "b": False, "c": False, "d": True, "f": False}


def test_the_rest_is_a_level_whose_values_are_told_analytic() -> None:
    label = defined(name="IDH", levels={"wild": ["wildtype", "wild"]}, missing=["NOS"], rest="mut")
    assert label.levels == ("wild", "mut")
    # f is missing, and e is stated to be.
    assert label.values.to_dict() == {"a": "mut", "b": "mut", "c": "wild", "d": "wild"}
    assert label.notes == ("IDH: counted as mut: 'R132H' (1), 'R132S' (1)",)
    more = defined(name="IDH", levels={"mut": ["R132H"], "wild": ["wild", "wildtype"]}, rest="mut")
    assert more.levels == ("mut", "wild")
    assert more.notes == ("IDH: counted as mut: 'R132S' (1), 'NOS' (1)",)
    listed = defined(name="who", levels=["2", "3"], rest="higher")
    assert (listed.kind, listed.levels) == (Kind.ORDINAL, ("2", "3", "higher"))
    whole = defined(name="IDH", levels=IDH, missing=["NOS"], rest="none of these")
    assert (whole.levels, whole.notes) == (("mutant", "wildtype"), ())


@pytest.mark.parametrize("event_is", [2, 2.0, "2", "2.0", np.int64(2), [2, "3"]])
def test_an_event_may_be_a_number_or_several_values_invariant(event_is: Any) -> None:
    codes = [1, 3, 1] if isinstance(event_is, list) else [1, 2, 1]
    table = pd.DataFrame({"patient": list("abc"), "t": [1, 2, 3], "e": codes})
    if isinstance(event_is, list):
        table = pd.concat([table, pd.DataFrame({"patient": ["d"], "t": [4], "e": [2]})])
    survival = LabelDefinition("s", time="t", event="e", event_is=event_is)
    events = define_labels([survival], read_labels(table))["s"].events
    assert events is not None
    assert events.tolist() == [False, True, False, True][: len(table)]


def test_numbers_of_a_dataframe_and_their_texts_mean_the_same_invariant() -> None:
    expected = defined(name="grade", column="who", levels=["2", "3"], missing=["4"]).values
    for levels, missing in (
        (np.array([2, 3]).tolist(), ["4.0"]),
        (list(np.array([2, 3])), [np.float64(4)]),
        (["2.0", 3.0], [4]),
    ):
        found = defined(name="grade", column="who", levels=levels, missing=missing).values
        pd.testing.assert_series_equal(found, expected)


@pytest.mark.parametrize(
    ("stated", "complaint"),
    [
        ({"name": "IDH", "levels": IDH}, r"in `levels` or `missing` .* found 'NOS' \(1\)"),
        ({"name": "IDH", "kind": "ordinal"}, "order to be stated, found 'R132H'"),
        ({"name": "IDH", "kind": "continuous"}, "IDH to hold numbers, found 'R132H'"),
        ({"name": "IDH", "kind": "interval"}, "nominal, ordinal, continuous, survival or cate"),
        ({"name": "IHD"}, "Did you mean IDH"),
        ({"name": ""}, "to have a `name`"),
        ({"name": "IDH", "column": 3}, "texts for `column`"),
        ({"name": "IDH", "levels": "mutant"}, "a list of values in their order"),
        ({"name": "IDH", "levels": []}, "a list of values in their order"),
        ({"name": "IDH", "levels": {"a": {"b": 3}}}, "a list of values in their order"),
        ({"name": "IDH", "levels": {"a": [], "b": ["x"]}}, "a list of values in their order"),
        ({"name": "s", "time": "days", "event": "dead", "event_is": []}, r"list .*found \[\]"),
        ({"name": "s", "time": "days", "event": "dead", "event_is": {}}, "list .*found {}"),
        (
            {"name": "s", "time": "days", "event": "state", "event_is": ["gone", "dead"]},
            "a value of state, found 'dead'",
        ),
        ({"name": "IDH", "rest": "mutant"}, "`rest` of IDH to be .* found 'mutant' alone"),
        ({"name": "IDH", "levels": IDH, "rest": ""}, "`rest` of IDH to be a level, .* found ''"),
        (
            {"name": "IDH", "levels": {"wild": ["wildtype", "wt"]}, "rest": "mutant"},
            "`levels` of IDH to occur in IDH, .* found no wt; the values are: 'R132H'",
        ),
        ({"name": "IDH", "levels": IDH, "rest": ["a"]}, r"texts for .* found rest = \['a'\]"),
        ({"name": "s", "time": "days", "event": "dead", "rest": "a"}, "only `time`"),
        ({"name": "IDH", "missing": [None]}, "`missing` of IDH to be a list"),
        ({"name": ""}, "found no `name`"),
        (
            {"name": "IDH", "levels": {"a": ["x"], "b": ["x"]}},
            "every value in one level .* found 'x' in two",
        ),
        ({"name": "IDH", "levels": ["x"], "kind": "continuous"}, "no `levels` for the continuous"),
        ({"name": "IDH", "missing": "NOS"}, "`missing` of IDH to be a list"),
        ({"name": "s", "time": "days"}, "a `time` and an `event`"),
        ({"name": "s", "kind": "survival"}, "a `time` and an `event`"),
        ({"name": "s", "event_is": "dead"}, "`event_is` of s beside"),
        ({"name": "s", "time": "days", "event": "dead", "levels": ["a"]}, "only `time`"),
        ({"name": "s", "time": "days", "event": "dead", "kind": "ordinal"}, "only `time`"),
        ({"name": "s", "time": "days", "event": "state"}, r"'here' \(4\), 'gone' \(2\).*event_is"),
        (
            {"name": "s", "time": "days", "event": "state", "event_is": "dead"},
            r"a value of state, found 'dead'; the values are: 'here' \(4\)",
        ),
        ({"name": "s", "time": "IDH", "event": "dead"}, "IDH to hold numbers"),
    ],
)
def test_what_does_not_fit_is_refused(stated: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        defined(**stated)


def test_negative_times_are_refused_with_the_patient() -> None:
    table = pd.DataFrame({"patient": ["a", "b"], "days": [3, -2], "dead": [1, 0]})
    survival = LabelDefinition("s", time="days", event="dead")
    with pytest.raises(InputError, match="times from 0, found -2 for patient b"):
        define_labels([survival], read_labels(table))
