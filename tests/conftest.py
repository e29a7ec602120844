import gc
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import test_settings
from helpers.shared_folders import shared_folder
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Let the doctests of `lggshape`, which are not below this folder, have the same settings."""
    config.pluginmanager.register(test_settings)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Train early, and let one process compile Fisher's test meanwhile, for the other too."""
    first = ("tests/statistics/test_fisher.py", "tests/segmentation/")
    items.sort(key=lambda item: not item.nodeid.startswith(first[0]))
    items.sort(key=lambda item: not item.nodeid.startswith(first))


def pytest_unconfigure() -> None:
    """Do not look for garbage among all that was imported before the process ends."""
    gc.freeze()


@pytest.fixture(scope="session")
def dataset() -> Path:
    """Folder of the 110 real cases; the test is skipped where the data set is not at hand."""
    default = ROOT.parent / "shared" / "data"
    data = Path(os.environ.get("LGGSHAPE_DATA", default))
    folder = data / "lgg-mri-segmentation" / "kaggle_3m"
    if not folder.is_dir():
        pytest.skip(f"the LGG data set is not in {data} (set LGGSHAPE_DATA to its folder)")
    return folder


@pytest.fixture(scope="session")
def small_encoder() -> Callable[..., AbstractContextManager[None]]:
    """Return a context in which the encoder is small."""

    @contextmanager
    def patched(*, compiled: bool = False) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            test_settings.shrink_encoder(patch, compiled=compiled)
            yield

    return patched


@pytest.fixture(scope="session")
def small_unet() -> Iterator[None]:
    """Make U-Nets small from here on."""
    with pytest.MonkeyPatch.context() as patch:
        test_settings.shrink_unet(patch)
        yield


@pytest.fixture(scope="session")
def cohort_of_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the eight cases that `runs` were trained on. Not to be changed."""
    return shared_folder(
        tmp_path_factory,
        "cohort_of_runs",
        lambda folder: write_cohort(folder, patients=8, seed=3, size=(8, 48, 40)),
    )


@pytest.fixture(scope="session")
def runs(
    cohort_of_runs: Path, tmp_path_factory: pytest.TempPathFactory, small_unet: None
) -> dict[str, Path]:
    """Folders of runs by name: `long` has learnt, the others hardly. Not to be changed."""
    from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration, train

    network = NetworkConfiguration(
        architecture="unet", filters=(4, 8), size=32, neighbours=0, batch_normalisation=False
    )
    training = TrainingConfiguration(
        folds=2, epochs=6, batch=4, learning_rate=2e-2, average=0.8, crop=1.0, inner=0.2,
        encoder_weights="none",
    )  # fmt: skip
    detector = NetworkConfiguration(task="detection", size=32, neighbours=0)
    quick = replace(training, epochs=1)
    wanted = {
        "long": (network, training, []),
        "short": (network, replace(training, epochs=2), [0]),
        "detector": (detector, replace(quick, batch=32), [0]),
        "few": (network, replace(quick, patients=2), [0]),
        "one": (network, replace(quick, patients=1, inner_every=5), [0]),
    }

    def make(folder: Path) -> None:
        for name, (looks, trained, folds) in wanted.items():
            with pytest.MonkeyPatch.context() as patch:
                test_settings.shrink_encoder(patch, compiled=True)
                if name != "long":
                    test_settings.train_eagerly(patch)
                train(
                    open_cases(cohort_of_runs), folder / name, network=looks, training=trained,
                    only=folds, jobs=1,
                )  # fmt: skip

    folder = shared_folder(tmp_path_factory, "runs", make)
    return {name: folder / name for name in wanted}


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures of a report empty."""
    test_settings.leave_figures_empty(monkeypatch)
