import math
import operator
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from lggshape.errors import CaseError, InputError, InternalError
from lggshape.parallel import Outcome, end_processes, in_workers, map_all, map_cases
from lggshape.readers.source import UnreadableCase

READ = operator.methodcaller("read")


def bad_case(name):
    return UnreadableCase(name, name, Path(), has_image=False, has_mask=False, reason=f"No {name}.")


def values(outcomes):
    return [outcome.value for outcome in outcomes]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_outcomes_come_in_the_order_of_the_items(jobs):
    items = ["__import__('time').sleep(0.2) or 0", "1", "2", "3", "4"]
    assert list(map_cases(eval, items, jobs=jobs)) == [
        Outcome(item, index, None) for index, item in enumerate(items)
    ]


@pytest.mark.parametrize("jobs", [1, 2, None])
def test_no_items(jobs):
    assert list(map_cases(math.sqrt, [], jobs=jobs)) == []


def test_one_job_is_this_process_and_only_as_far_as_asked():
    outcomes = map_cases(eval, ["__import__('os').getpid()", "1 / 0"], jobs=1)
    assert next(outcomes).value == os.getpid()
    outcomes.close()


def test_in_workers_a_single_item_is_done_by_another_process_too_and_dies_alone():
    death = f"__import__('os').kill(__import__('os').getpid(), {signal.SIGSEGV:d})"
    with in_workers():
        assert values(map_cases(eval, ["__import__('os').getpid()"], jobs=1)) != [os.getpid()]
        [outcome] = map_cases(eval, [death])
    assert "died twice" in str(outcome.error)
    assert values(map_cases(eval, ["__import__('os').getpid()"])) == [os.getpid()]


def test_more_jobs_are_other_processes():
    items = ["__import__('os').getpid()"] * 4
    pids = set(values(map_cases(eval, items, jobs=2)))
    assert os.getpid() not in pids
    assert len(pids) <= 2


def test_relative_paths_are_those_of_this_process(tmp_path, monkeypatch):
    items = ["__import__('os').getcwd()"] * 2
    list(map_cases(eval, items, jobs=2))
    monkeypatch.chdir(tmp_path)
    assert values(map_cases(eval, items, jobs=2)) == [str(tmp_path)] * 2


def test_the_default_is_the_cores_that_may_be_used(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3}, raising=False)
    assert values(map_cases(eval, ["__import__('os').getpid()"] * 2)) == [os.getpid()] * 2


@pytest.mark.parametrize("jobs", [0, -1])
def test_jobs_have_to_be_positive(jobs):
    with pytest.raises(InputError, match=f"at least 1, found {jobs}"):
        map_cases(math.sqrt, [1], jobs=jobs)


def test_a_partial_function_is_a_function():
    assert values(map_cases(partial(pow, 2), range(4), jobs=2)) == [1, 2, 4, 8]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_case_error_is_kept(jobs):
    cases = [bad_case("A"), bad_case("B")]
    outcomes = list(map_cases(READ, cases, jobs=jobs))
    assert [str(outcome.error) for outcome in outcomes] == ["No A.", "No B."]
    assert [type(outcome.error) for outcome in outcomes] == [CaseError, CaseError]
    assert [outcome.item for outcome in outcomes] == cases
    assert values(outcomes) == [None, None]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_is_told_from_bad_input_and_its_traceback_is_logged(jobs, caplog):
    four, bad, nine = map_cases(math.sqrt, [4, -1, 9], jobs=jobs)
    assert (four.value, nine.value) == (2, 3)
    assert isinstance(bad.error, CaseError)
    assert isinstance(bad.error, InternalError)
    assert str(bad.error).startswith("internal error: ValueError")
    assert isinstance(bad.error.__cause__, ValueError)
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_text_of_another_error_is_one_line_of_some_length(jobs):
    texts = ["one\n\n  two\tthree\n", "x" * 300, "x" * 301]
    outcomes = map_cases(exec, [f"raise ValueError({text!r})" for text in texts], jobs=jobs)
    found = [str(outcome.error).partition("ValueError: ")[2] for outcome in outcomes]
    assert found == [f"{x}; see the log" for x in ("one two three", "x" * 300, "x" * 300 + " ...")]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("raised", "reason"),
    [("__import__('lggshape').errors.InputError('No disk.')", "No disk."),
     ("OSError(28, 'No space left')", "to be processed, found OSError: [Errno 28] No space left."),
     ("MemoryError()", "to be processed, found no memory left.")],
)  # fmt: skip
def test_what_is_no_bug_is_not_called_one(jobs, raised, reason):
    item = f"(_ for _ in ()).throw({raised})"
    outcome, other = map_cases(eval, [item, "1"], jobs=jobs)
    assert str(outcome.error).endswith(reason)
    assert not isinstance(outcome.error, InternalError)
    assert other.value == 1


