"""What works without the packages of the extras, and what names the command that installs them."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.association import Family, Hypothesis, associate
from lggshape.errors import MissingPackageError
from lggshape.extras import EXTRAS
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.shape import feature_table
from lggshape.statistics.compiled import compiled

ROOT = Path(__file__).resolve().parents[1]

_RUN = """
import sys
from contextlib import nullcontext
from lggshape import commands
from lggshape.figures import style
from lggshape.statistics import cluster_bootstrap
from lggshape_cli import app
# As in all tests.
cluster_bootstrap.__kwdefaults__["replicates"] = 50
style.as_png = lambda _: b""
in_workers = commands.in_workers
for line in sys.argv[1:]:
    # That worker processes have no extra either is seen once.
    commands.in_workers = in_workers if line.startswith("features|") else nullcontext
    try:
        app(line.split("|"))
    except SystemExit as end:
        print("status", end.code)
"""


def run_without_extras(*lines: list[str]) -> subprocess.CompletedProcess[str]:
    """Run commands where no package of an extra can be imported, by worker processes neither."""
    arguments = ["|".join(line) for line in lines]
    with TemporaryDirectory() as folder:
        # Every Python that starts imports a module of this name first.
        blocked = f"import sys\nsys.modules.update(dict.fromkeys({list(EXTRAS)}))\n"
        Path(folder, "sitecustomize.py").write_text(blocked)
        paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.run(
            [sys.executable, "-c", _RUN, *arguments], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip


def test_every_extra_lists_its_packages_invariant() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {"sklearn": "scikit-learn", "SimpleITK": "simpleitk"}
    for package, extra in EXTRAS.items():
        listed = project["optional-dependencies"][extra]
        own = [re.match(r"[\w-]+", line) for line in listed]
        assert names.get(package, package) in [name[0] for name in own if name]


def test_masks_are_measured_tested_and_reported_without_extras_invariant(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "cases", patients=12, seed=2, size=(6, 48, 40))
    two = str(write_cohort(tmp_path / "two", patients=2, seed=2, size=(6, 48, 40)))
    features, out = tmp_path / "features.csv", tmp_path / "results"
    ran = run_without_extras(
        ["inspect", str(cohort)],
        ["verify", str(cohort)],
        ["features", str(cohort), "--out", str(features), "--jobs", "1"],
        ["evaluate", two, two, "--out", str(tmp_path / "scores"), "--jobs", "1"],
        ["show", two, "--out", str(tmp_path / "figures"), "--jobs", "1"],
        ["associate", str(features), "--labels", str(cohort / "labels.csv"), "--out", str(out),
         "--adjust", "age", "--report", "--jobs", "1"],
        ["info"],
    )  # fmt: skip
    assert ran.stdout.count("status 0") == 7, ran.stderr
    assert 'not compiled; pip install "lggshape[fast]"' in ran.stdout
    found = pd.read_csv(out / "associations.csv")
    labels = pd.read_csv(cohort / "labels.csv")
    study = associate(features, labels, "literature", jobs=1)
    pd.testing.assert_frame_equal(
        found[["feature", "label", "p"]], study.associations[["feature", "label", "p"]], rtol=1e-12
    )
    assert (out / "report.html").is_file()


def test_a_command_without_its_extra_names_it_before_the_work_invariant(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "cases", patients=2, size=(6, 32, 32))
    before = sorted(tmp_path.rglob("*"))
    out = str(tmp_path / "out")
    labels = str(cohort / "labels.csv")
    lines = [
        ["segment", str(cohort), "--out", out],
        ["detect", str(cohort), "--networks", out, "--out", out],
        ["train", str(cohort), "--out", out],
        ["compare", out, out, "--dataset", str(cohort), "--out", out],
        ["demo", "--out", out],
        ["replicate", str(cohort), "--labels", labels, "--out", out],
    ]
    ran = run_without_extras(*lines)
    assert ran.stdout == "status 2\n" * len(lines)
    assert ran.stderr.count('pip install "lggshape[segment]"') == 5
    assert ran.stderr.count('pip install "lggshape[replicate]"') == 1
    assert ran.stderr.count("\n") == len(lines)
    assert sorted(tmp_path.rglob("*")) == before


# --- in Python


def test_a_reader_without_its_extra_ends_the_run_invariant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = write_cohort(tmp_path / "cases", patients=2, size=(6, 32, 32), layout="nrrd")
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(MissingPackageError, match=r'pip install "lggshape\[formats\]"'):
        feature_table(cases, jobs=1)


def test_a_compression_that_needs_an_extra_names_it_analytic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object, **__: object) -> None:
        # What tifffile 2026.3.3 raises without imagecodecs.
        raise ValueError("<COMPRESSION.WEBP: 50001> requires the 'imagecodecs' package")

    (case,) = open_cases(write_cohort(tmp_path / "cases", patients=1, size=(6, 32, 32)))
    monkeypatch.setattr(tifffile.TiffPage, "asarray", decode)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(MissingPackageError, match=r'pip install "lggshape\[formats\]"'):
        case.read()


def test_survival_without_its_extra_is_refused_before_the_tests_invariant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patients = [f"p{i}" for i in range(20)]
    features = pd.DataFrame({"case": patients, "patient": patients, "masks": "manual"})
    features["margin_fluctuation"] = np.arange(20.0)
    labels = pd.DataFrame({"patient": patients, "days": np.arange(20.0), "dead": [0, 1] * 10})
    hypothesis = Hypothesis("margin_fluctuation", "survival", time="days", event="dead")
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    with pytest.raises(MissingPackageError, match=r'pip install "lggshape\[survival\]"'):
        associate(features, labels, Family("one", "One", (hypothesis,)))


def test_without_numba_nothing_is_compiled_analytic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def add(first: int, second: int) -> int:
        return first + second

    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiled(add) is add
