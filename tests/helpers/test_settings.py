"""Settings of all tests and doctests, which save time and change nothing that they test."""

import gc
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from typer.main import get_command

from lggshape.figures import style
from lggshape.parallel import in_workers


def shrink_encoder(patch: pytest.MonkeyPatch, *, compiled: bool = False) -> None:
    """Make the encoder of five blocks, and train it without compiling the steps unless asked to.

    It is built in a second in place of ten, and a step is done in half a second, where compiling
    it takes ten.
    """
    from lggshape.segmentation.inference import network_cache
    from lggshape.segmentation.networks import efficientnet
    from lggshape.segmentation.networks.efficientnet import PREFIX

    kinds = ((1, 2), (2, 1), (2, 1), (2, 1), (2, 1))
    stages = tuple(efficientnet._Stage(1, 3, stride, expansion, 8) for stride, expansion in kinds)
    patch.setattr(efficientnet, "_STAGES", stages)
    # None of another size that was built before.
    built = lru_cache(maxsize=1)(network_cache._built.__wrapped__)
    patch.setattr(network_cache, "_built", built)
    if not compiled:
        train_eagerly(patch, layer=PREFIX)


def shrink_unet(patch: pytest.MonkeyPatch) -> None:
    """Use one convolution per block of the U-Net instead of two, which saves a third of the time.

    A network is used in the form in which it was trained, so whatever trains one asks for
    `small_unet`.
    """
    from lggshape.segmentation._backend import keras
    from lggshape.segmentation.inference import network_cache
    from lggshape.segmentation.networks import unet
    from lggshape.segmentation.networks.layers import convolution

    def single(x: Any, filters: int, name: str, *, normalise: bool) -> Any:
        x = convolution(x, filters, f"{name}a", size=3, normalise=normalise)
        return keras.layers.ReLU(name=f"{name}a_relu")(x)

    patch.setattr(unet, "block", single)
    network_cache._built.cache_clear()


def train_eagerly(patch: pytest.MonkeyPatch, *, layer: str = "") -> None:
    """Train without compiling the steps, if the name of a layer begins so; for few steps.

    Of these no curve is drawn: its files are empty.
    """
    from lggshape.segmentation.training import train_fold
    from lggshape.segmentation.training.learner import Learner

    original = Learner.compile

    def compile_nothing(learner: Learner, **settings: Any) -> None:
        if any(one.name.startswith(layer) for one in learner.network.layers):
            settings |= {"run_eagerly": True, "jit_compile": False}
        original(learner, **settings)

    def draw_nothing(folder: Path, _: object) -> None:
        for end in ("svg", "png"):
            (folder / f"training.{end}").touch()

    patch.setattr(Learner, "compile", compile_nothing)
    patch.setattr(train_fold, "_draw_training", draw_nothing)


def leave_figures_empty(patch: pytest.MonkeyPatch) -> None:
    """Leave the figures of a report empty, for tests of its text and tables."""
    empty = style.render(Figure(figsize=(1, 1)))
    patch.setattr("lggshape.report.gallery.render", lambda *_: empty)


def _only_on_a_cluster(scheduler: str | None) -> AbstractContextManager[None]:
    return nullcontext() if scheduler is None else in_workers(scheduler)


@pytest.fixture(scope="session", autouse=True)
def one_core() -> Iterator[None]:
    """Let work stay in this process unless a test asks for more: the tests are run in parallel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lggshape.parallel.mapping.usable_cores", lambda: 1)
        patch.setattr("lggshape.commands.in_workers", _only_on_a_cluster)
        yield


@pytest.fixture(scope="session", autouse=True)
def commands_built_once() -> Iterator[None]:
    """Make the command line once for all calls, not a thirtieth of a second before each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_progress_lines() -> Iterator[None]:
    """Let no command print its progress, however slow the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lggshape.commands.SECONDS_PER_LINE", float("inf"))
        yield


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """Draw figures as SVG only, except in the tests of figures: the other files show the same."""

    def unless_tested(draw: Callable[..., bytes], otherwise: bytes) -> Callable[..., bytes]:
        def drawn(*arguments: Any) -> bytes:
            test = os.environ["PYTEST_CURRENT_TEST"]
            return draw(*arguments) if _OF_FIGURES.search(test) else otherwise

        return drawn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "as_png", unless_tested(style.as_png, _ONE_PIXEL))
        patch.setattr(style, "_for_journal", unless_tested(style._for_journal, b""))
        yield


_OF_FIGURES = re.compile("/(figures|visualisation)/")
_ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
"""The smallest PNG."""


@pytest.fixture(autouse=True)
def imported_stays() -> None:
    """Keep what was imported out of each collection of garbage, which statsmodels asks for often.

    With TensorFlow and all else in memory, one would take longer than a small analysis.
    """
    _freeze(len(sys.modules) // 200)


@cache
def _freeze(imported: int) -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def few_draws() -> Iterator[None]:
    """Draw fewer bootstrap samples: how good the intervals are is tested with the statistics."""
    from lggshape.statistics import cluster_bootstrap

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cluster_bootstrap.__kwdefaults__, "replicates", 50)
        yield


@pytest.fixture(autouse=True)
def whole_unet(request: pytest.FixtureRequest) -> Iterator[None]:
    """Build the whole U-Net, unless the test asks for the small one: earlier tests may have."""
    unet = sys.modules.get("lggshape.segmentation.networks.unet")
    if unet is None or "small_unet" in request.fixturenames:
        yield
        return
    from lggshape.segmentation.inference import network_cache
    from lggshape.segmentation.networks.layers import block

    with pytest.MonkeyPatch.context() as patch:
        if unet.block is not block:
            patch.setattr(unet, "block", block)
            # The network that is kept has small blocks.
            built = lru_cache(maxsize=1)(network_cache._built.__wrapped__)
            patch.setattr(network_cache, "_built", built)
        yield


@pytest.fixture(autouse=True)
def examples_do_less(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let examples use one of the bundled networks and small encoders, and draw few figures."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    module = request.node.name.rpartition(".")[0]
    if module.endswith("studies"):
        leave_figures_empty(monkeypatch)
    if module.endswith("inference.detect_cases"):
        shrink_encoder(monkeypatch)
    if module.endswith(("comparison.comparison", "training.cross_validation")):
        shrink_unet(monkeypatch)
        train_eagerly(monkeypatch)
    if module in _EXAMPLES_THAT_SEGMENT:
        from lggshape.segmentation import Ensemble, read_ensemble

        def one(folder: Path) -> Ensemble:
            ensemble = read_ensemble(folder)
            return replace(ensemble, members=ensemble.members[:1])

        monkeypatch.setattr(f"{module}.read_ensemble", one)


_EXAMPLES_THAT_SEGMENT = {
    f"lggshape.segmentation.inference.{name}" for name in ("segmenter", "segment_cases")
}
