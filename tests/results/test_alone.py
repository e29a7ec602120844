import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lggshape.errors import InputError
from lggshape.results import alone, alone_in

HOLD = """
import sys, time
from lggshape.results import alone_in
with alone_in(sys.argv[1]):
    print("there", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_until_the_first_is_gone_however_it_ended(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", HOLD, out], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"there\n"
        with pytest.raises(InputError, match="out, found one"), alone_in(out):
            pass
        os.kill(first.pid, signal.SIGKILL)
    with alone_in(out):
        assert not list(out.iterdir())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    closed = tmp_path / "file" / "out"
    with pytest.raises(InputError, match="to be writable"), alone_in(closed):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with alone_in(tmp_path), alone_in(tmp_path):
        pass
    assert f"can lock {tmp_path}, found: {os.strerror(number)}" in caplog.text


def test_a_run_in_place_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "_PATIENCE", 0.1)
    with alone_in(tmp_path), alone.in_turn(tmp_path):
        pass


def test_without_locks_nothing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with alone.in_turn(tmp_path), alone.in_turn(tmp_path):
        pass
    assert caplog.text == ""


def test_a_folder_that_cannot_be_opened_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("os.open", refuse)
    with alone.in_turn(tmp_path):
        pass
