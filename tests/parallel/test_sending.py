"""What is sent to other processes, and calls from processes that may have none."""

import multiprocessing
import subprocess
import sys

import numpy as np
import pytest

from lggshape import feature_table
from lggshape.case import Case
from lggshape.errors import InputError
from lggshape.parallel import map_cases

SCRIPT = """
from dataclasses import dataclass
import numpy as np
from lggshape import feature_table
from lggshape.case import Case

@dataclass
class Shift:
    by: int

SHIFT = Shift(1)

def change(case: Case) -> np.ndarray:
    return np.roll(case.mask, SHIFT.by, axis=2) & {mask}

mask = np.zeros((3, 8, 8), dtype=bool)
mask[:, 2:5, 2:6] = True
cases = [Case(name, name, mask=mask) for name in "ab"]
{guard}
    table = feature_table(cases, change=change, jobs=2).table
    print(table["volume"].tolist(), table["reason"].str.contains("died").any())
"""


# `test_mapping` has the other two ways, with a function.
@pytest.mark.parametrize(
    ("as_file", "guard"), [(True, "if True:"), (False, "if __name__ == '__main__':")]
)
def test_a_change_that_a_script_defines_is_sent_invariant(tmp_path, guard, as_file):
    text = SCRIPT.format(guard=guard, mask="mask")
    (tmp_path / "script.py").write_text(text)
    command = [sys.executable, str(tmp_path / "script.py") if as_file else "-"]
    found = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, timeout=120
    )
    # The mask, of 3 x 3 x 4 voxels, and the shifted one share 3 x 3 x 3.
    assert found.stdout == "[27.0, 27.0] False\n"
    assert found.stderr == ""


class _OnlyHere:
    """Becomes, in another process, something that cannot be made there."""

    def __reduce__(self):
        return _fail, ()

    def __call__(self, item):
        return item


def _fail():
    raise ImportError("no module named 'mine'")


@pytest.mark.parametrize("as_function", [True, False])
def test_what_cannot_be_made_in_another_process_is_said_before_any_work(as_function):
    """Not taken for a process that died, of which the next try would be as good."""
    function, items = (_OnlyHere(), [1, 2]) if as_function else (str, [_OnlyHere(), 2])
    with pytest.raises(InputError, match=r"other processes, found: .*no module named 'mine'.*jobs"):
        list(map_cases(function, items, jobs=2))
    assert [outcome.value for outcome in map_cases(str, [1, 2], jobs=2)] == ["1", "2"]


def _volumes(jobs):
    mask = np.ones((2, 3, 4), dtype=bool)
    cases = [Case(name, name, mask=mask) for name in "ab"]
    return feature_table(cases, jobs=jobs).table["volume"].tolist()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_features_are_measured_inside_a_worker_of_a_pool_analytic(method):
    """Such a process may not have others: it does the work alone, whatever `jobs` says."""
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(_volumes, [None, 1, 2]) == [[24.0, 24.0]] * 3
