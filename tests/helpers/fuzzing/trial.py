"""One broken input: made, read and judged."""

import logging
import os
import shutil
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.fuzzing.cases import CASE_INPUTS
from helpers.fuzzing.mutations import Files, broken, change_folder
from helpers.fuzzing.tables import TABLE_INPUTS
from lggshape.errors import CaseError, InputError, InternalError

INPUTS = CASE_INPUTS | TABLE_INPUTS

MOST_SECONDS, MOST_BYTES = 5, 2**30


class Trial(NamedTuple):
    """What came of an input.

    Attributes
    ----------
    name : str
        The class of the input.
    seed : int
        With the class, it makes the same input again.
    result : {"read", "refused", "escaped"}
        Whether all of it was read, or something was refused with a reason.
    seconds : float
        How long it took.
    peak : int
        Bytes of memory above what the process had before.
    said : str
        Why it was refused, or the traceback of what escaped.
    """

    name: str
    seed: int
    result: str
    seconds: float
    peak: int
    said: str


@cache
def valid_files(name: str) -> Files:
    """Return the files of a valid input, by their paths; it has been read."""
    make, read = INPUTS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "valid")
        make(folder)
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        assert read(folder), name
    return files


def write_input(name: str, seed: int, folder: Path) -> None:
    """Write a broken input: of one file in five its name or its kind, of the others its content."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    files = valid_files(name)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    if rng.random() < 0.2:
        change_folder(rng, folder, files)
        return
    for _ in range(int(rng.choice([1, 1, 1, 2]))):
        path = str(rng.choice(list(files)))
        (folder / path).write_bytes(broken(rng, path, files[path]))


def run_trial(name: str, seed: int) -> Trial:
    """Make an input, read it and judge what came of it."""
    place = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        folder = place / "input"
        folder.mkdir()
        write_input(name, seed, folder)
        with _peak_memory() as peak, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            # Of scikit-image 0.26 under NumPy 2.5.
            warnings.filterwarnings("ignore", "Setting the shape", DeprecationWarning, "skimage")
            start = time.perf_counter()
            result, said = _read(name, folder)
            seconds = time.perf_counter() - start
        if caught:
            result = "escaped"
            said = f"warning: {caught[0].message} ({caught[0].filename}:{caught[0].lineno})"
        if seconds > MOST_SECONDS or peak[0] > MOST_BYTES:
            result, said = "escaped", f"{seconds:.1f} s and {peak[0] >> 20} MiB"
        return Trial(name, seed, result, seconds, peak[0], said)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _read(name: str, folder: Path) -> tuple[str, str]:
    try:
        return ("read" if INPUTS[name][1](folder) else "refused"), ""
    except InternalError:
        return "escaped", traceback.format_exc()
    except (InputError, CaseError) as error:
        return "refused", str(error)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "escaped", traceback.format_exc()


@contextmanager
def _peak_memory() -> Iterator[list[int]]:
    """Provide a list that holds, after the block, by how many bytes its memory rose (Linux)."""
    status = Path(f"/proc/{os.getpid()}/status")

    def kilobytes(field: str) -> int:
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field))

    Path(f"/proc/{os.getpid()}/clear_refs").write_text("5")
    before = kilobytes("VmRSS")
    peak = [0]
    yield peak
    peak[0] = (kilobytes("VmHWM") - before) * 1024


logging.getLogger("lggshape").addHandler(logging.NullHandler())
