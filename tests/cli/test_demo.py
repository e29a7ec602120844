from functools import partial
from pathlib import Path
from typing import get_args, get_type_hints

import pandas as pd
import pytest
from typer.testing import CliRunner

from lggshape import demo, segmentation
from lggshape.phantoms import write_cohort
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.results import recorded_outputs
from lggshape_cli import app
from lggshape_cli import demo as app_demo


@pytest.fixture
def one_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one bundled network do what all of them do, in a tenth of the time."""
    folder = tmp_path / "one"
    folder.mkdir()
    for name in ("configuration.json", "folds.json", "cases.json", "fold0-member0"):
        (folder / name).symlink_to(segmentation.SHIPPED / name)
    monkeypatch.setattr(segmentation, "SHIPPED", folder)


@pytest.fixture
def small_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small heads, and measure them in this process."""
    monkeypatch.setattr(demo, "write_cohort", partial(write_cohort, size=(8, 72, 72)))
    monkeypatch.setattr("lggshape.parallel.mapping.usable_cores", lambda: 1)


@pytest.mark.usefixtures("one_network", "small_work")
def test_the_whole_way_on_a_synthetic_cohort(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    arguments = ["demo", "--out", str(out), "--patients", "10", "--seed", "29"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("$ lggshape") == 5
    assert f"$ lggshape evaluate {out}/masks {out}/cohort --out {out}/evaluation" in result.stdout
    assert result.stdout.endswith(f"\nOpen the report in a browser: {out}/report/report.html\n")
    features = pd.read_csv(out / "features.csv")
    assert (len(features), set(features["masks"])) == (10, {"automatic"})
    # The networks have seen no phantom.
    assert pd.read_csv(out / "evaluation" / "scores.csv")["dice"].mean() > 0.8
    associations = pd.read_csv(out / "report" / "associations.csv").set_index(["feature", "label"])
    assert associations.at[("bounding_ellipsoid_volume_ratio", "idh"), "p"] < 0.05
    assert (out / "report" / "report.html").stat().st_size > 10_000
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {"run.json", *recorded_outputs(out)}


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for more in ((), ("--overwrite",)):
        result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), *more])
        assert result.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_layouts_of_the_option_are_those_of_the_phantoms_invariant() -> None:
    hints = get_type_hints(app_demo.demo, include_extras=True)
    choices, _ = get_args(hints["layout"])
    assert get_args(choices) == tuple(CASE_LAYOUTS)


@pytest.mark.usefixtures("small_work")
def test_packed_masks_are_measured_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "write_report", lambda *_, **__: None)
    out = tmp_path / "demo"
    result = CliRunner().invoke(
        app, ["demo", "--out", str(out), "--patients", "10", "--layout", "packed"]
    )
    assert result.exit_code == 0, result.output
    assert "lggshape segment" not in result.stdout
    assert set(pd.read_csv(out / "features.csv")["masks"]) == {"manual"}
