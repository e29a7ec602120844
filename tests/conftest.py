import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def one_core() -> Iterator[None]:
    """Let work stay in this process unless a test asks for more: the tests are run in parallel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lggshape.parallel._usable_cores", lambda: 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def few_draws() -> Iterator[None]:
    """Draw fewer bootstrap samples: how good the intervals are is tested with the statistics."""
    from lggshape.statistics import cluster_bootstrap

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cluster_bootstrap.__kwdefaults__, "replicates", 50)
        yield


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
def small_encoder() -> Callable[[], AbstractContextManager[None]]:
    """Give a context in which the encoder has five blocks: built in a second in place of ten."""
    from lggshape.segmentation.networks import efficientnet

    stages = tuple(efficientnet._Stage(1, 3, stride, 2, 8) for stride in (1, 2, 2, 2, 2))

    @contextmanager
    def patched() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(efficientnet, "_STAGES", stages)
            yield

    return patched