def test_warnings_of_other_processes_are_logged(caplog):
    items = ["__import__('warnings').warn('Odd.') or 1", "2"]
    assert values(map_cases(eval, items, jobs=2)) == [1, 2]
    assert "UserWarning: Odd." in caplog.text


def test_a_process_that_is_one_of_several_starts_no_more():
    nested = (
        "[outcome.value for outcome in __import__('lggshape.parallel').parallel.map_cases("
        "eval, ['__import__(\"os\").getpid()'] * 3, jobs=2)] + [__import__('os').getpid()]"
    )
    for found in values(map_cases(eval, [nested, nested], jobs=2)):
        assert len(found) == 4
        assert len(set(found)) == 1


def test_a_function_that_cannot_be_sent_is_refused():
    lock = threading.Lock()
    with pytest.raises(InputError, match=r"sent to other processes, found: .*lock.*jobs=1"):
        list(map_cases(lambda item: (lock, item), [1, 2], jobs=2))
    assert values(map_cases(lambda item: item, [1, 2], jobs=2)) == [1, 2]


@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGTERM"])
def test_a_death_costs_only_the_item_that_causes_it(signal_name):
    death = f"__import__('os').kill(__import__('os').getpid(), {getattr(signal, signal_name):d})"
    items = ["0", "__import__('time').sleep(0.3) or 1", death, "3", "4", "5"]
    outcomes = list(map_cases(eval, items, jobs=2))
    assert values(outcomes) == [0, 1, None, 3, 4, 5]
    assert "died twice" in str(outcomes[2].error)
    assert [outcome.error for outcome in outcomes if outcome.value is not None] == [None] * 5


def test_what_dies_once_is_tried_again(tmp_path):
    flag = f"__import__('pathlib').Path({str(tmp_path / 'flag')!r})"
    once = f"'again' if {flag}.exists() else ({flag}.touch(), __import__('os')._exit(1))"
    assert values(map_cases(eval, ["0", once, "2", "3"], jobs=2)) == [0, "again", 2, 3]


def test_what_fails_when_tried_again_fails_by_its_own_error(tmp_path):
    flag = f"__import__('pathlib').Path({str(tmp_path / 'flag')!r})"
    once = f"1 / 0 if {flag}.exists() else ({flag}.touch(), __import__('os')._exit(1))"
    _, outcome = map_cases(eval, ["0", once], jobs=2)
    assert "ZeroDivisionError" in str(outcome.error)


def test_a_death_between_two_items_costs_nothing():
    dies_later = "__import__('threading').Timer(0.2, __import__('os')._exit, [1]).start() or 0"
    outcomes = map_cases(eval, [dies_later, "__import__('time').sleep(0.1) or 1", "2"], jobs=2)
    assert next(outcomes).value == 0
    time.sleep(0.6)
    assert values(outcomes) == [1, 2]


def test_what_was_not_begun_is_not_done_after_leaving_early(tmp_path):
    touch = f"__import__('pathlib').Path({str(tmp_path)!r}, '{{}}').touch()"
    outcomes = map_cases(eval, [touch.format(number) for number in range(50)], jobs=2)
    next(outcomes)
    outcomes.close()
    assert values(map_cases(eval, ["1", "2"], jobs=2)) == [1, 2]
    assert len(list(tmp_path.iterdir())) < 50


@pytest.mark.skipif(
    not hasattr(signal, "pthread_sigmask"), reason="only POSIX systems block signals"
)
def test_ctrl_c_does_not_reach_a_process_that_begins():
    end_processes(at_once=False)
    blocked = "__import__('signal').pthread_sigmask(__import__('signal').SIG_BLOCK, [])"
    assert values(map_cases(eval, [blocked, blocked], jobs=2)) == [{signal.SIGINT}] * 2
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


# A thread of joblib's sometimes looks for an item that was called off with the processes.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_processes_at_work_are_ended_at_once():
    items = ["__import__('os').getpid()", "__import__('time').sleep(600)"]
    outcomes = map_cases(eval, items, jobs=2)
    pid = next(outcomes).value
    end_processes(at_once=True)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    outcomes.close()
    assert values(map_cases(eval, ["1", "2"], jobs=2)) == [1, 2]


