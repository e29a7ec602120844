"""Steps that are counted, instead of those that take hours."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

import pandas as pd
import pytest

from lggshape.association import Family
from lggshape.errors import CaseError, InputError
from lggshape.labels import Labels
from lggshape.results import record_file
from lggshape.studies.buda2019.replication import Replication
from lggshape.studies.buda2019.roles import Roles
from lggshape.studies.buda2019.run_steps import Done, run_steps
from lggshape.studies.buda2019.steps import ReplicationStep

SETTINGS = {"inputs": {"dataset": "ab12"}, "labels": ["cd34"], "seed": 3}


@pytest.fixture
def replication(tmp_path: Path, labels: Labels, family: Family, roles: Roles) -> Replication:
    return Replication(
        dataset=tmp_path / "cases", labels=labels, label_tables=(), family=family, roles=roles,
        networks=None, masks=tmp_path / "masks", work=tmp_path / "work", seed=3, jobs=1,
    )  # fmt: skip


class Counted:
    """Two steps, the second of which reads what the first wrote, and how often each was done."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.steps = [
            ReplicationStep("one", self.one),
            ReplicationStep("two", self.two, needs=("one",)),
        ]

    def one(self, replication: Replication) -> Mapping[str, pd.DataFrame]:
        self.calls.append("one")
        return {"a": pd.DataFrame({"x": [0.1, 1 / 3]}), "b": pd.DataFrame({"y": [1]})}

    def two(self, replication: Replication) -> Mapping[str, pd.DataFrame]:
        self.calls.append("two")
        return {"c": replication.read("a") * 3}


def failing(error: Exception) -> Callable[[Replication], Mapping[str, pd.DataFrame]]:
    def run(replication: Replication) -> Mapping[str, pd.DataFrame]:
        raise error

    return run


def test_steps_are_done_in_order_and_their_tables_kept(replication: Replication) -> None:
    counted, started = Counted(), perf_counter()
    done = run_steps(replication, counted.steps, settings=SETTINGS, resume=False)
    whole = perf_counter() - started
    assert counted.calls == ["one", "two"]
    assert {name: tuple(step.tables) for name, step in done.items()} == {
        "one": ("a", "b"),
        "two": ("c",),
    }
    # Rounded to tenths.
    assert all(0 <= step.seconds <= whole + 0.05 for step in done.values())
    # Through the file and back, to the last digit (or the one before: pandas before 3.1).
    assert replication.read("c")["x"].tolist() == pytest.approx([0.1 * 3, 1 / 3 * 3], rel=1e-15)
    assert json.loads((replication.work / "replicate_settings.json").read_text()) == SETTINGS


def test_what_is_done_is_not_done_again(replication: Replication) -> None:
    first, again = Counted(), Counted()
    one = run_steps(replication, first.steps[:1], settings=SETTINGS, resume=False)
    replication.table_path("a").write_text("x\n2\n")
    record_file(replication.work, "tables/a.csv")
    both = run_steps(replication, again.steps, settings=SETTINGS, resume=True)
    assert (first.calls, again.calls) == (["one"], ["two"])
    assert Done(both["one"].seconds, tuple(both["one"].tables)) == one["one"]
    assert replication.read("c")["x"].tolist() == [6]


def test_only_what_is_asked_for_is_given_back(replication: Replication) -> None:
    counted = Counted()
    run_steps(replication, counted.steps, settings=SETTINGS, resume=False)
    found = run_steps(replication, counted.steps[1:], settings=SETTINGS, resume=True)
    assert list(found) == ["two"]
    assert list(json.loads((replication.work / "replicate_done.json").read_text())) == [
        "one",
        "two",
    ]


def test_earlier_work_is_neither_taken_nor_removed_unasked(replication: Replication) -> None:
    counted = Counted()
    run_steps(replication, counted.steps[:1], settings=SETTINGS)
    with pytest.raises(InputError, match=r"work of an earlier run\. To continue it, use --resume"):
        run_steps(replication, counted.steps, settings=SETTINGS)
    assert counted.calls == ["one"]
    assert replication.table_path("a").exists()


def test_overwriting_begins_again_and_removes_what_was_recorded_alone(
    replication: Replication,
) -> None:
    counted = Counted()
    run_steps(replication, counted.steps, settings=SETTINGS, resume=False)
    (replication.work / "tables" / "mine.txt").write_text("mine")
    for name in ("p1.npz", "mine.npz"):
        (replication.probabilities / name).parent.mkdir(exist_ok=True)
        (replication.probabilities / name).write_text(name)
    record_file(replication.probabilities, replication.probabilities / "p1.npz")
    run_steps(replication, counted.steps[:1], settings=SETTINGS | {"seed": 4}, overwrite=True)
    assert counted.calls == ["one", "two", "one"]
    assert not replication.table_path("c").exists()
    assert (replication.work / "tables" / "mine.txt").read_text() == "mine"
    assert [path.name for path in replication.probabilities.iterdir()] == ["mine.npz"]


def test_a_table_that_was_changed_is_not_removed(replication: Replication) -> None:
    counted = Counted()
    run_steps(replication, counted.steps, settings=SETTINGS, resume=False)
    replication.table_path("a").write_text("mine")
    with pytest.raises(InputError, match=r"changed since: tables/a\.csv"):
        run_steps(replication, counted.steps, settings=SETTINGS, overwrite=True)
    assert replication.table_path("a").read_text() == "mine"
    assert replication.table_path("c").exists()


def test_after_a_step_that_failed_it_goes_on_with_this_one(replication: Replication) -> None:
    counted = Counted()
    broken = [counted.steps[0], ReplicationStep("two", failing(KeyboardInterrupt()))]
    with pytest.raises(KeyboardInterrupt):
        run_steps(replication, broken, settings=SETTINGS, resume=False)
    run_steps(replication, counted.steps, settings=SETTINGS, resume=True)
    assert counted.calls == ["one", "two"]


