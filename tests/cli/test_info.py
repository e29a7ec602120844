import json

from typer.testing import CliRunner

from lggshape.shape import FEATURES
from lggshape_cli import app


def test_json_lists_every_feature_with_unit_and_source() -> None:
    result = CliRunner().invoke(app, ["info", "--json"])
    features = json.loads(result.stdout)["features"]
    assert [feature["name"] for feature in features] == list(FEATURES)
    assert all(feature["definition"] and feature["source"] for feature in features)


def test_text_names_every_feature() -> None:
    result = CliRunner().invoke(app, ["info"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in FEATURES)
    assert "numpy" in result.stdout


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("lggshape 0.")


def test_the_help_tells_what_every_step_is_for() -> None:
    result = CliRunner().invoke(app, ["--help"])
    words = set(result.stdout.partition("Exit status")[0].replace(",", " ").split())
    steps = {"verify", "train", "segment", "evaluate", "features", "associate"}
    assert steps <= words
