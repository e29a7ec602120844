"""A cohort of phantoms, and networks that were trained on it for seconds."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers import test_settings
from helpers.shared_folders import shared_folder
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration

SIZE = (10, 56, 48)
"""Of the cases: not that of the network, and large enough for fingerprints."""


@pytest.fixture(scope="session", autouse=True)
def graphs_as_they_are() -> None:
    """Let TensorFlow run its graphs without optimising them, which pays only in long runs."""
    from lggshape.segmentation._backend import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


class Settings(NamedTuple):
    """What the networks of the tests look like and how they are trained."""

    network: NetworkConfiguration
    training: TrainingConfiguration


@pytest.fixture(scope="session")
def settings(small_unet: None) -> Settings:
    """Return the smallest network that finds the tumour of a phantom."""
    # Batch normalisation would double the time of a step.
    network = NetworkConfiguration(
        architecture="unet", filters=(4, 8), size=32, neighbours=0, batch_normalisation=False
    )
    training = TrainingConfiguration(
        folds=2,
        epochs=8,
        batch=4,
        learning_rate=2e-2,
        average=0.8,
        crop=1.0,
        inner=0.2,
        encoder_weights="none",
    )
    return Settings(network, training)


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of ten cases."""
    return write_cohort(tmp_path_factory.mktemp("cohort") / "cases", patients=10, seed=3, size=SIZE)


@pytest.fixture(scope="session")
def networks(cohort: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a training run of two folds, a network each. Not to be changed."""
    from lggshape.segmentation import train

    def make(folder: Path) -> None:
        train(open_cases(cohort), folder, **settings._asdict(), jobs=1)

    return shared_folder(tmp_path_factory, "networks", make)


@pytest.fixture
def encoder(small_encoder: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """Make the encoder small for a test."""
    with small_encoder():
        yield


@pytest.fixture
def eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test train for a few steps: they are not compiled, and no curve is drawn."""
    test_settings.train_eagerly(monkeypatch)


@pytest.fixture
def few(cohort: Path, tmp_path: Path) -> Path:
    """Folder of four of the cases."""
    folder = tmp_path / "cases"
    for case in sorted(path for path in cohort.iterdir() if path.is_dir())[:4]:
        shutil.copytree(case, folder / case.name)
    return folder