def test_processes_that_have_nothing_to_do_end(tmp_path):
    script = (
        "import multiprocessing, time\n"
        "from lggshape.parallel import map_cases, processes\n"
        "processes._IDLE_SECONDS = 0.1\n"
        "print([outcome.value for outcome in map_cases(abs, [-1, -2], jobs=2)])\n"
        "deadline = time.monotonic() + 60\n"
        "while multiprocessing.active_children() and time.monotonic() < deadline:\n"
        "    time.sleep(0.1)\n"
        "print(multiprocessing.active_children())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=90
    )
    assert result.stdout == "[1, 2]\n[]\n"


def output_of_script(text: str, folder: Path | None) -> tuple[str, str]:
    """Run a script from a file in a folder, or from standard input; return what it printed."""
    place = "-"
    if folder is not None:
        place = str(folder / "script.py")
        Path(place).write_text(text)
    result = subprocess.run(
        [sys.executable, place], input=text, capture_output=True, text=True, check=True, timeout=60
    )
    return result.stdout, result.stderr


# `test_sending` has the other two ways, with a change of masks.
@pytest.mark.parametrize(
    ("as_file", "guard"), [(True, "if __name__ == '__main__':"), (False, "if True:")]
)
def test_a_function_of_a_script_is_sent(tmp_path, guard, as_file):
    text = (
        "from functools import partial\n"
        "from lggshape.parallel import map_cases\n"
        "def power(base, exponent):\n"
        "    return base**exponent\n"
        f"{guard}\n"
        "    outcomes = map_cases(partial(power, 2), [1, 2, 3], jobs=2)\n"
        "    print([outcome.value for outcome in outcomes])\n"
    )
    assert output_of_script(text, tmp_path if as_file else None) == ("[2, 4, 8]\n", "")


def test_workers_use_one_thread_and_this_process_keeps_its_environment():
    before = dict(os.environ)
    name = "OPENBLAS_NUM_THREADS"
    found = values(map_cases(eval, [f"__import__('os').environ[{name!r}]"] * 2, jobs=2))
    assert found == [os.environ.get(name, "1")] * 2
    assert dict(os.environ) == before


def test_outcomes_can_be_pickled():
    outcome = Outcome("A", 1, None)
    assert pickle.loads(pickle.dumps(outcome)) == outcome


# --- all or nothing


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_values_come_in_the_order_of_the_items(jobs):
    items = ["__import__('time').sleep(0.2) or 0", "1", "2"]
    assert list(map_all(eval, items, jobs=jobs)) == [0, 1, 2]


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_all_what_comes_before_a_failure_is_given_and_then_the_error_itself_raised(jobs):
    found = map_all(math.sqrt, [4, -1, 9], jobs=jobs)
    assert next(found) == 2
    with pytest.raises(ValueError, match=r"nonnegative|math domain error"):
        next(found)


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_all_an_error_of_the_users_is_kept(jobs):
    raising = "(_ for _ in ()).throw(__import__('lggshape').errors.InputError('No.'))"
    with pytest.raises(InputError, match=r"^No\.$"):
        list(map_all(eval, ["0", raising], jobs=jobs))


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_all_the_reason_of_a_case_is_kept_whatever_caused_it(jobs):
    # Through processes every error has a cause: the text of the traceback there.
    with pytest.raises(CaseError, match=r"^No A\.$"):
        list(map_all(READ, [bad_case("A"), bad_case("B")], jobs=jobs))
    text = (
        "try:\n    1 / 0\n"
        "except ZeroDivisionError as error:\n"
        "    from lggshape.errors import CaseError\n"
        "    raise CaseError('No B.') from error"
    )
    with pytest.raises(CaseError, match=r"^No B\.$"):
        list(map_all(exec, ["0", text], jobs=jobs))


def test_of_all_a_death_is_told():
    death = f"__import__('os').kill(__import__('os').getpid(), {signal.SIGKILL:d})"
    with pytest.raises(CaseError, match="died twice"):
        list(map_all(eval, ["0", death, "2"], jobs=2))


@pytest.mark.parametrize("jobs", ["2", 1.5])
def test_jobs_that_are_no_whole_number_are_refused(jobs):
    with pytest.raises(InputError, match="whole number of at least 1"):
        map_cases(str, [1], jobs=jobs)
