"""Commands in a process of its own. There is one for all tests, as its imports take seconds."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.case_files import contents
from helpers.segmentations import assert_same_results, stamps
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases

TESTS = Path(__file__).resolve().parents[2]
MAPS = ("probability", "uncertainty", "entropy")

# It is killed (-9) as soon as the last path is there, before it next opens, makes or renames a
# file, however fast the machine is.
SCRIPT = """
import os, sys
from lggshape_cli import app

cases, trained, networks, out, last = sys.argv[1:]
tiny = ("--network unet --filters 2,4 --size 32 --neighbours 0 --folds 2 --fold 0 --epochs 1 "
        "--batch 16 --crop 1 --inner 0.3 --inner-every 2 --jobs 1")
try:
    app(["train", cases, "--out", trained, *tiny.split()])
except SystemExit as end:
    assert end.code == 0
os.write(2, b"after")

import pytest
from helpers.test_settings import shrink_unet
shrink_unet(pytest.MonkeyPatch())  # as the networks were trained

def kill(event, arguments):
    if event in ("open", "os.mkdir", "os.rename") and os.path.exists(last):
        os.kill(os.getpid(), 9)

sys.addaudithook(kill)
maps = ("--probabilities", "--uncertainty")
app(["segment", cases, "--out", out, "--networks", networks, *maps])
"""


@pytest.fixture(scope="module")
def sources(cohort):
    return open_cases(cohort)[:4]


@pytest.fixture(scope="module")
def killed(sources, networks, tmp_path_factory):
    """Train a network, and segment by others until the second of four cases is begun.

    Return the folder of both results, and of what was written to the terminal.
    """
    top = tmp_path_factory.mktemp("killed")
    (top / "cases").mkdir()
    for source in sources:
        (top / "cases" / source.id).symlink_to(source.path)
    out = top / "out"
    paths = (top / "cases", top / "trained", networks, out, out / sources[1].id)
    places = [str(TESTS), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    # Into files: the workers that it leaves behind would keep pipes open for a minute.
    with (top / "stdout").open("w") as stdout, (top / "stderr").open("w") as stderr:
        command = [sys.executable, "-c", SCRIPT, *map(str, paths)]
        process = subprocess.run(
            command, stdout=stdout, stderr=stderr, check=False, env=environment
        )
    assert process.returncode == -9, (top / "stderr").read_text()
    return top


def test_libraries_do_not_write_to_the_terminal(killed):
    """But what is written after the work is not lost with what they say."""
    said, after, _ = (killed / "stderr").read_text().partition("after")
    # On a slow machine there are lines of progress, one every ten seconds.
    lines = [line for line in said.splitlines() if not re.search(r": \d+ of \d+$", line)]
    assert (lines, after) == ([], "after")
    trained = f"Trained 1 network: {killed / 'trained'}\n"
    assert (killed / "stdout").read_text().startswith(trained)


def test_kill_and_resume_is_an_unbroken_run_invariant(killed, networks, tmp_path):
    unbroken, broken = tmp_path / "unbroken", killed / "out"
    sources = open_cases(killed / "cases")
    assert not (broken / "segmentation.csv").exists()
    done = broken / sources[0].id
    written = stamps(done)
    # What a kill in the middle of a line, and of a case, leaves.
    with (broken / "segmentation.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"begun": sources[-1].id}) + '\n{"row": {"case": "PHAN')
    last = sources[-1].id
    (broken / last).mkdir()
    (broken / last / f"{last}_3_mask.tif").write_bytes(b"II*")

    expected = segment_cases(sources, unbroken, networks=networks, maps=MAPS)
    result = segment_cases(sources, broken, networks=networks, maps=MAPS, resume=True)
    assert len(result.table) == len(sources)
    assert_same_results(result, expected)
    assert contents(broken) == contents(unbroken)
    # What was done was not done again.
    assert stamps(done) == written