def test_a_case_that_cannot_be_read_is_an_error_of_the_input(replication: Replication) -> None:
    step = ReplicationStep("noise", failing(CaseError("Expected p1 to have a mask, found none.")))
    with pytest.raises(InputError, match=r"step noise to be done, found: Expected p1 to have"):
        run_steps(replication, [step], settings=SETTINGS, resume=False)
    assert not (replication.work / "replicate_done.json").exists()


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 4}, "seed"),
        ({"inputs": {"dataset": "ab13"}}, "inputs"),
        ({"inputs": {"dataset": "ab12", "masks": "e"}, "labels": []}, "inputs, labels"),
    ],
)
def test_a_run_with_other_settings_does_not_go_on(
    replication: Replication, other: dict[str, object], named: str
) -> None:
    counted = Counted()
    run_steps(replication, counted.steps[:1], settings=SETTINGS, resume=False)
    with pytest.raises(InputError, match=f"found other {named}: .*replicate_settings.json"):
        run_steps(replication, counted.steps, settings=SETTINGS | other, resume=True)
    assert counted.calls == ["one"]
    assert replication.table_path("a").exists()


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_with_something_else_is_left_alone(replication: Replication, resume: bool) -> None:
    replication.work.mkdir()
    (replication.work / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"or a file\. Choose another place"):
        run_steps(replication, Counted().steps, settings=SETTINGS, resume=resume)
    assert [path.name for path in replication.work.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(replication: Replication) -> None:
    replication.work.write_text("mine")
    with pytest.raises(InputError, match=r"or a file\. Choose another place"):
        run_steps(replication, Counted().steps, settings=SETTINGS, resume=False)
    assert replication.work.read_text() == "mine"


@pytest.mark.parametrize("resume", [True, False])
def test_an_empty_folder_is_new(replication: Replication, resume: bool) -> None:
    replication.work.mkdir()
    assert run_steps(replication, Counted().steps, settings=SETTINGS, resume=resume)


@pytest.mark.parametrize("name", ["replicate_settings.json", "replicate_done.json"])
def test_a_damaged_record_is_named(replication: Replication, name: str) -> None:
    run_steps(replication, Counted().steps, settings=SETTINGS, resume=False)
    (replication.work / name).write_text('{"one": ')
    with pytest.raises(InputError, match=f"were changed since: {name} .* Move them away"):
        run_steps(replication, Counted().steps, settings=SETTINGS, resume=True)
    record_file(replication.work, name)
    with pytest.raises(InputError, match=f"^Expected .*{name} to be a JSON file, found"):
        run_steps(replication, Counted().steps, settings=SETTINGS, resume=True)


@pytest.mark.parametrize(
    "values", [[1.0, ["../../mine"]], [1.0, ["a/b"]], [1.0, [""]], [1.0, [3]], [1.0, "ab"],
               ["x", []], [1.0], 7],
)  # fmt: skip
def test_names_of_tables_that_lead_elsewhere_are_refused(
    replication: Replication, values: object
) -> None:
    """The results would be written there."""
    run_steps(replication, Counted().steps, settings=SETTINGS, resume=False)
    (replication.work / "replicate_done.json").write_text(json.dumps({"one": values}))
    record_file(replication.work, "replicate_done.json")
    with pytest.raises(InputError, match="the seconds of one and the names of its tables"):
        run_steps(replication, Counted().steps, settings=SETTINGS, resume=True)


@pytest.mark.parametrize("content", [b"x\n0.1\n0.5\n", b"x\n0.1\n", b"", b"\xff"])
def test_a_table_that_was_changed_is_not_taken(replication: Replication, content: bytes) -> None:
    """The next steps, and the results, would be made of it."""
    run_steps(replication, Counted().steps[:1], settings=SETTINGS, resume=False)
    replication.table_path("a").write_bytes(content)
    counted = Counted()
    with pytest.raises(InputError, match=r"were changed since: tables/a\.csv"):
        run_steps(replication, counted.steps, settings=SETTINGS, resume=True)
    assert counted.calls == []


def test_a_table_that_is_missing_is_made_again_invariant(replication: Replication) -> None:
    done = run_steps(replication, Counted().steps, settings=SETTINGS, resume=False)
    before = replication.table_path("b").read_bytes()
    replication.table_path("b").unlink()
    counted = Counted()
    again = run_steps(replication, counted.steps, settings=SETTINGS, resume=True)
    assert counted.calls == ["one"]
    assert replication.table_path("b").read_bytes() == before
    assert again["two"] == done["two"]


def test_a_folder_that_cannot_be_made_is_named(replication: Replication, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    beyond = Replication(**{**vars(replication), "work": tmp_path / "file" / "work"})
    with pytest.raises(InputError, match="to be a writable folder"):
        run_steps(beyond, Counted().steps, settings=SETTINGS, resume=False)


def test_keys_that_look_like_numbers_stay_text(replication: Replication) -> None:
    keys = {"case": ["007"], "patient": ["10"], "masks": ["manual"]}
    table = pd.DataFrame(keys | {"reason": [""], "volume": [2.5]})
    replication.write({"features": table})
    read = replication.features
    assert read[["case", "patient"]].to_numpy().tolist() == [["007", "10"]]
    # Without any reason the column is text still.
    assert read["reason"].tolist() == [""]


def test_features_with_a_patient_twice_are_refused(
    replication: Replication, features: pd.DataFrame
) -> None:
    replication.write({"features": pd.concat([features, features[:1]])})
    with pytest.raises(InputError, match="one row per patient and kind of mask"):
        _ = replication.features
