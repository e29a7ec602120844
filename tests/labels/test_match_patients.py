import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.labels import match_patients, read_labels


def labels(*keys: str, **more: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"patient": keys, "grade": [f"g{i}" for i in range(len(keys))]} | more)


@pytest.mark.parametrize(
    ("patient", "key"),
    [
        ("TCGA_CS_4942", "TCGA-CS-4942"),
        ("P7", "p7"),
        ("P_7", "P_07"),
        ("7", "007"),
        ("P 7", "P_7"),
        ("P 7", "P7"),
        ("sub-07", "SUB-7"),
        ("sub-07", "7"),
    ],
)
def test_spellings_that_join_loosely_alone_analytic(patient, key):
    known = read_labels(labels(key, "other"))
    exact = match_patients([patient], known)
    assert (exact.joined, exact.unlabelled) == ((), (patient,))
    assert [(one.patient, one.key) for one in exact.near] == [(patient, key)]
    assert "--match-ids loose" in exact.summary()[-1]
    loose = match_patients([patient], known, match_ids="loose")
    assert (loose.joined, loose.unlabelled, loose.strangers) == ((patient,), (), ("other",))
    assert loose.labels["grade"].values[patient] == "g0"
    assert f"{patient} and {key}" in loose.summary()[-1]


@pytest.mark.parametrize(("patient", "key"), [("P7", "P70"), ("P_7", "P7"), ("sub-07", "07")])
def test_other_keys_are_no_near_misses_analytic(patient, key):
    assert match_patients([patient], read_labels(labels(key))).near == ()


def test_where_several_keys_could_be_meant_none_is_joined_analytic():
    known = read_labels(labels("p-7", "P_07"))
    assert match_patients(["P_7"], known, match_ids="loose").joined == ()
    known = read_labels(labels("p-7"))
    assert match_patients(["P_7", "P_07"], known, match_ids="loose").joined == ()


def test_an_equal_key_is_no_near_miss_of_another_analytic():
    found = match_patients(["P_7"], read_labels(labels("P_7", "P-7")), match_ids="loose")
    assert (found.joined, found.near, found.strangers) == (("P_7",), (), ("P-7",))


def test_tables_are_matched_apart_analytic():
    other = labels("P-7").rename(columns={"grade": "sex"})
    known = read_labels({"one": labels("P_7"), "two": other})
    found = match_patients(["P_7"], known, match_ids="loose")
    assert [one.table for one in found.near] == ["two"]
    assert found.labels["sex"].values.to_dict() == {"P_7": "g0"}


def test_counts_in_words_analytic():
    found = match_patients(["a", "b", "c"], read_labels(labels("a", "b", "d")))
    assert found.summary() == [
        "2 of 3 patients found in the label tables, not found: c",
        "1 patient of the tables without a case: d",
    ]


def test_the_prefix_of_bids_does_not_count_analytic():
    match = match_patients(
        ["sub-P1", "sub-P2", "P3"], read_labels(labels("P1", "sub-P2", "sub-P3", "sub-P4"))
    )
    assert match.joined == ("sub-P1", "sub-P2", "P3")
    assert (match.unlabelled, match.strangers, match.near) == ((), ("sub-P4",), ())


def test_keys_with_and_without_the_prefix_are_two_patients_if_both_are_there_analytic():
    match = match_patients(["sub-P1"], read_labels(labels("P1", "sub-P1")))
    assert (match.joined, match.strangers) == (("sub-P1",), ("P1",))
    match = match_patients(["sub-P1", "P1"], read_labels(labels("P1")))
    assert (match.joined, match.unlabelled) == (("P1",), ("sub-P1",))


def test_patients_who_are_left_out_are_no_strangers_analytic():
    match = match_patients(["sub-P1", "sub-P2"], read_labels(labels("P1", "P2", "P9"))).within(
        ["sub-P1"]
    )
    assert (match.joined, match.unlabelled, match.strangers) == (("sub-P1",), (), ("P9",))


def test_the_time_grows_with_the_number_of_near_misses_and_no_faster_invariant():
    keys = [f"p-{number}" for number in range(20_000)]
    match = match_patients([f"P_{number}" for number in range(20_000)], read_labels(labels(*keys)))
    assert len(match.near) == 20_000  # with the square of it, this would take minutes


def test_another_way_to_match_is_refused():
    with pytest.raises(InputError, match="'exact' or 'loose', found 'fuzzy'"):
        match_patients(["a"], read_labels(labels("a")), match_ids="fuzzy")


def test_an_accent_may_be_stored_in_two_ways_invariant():
    labels = read_labels(pd.DataFrame({"patient": ["Mu\u0308ller"], "grade": ["II"]}))
    assert match_patients(["M\u00fcller"], labels).joined == ("M\u00fcller",)
