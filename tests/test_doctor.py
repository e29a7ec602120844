import json

import pytest
from typer.testing import CliRunner

from lggshape import doctor
from lggshape_cli import app


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the segmentation of a phantom, which takes seconds."""
    monkeypatch.setattr(doctor, "_segmentation", lambda: ("left out", True))


def test_this_installation_is_well(quick: None) -> None:
    found = {one.what: one for one in doctor.examine()}
    assert all(one.ok for one in found.values()), found
    assert {"system", "cores", "lggshape", "features of a cube", "weights"} <= found.keys()
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0
    assert [one["what"] for one in json.loads(result.stdout)] == list(found)


def test_weights_of_another_content_and_errors_are_told(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> tuple[str, bool]:
        raise OSError("no such library")

    monkeypatch.setattr(doctor, "file_hash", lambda path: "other")
    monkeypatch.setattr(doctor, "_fisher", fail)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "WRONG: weights: not as they were published: fold0-member0" in result.stdout
    assert "WRONG: Fisher's exact test: OSError: no such library" in result.stdout
    assert "\nfeatures of a cube: it fills 0.367553" in result.stdout
