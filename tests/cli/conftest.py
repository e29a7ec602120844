"""What the tests of the commands share: a small cohort, and options of a network of seconds."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers import test_settings
from helpers.shared_folders import shared_folder
from lggshape.phantoms import write_cohort
from lggshape_cli import app


@pytest.fixture(scope="session")
def tiny(small_unet: None) -> tuple[str, ...]:
    """Options of `train`: two networks that learn next to nothing."""
    return (
        "--network", "unet", "--filters", "2,4", "--size", "32", "--neighbours", "0",
        "--folds", "2", "--epochs", "1", "--batch", "16", "--crop", "1", "--inner", "0.3",
        "--inner-every", "2", "--jobs", "1",
    )  # fmt: skip


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of four cases. Not to be changed."""
    folder = tmp_path_factory.mktemp("cohort") / "cases"
    return write_cohort(folder, patients=4, seed=2, size=(6, 48, 40))


@pytest.fixture(scope="session")
def networks(cohort: Path, tmp_path_factory: pytest.TempPathFactory, tiny: tuple[str, ...]) -> Path:
    """Folder of networks that have learnt next to nothing. Not to be changed."""

    def make(out: Path) -> None:
        arguments = ("train", cohort, "--out", out, *tiny, "--quiet")
        with pytest.MonkeyPatch.context() as patch:
            test_settings.train_eagerly(patch)
            assert CliRunner().invoke(app, [*map(str, arguments)]).exit_code == 0

    return shared_folder(tmp_path_factory, "networks_of_commands", make)
