"""A cohort of phantoms, and runs of seconds: four that segment, one that detects."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.shared_folders import shared_folder
from lggshape.comparison import Comparison, compare_runs
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration, train


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of eight cases. Not to be changed."""
    folder = tmp_path_factory.mktemp("cohort") / "cases"
    return write_cohort(folder, patients=8, seed=3, size=(8, 48, 40))


@pytest.fixture(scope="session")
def runs(
    cohort: Path,
    tmp_path_factory: pytest.TempPathFactory,
    small_encoder: Callable[[], AbstractContextManager[None]],
) -> dict[str, Path]:
    """Folders of runs by name: `long` has learnt, `short` hardly. Not to be changed."""
    network = NetworkConfiguration(architecture="unet", filters=(4, 8), size=32, neighbours=0)
    training = TrainingConfiguration(
        folds=2, epochs=15, batch=4, learning_rate=1e-2, average=0.9, crop=1.0, inner=0.2,
        encoder_weights="none",
    )  # fmt: skip
    detector = NetworkConfiguration(task="detection", size=32, neighbours=0)
    quick = replace(training, epochs=1)
    wanted = {
        "long": (network, training, []),
        "short": (network, replace(training, epochs=2), []),
        "detector": (detector, quick, [0]),
        "few": (network, replace(quick, patients=2), [0]),
        "one": (network, replace(quick, patients=1, inner_every=5), [0]),
    }

    def make(folder: Path) -> None:
        for name, (looks, trained, folds) in wanted.items():
            with small_encoder() if looks is detector else nullcontext():
                train(
                    open_cases(cohort), folder / name, network=looks, training=trained,
                    only=folds, jobs=1,
                )  # fmt: skip

    folder = shared_folder(tmp_path_factory, "compared_runs", make)
    return {name: folder / name for name in wanted}


@pytest.fixture(scope="session")
def compared(
    cohort: Path,
    runs: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    small_encoder: Callable[[], AbstractContextManager[None]],
) -> Comparison:
    """All of them compared. Not to be changed."""
    work = tmp_path_factory.mktemp("work")
    with small_encoder():
        return compare_runs(list(runs.values()), cohort, work, jobs=1)
