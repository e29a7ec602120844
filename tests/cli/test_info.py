import json
from hashlib import sha256

from typer.testing import CliRunner

from lggshape.segmentation import SHIPPED
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


def test_the_networks_that_ship_are_listed_with_their_card() -> None:
    card = json.loads(CliRunner().invoke(app, ["info", "--json"]).stdout)["networks"]
    names = {path.parent.name for path in SHIPPED.glob("*/weights.npz")}
    assert set(card["networks"]) == names
    for name, file in card["files"].items():
        content = (SHIPPED / name).read_bytes()
        assert (len(content), sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    text = CliRunner().invoke(app, ["info"]).stdout
    assert f"Dice mean {card['scores']['out_of_fold']['mean_dice']}" in text


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("lggshape 0.")


def test_the_help_tells_what_every_step_is_for() -> None:
    result = CliRunner().invoke(app, ["--help"])
    words = set(result.stdout.partition("Exit status")[0].replace(",", " ").split())
    steps = {"verify", "train", "segment", "evaluate", "features", "associate"}
    assert steps <= words
