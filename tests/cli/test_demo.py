from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from lggshape import segmentation
from lggshape.results import recorded_outputs
from lggshape_cli import app


@pytest.fixture
def one_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one bundled network do what all of them do, in a tenth of the time."""
    folder = tmp_path / "one"
    folder.mkdir()
    for name in ("configuration.json", "folds.json", "cases.json", "fold0-member0"):
        (folder / name).symlink_to(segmentation.SHIPPED / name)
    monkeypatch.setattr(segmentation, "SHIPPED", folder)


@pytest.mark.usefixtures("one_network")
def test_the_whole_way_on_a_synthetic_cohort(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    arguments = ["demo", "--out", str(out), "--patients", "16"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("$ lggshape") == 5
    features = pd.read_csv(out / "features.csv")
    assert (len(features), set(features["masks"])) == (16, {"automatic"})
    # The networks have seen no phantom.
    assert pd.read_csv(out / "evaluation" / "scores.csv")["dice"].mean() > 0.8
    associations = pd.read_csv(out / "report" / "associations.csv").set_index(["feature", "label"])
    assert associations.at[("bounding_ellipsoid_volume_ratio", "idh"), "p"] < 0.05
    assert (out / "report" / "report.html").stat().st_size > 10_000
    mine = out / "mine.txt"
    mine.write_text("mine")
    (out / "cohort" / "mine.txt").write_text("mine")
    before = sorted(out.rglob("*"))
    refused = CliRunner().invoke(app, [*arguments, "--overwrite"])
    assert refused.exit_code == 2
    assert f"nothing but the earlier demo in its folders, found {out / 'cohort'}" in refused.stderr
    assert sorted(out.rglob("*")) == before
    (out / "cohort" / "mine.txt").unlink()
    fewer = [*arguments[:-1], "8", "--overwrite", "--quiet"]
    again = CliRunner().invoke(app, fewer)
    assert (again.exit_code, again.output) == (0, "")
    assert len(pd.read_csv(out / "features.csv")) == 8
    assert mine.read_text() == "mine"
    assert "report/report.html" in recorded_outputs(out)


def test_an_earlier_demo_is_not_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--patients", "8"])
    assert result.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
