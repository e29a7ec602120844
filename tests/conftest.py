import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from helpers import test_settings

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Let the doctests of `lggshape`, which are not below this folder, have the same settings."""
    config.pluginmanager.register(test_settings)


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
