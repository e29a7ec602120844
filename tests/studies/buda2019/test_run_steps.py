"""Steps that are counted, instead of those that take hours."""

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest

from lggshape.association import Family
from lggshape.errors import CaseError, InputError
from lggshape.labels import Labels
from lggshape.studies.buda2019.replication import Study
from lggshape.studies.buda2019.roles import Roles
from lggshape.studies.buda2019.run_steps import Done, run_steps
from lggshape.studies.buda2019.steps import Step

SETTINGS = {"inputs": {"dataset": "ab12"}, "labels": ["cd34"], "seed": 3}


@pytest.fixture
def study(tmp_path: Path, labels: Labels, family: Family, roles: Roles) -> Study:
    return Study(
        dataset=tmp_path / "cases", labels=labels, label_paths=(), family=family, roles=roles,
        networks=None, masks=tmp_path / "masks", work=tmp_path / "work", seed=3, jobs=1,
        progress=lambda text, total: nullcontext(lambda: None),
    )  # fmt: skip


class Counted:
    """Two steps, the second of which reads what the first wrote, and how often each was done."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.steps = [Step("one", self.one), Step("two", self.two, needs=("one",))]

    def one(self, study: Study) -> Mapping[str, pd.DataFrame]:
        self.calls.append("one")
        return {"a": pd.DataFrame({"x": [0.1, 1 / 3]}), "b": pd.DataFrame({"y": [1]})}

    def two(self, study: Study) -> Mapping[str, pd.DataFrame]:
        self.calls.append("two")
        return {"c": study.read("a") * 3}


def failing(error: Exception) -> Callable[[Study], Mapping[str, pd.DataFrame]]:
    def run(study: Study) -> Mapping[str, pd.DataFrame]:
        raise error

    return run


def test_steps_are_done_in_order_and_their_tables_kept(study: Study) -> None:
    counted = Counted()
    done = run_steps(study, counted.steps, settings=SETTINGS, resume=False)
    assert counted.calls == ["one", "two"]
    assert {name: tuple(step.tables) for name, step in done.items()} == {
        "one": ("a", "b"),
        "two": ("c",),
    }
    assert all(0 <= step.seconds < 5 for step in done.values())
    # Through the file and back, to the last digit.
    assert study.read("c")["x"].tolist() == [0.1 * 3, 1 / 3 * 3]
    assert json.loads((study.work / "replicate_settings.json").read_text()) == SETTINGS


def test_what_is_done_is_not_done_again(study: Study) -> None:
    first, again = Counted(), Counted()
    one = run_steps(study, first.steps[:1], settings=SETTINGS, resume=False)
    study.table_path("a").write_text("x\n2\n")
    both = run_steps(study, again.steps, settings=SETTINGS, resume=True)
    assert (first.calls, again.calls) == (["one"], ["two"])
    assert Done(both["one"].seconds, tuple(both["one"].tables)) == one["one"]
    assert study.read("c")["x"].tolist() == [6]


def test_only_what_is_asked_for_is_given_back(study: Study) -> None:
    counted = Counted()
    run_steps(study, counted.steps, settings=SETTINGS, resume=False)
    found = run_steps(study, counted.steps[1:], settings=SETTINGS, resume=True)
    assert list(found) == ["two"]
    assert list(json.loads((study.work / "replicate_done.json").read_text())) == ["one", "two"]


def test_earlier_work_is_neither_taken_nor_removed_unasked(study: Study) -> None:
    counted = Counted()
    run_steps(study, counted.steps[:1], settings=SETTINGS)
    with pytest.raises(InputError, match=r"work of an earlier run\. --resume goes on"):
        run_steps(study, counted.steps, settings=SETTINGS)
    assert counted.calls == ["one"]
    assert study.table_path("a").exists()


def test_overwriting_does_everything_anew(study: Study) -> None:
    counted = Counted()
    run_steps(study, counted.steps, settings=SETTINGS, resume=False)
    (study.work / "masks").mkdir()
    run_steps(study, counted.steps[:1], settings=SETTINGS | {"seed": 4}, overwrite=True)
    assert counted.calls == ["one", "two", "one"]
    assert sorted(path.name for path in study.work.iterdir()) == [
        "replicate_done.json",
        "replicate_settings.json",
        "tables",
    ]
    assert not study.table_path("c").exists()


def test_after_a_step_that_failed_it_goes_on_with_this_one(study: Study) -> None:
    counted = Counted()
    broken = [counted.steps[0], Step("two", failing(KeyboardInterrupt()))]
    with pytest.raises(KeyboardInterrupt):
        run_steps(study, broken, settings=SETTINGS, resume=False)
    run_steps(study, counted.steps, settings=SETTINGS, resume=True)
    assert counted.calls == ["one", "two"]


def test_a_case_that_cannot_be_read_is_an_error_of_the_input(study: Study) -> None:
    step = Step("noise", failing(CaseError("Expected p1 to have a mask, found none.")))
    with pytest.raises(InputError, match=r"step noise to be done, found: Expected p1 to have"):
        run_steps(study, [step], settings=SETTINGS, resume=False)
    assert not (study.work / "replicate_done.json").exists()


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 4}, "seed"),
        ({"inputs": {"dataset": "ab13"}}, "inputs"),
        ({"inputs": {"dataset": "ab12", "masks": "e"}, "labels": []}, "inputs, labels"),
    ],
)
def test_a_run_with_other_settings_does_not_go_on(
    study: Study, other: dict[str, object], named: str
) -> None:
    counted = Counted()
    run_steps(study, counted.steps[:1], settings=SETTINGS, resume=False)
    with pytest.raises(InputError, match=f"found other {named}: .*replicate_settings.json"):
        run_steps(study, counted.steps, settings=SETTINGS | other, resume=True)
    assert counted.calls == ["one"]
    assert study.table_path("a").exists()


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_with_something_else_is_left_alone(study: Study, resume: bool) -> None:
    study.work.mkdir()
    (study.work / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="found something else"):
        run_steps(study, Counted().steps, settings=SETTINGS, resume=resume)
    assert [path.name for path in study.work.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(study: Study) -> None:
    study.work.write_text("mine")
    with pytest.raises(InputError, match="found something else"):
        run_steps(study, Counted().steps, settings=SETTINGS, resume=False)
    assert study.work.read_text() == "mine"


@pytest.mark.parametrize("resume", [True, False])
def test_an_empty_folder_is_new(study: Study, resume: bool) -> None:
    study.work.mkdir()
    assert run_steps(study, Counted().steps, settings=SETTINGS, resume=resume)


@pytest.mark.parametrize("name", ["replicate_settings.json", "replicate_done.json"])
def test_a_damaged_record_is_named(study: Study, name: str) -> None:
    run_steps(study, Counted().steps, settings=SETTINGS, resume=False)
    (study.work / name).write_text('{"one": ')
    with pytest.raises(InputError, match=f"{name} to be what an earlier run wrote"):
        run_steps(study, Counted().steps, settings=SETTINGS, resume=True)


def test_a_folder_that_cannot_be_made_is_named(study: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    beyond = Study(**{**vars(study), "work": tmp_path / "file" / "work"})
    with pytest.raises(InputError, match="to be a folder that can be written"):
        run_steps(beyond, Counted().steps, settings=SETTINGS, resume=False)


def test_keys_that_look_like_numbers_stay_text(study: Study) -> None:
    table = pd.DataFrame({"case": ["007"], "patient": ["10"], "reason": [""], "volume": [2.5]})
    study.write({"features": table})
    read = study.features
    assert read[["case", "patient"]].to_numpy().tolist() == [["007", "10"]]
    # Without any reason the column is text still: all are missing.
    assert read["reason"].fillna("").tolist() == [""]
