"""What the tests of the commands share: a small cohort, and options of a network of seconds."""

from pathlib import Path

import pytest

from lggshape.phantoms import write_cohort


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """Options of `train`: two networks that learn next to nothing."""
    return (
        "--network", "unet", "--filters", "2,4", "--size", "32", "--neighbours", "0",
        "--folds", "2", "--epochs", "1", "--batch", "4", "--crop", "1", "--inner", "0.3",
        "--inner-every", "2", "--jobs", "1",
    )  # fmt: skip


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of four cases. Not to be changed."""
    folder = tmp_path_factory.mktemp("cohort") / "cases"
    return write_cohort(folder, patients=4, seed=2, size=(6, 48, 40))
