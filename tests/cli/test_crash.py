"""A file that crashes the program costs only its case, even if it is the only one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

# Imported by every Python that has its folder in PYTHONPATH.
CRASH = """
import os, signal, sys

def crash(event, arguments):
    if event == "open" and os.environ["DEADLY"] in str(arguments[0]):
        os.kill(os.getpid(), signal.SIGSEGV)

if any("loky" in word for word in sys.orig_argv):
    sys.addaudithook(crash)
"""
PROGRAM = (sys.executable, "-c", "from lggshape_cli import app; app()")


def test_a_single_case_that_crashes_the_program_fails_alone(cohort: Path, tmp_path: Path) -> None:
    case = sorted(path for path in cohort.iterdir() if path.is_dir())[0]
    shutil.copytree(case, tmp_path / "cases" / case.name)
    (tmp_path / "sitecustomize.py").write_text(CRASH)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    out = tmp_path / "features.csv"
    result = subprocess.run(
        [*PROGRAM, "features", str(tmp_path / "cases"), "--out", str(out), "--jobs", "1"],
        env=os.environ | {"PYTHONPATH": path, "DEADLY": case.name},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    [reason] = pd.read_csv(out)["reason"]
    assert "the process working on it died twice" in reason
    assert "died twice" in result.stderr
