"""Describe the machine, versions, backends and weights, and test them in about ten seconds."""

import math
import os
import platform
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import NamedTuple

import numpy as np

from lggshape.extras import EXTRAS, is_installed
from lggshape.files import file_hash, read_json
from lggshape.masks import dice
from lggshape.provenance import package_versions

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
_LEAST_DICE = 0.9
"""Of a phantom that the bundled networks outline well: they reach more than .96 on twelve."""


class Finding(NamedTuple):
    """One thing that was examined.

    Attributes
    ----------
    what : str
        What it is.
    found : str
        What was found.
    ok : bool
        False if something is wrong. True also for mere information.
    """

    what: str
    found: str
    ok: bool = True


def examine() -> Iterator[Finding]:
    """Examine the machine, the installation and the weights, and repeat known computations.

    Yields
    ------
    Finding
        One after the other, each as soon as it is known. All take about ten seconds.

    Examples
    --------
    >>> next(examine()).what
    'system'
    """
    yield Finding("system", platform.platform())
    yield Finding("cores", f"{os.cpu_count()}")
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    if pages > 0:
        memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**30
        yield Finding("memory", f"{memory:.1f} GiB")
    limits = [f"{name}={os.environ[name]}" for name in _THREADS if name in os.environ]
    yield Finding("threads", ", ".join(limits) or "not limited")
    for name, number in package_versions().items():
        yield Finding(name, number)
    missing = sorted({extra for package, extra in EXTRAS.items() if not is_installed(package)})
    yield Finding("extras", f"without {', '.join(missing)}" if missing else "all installed")
    yield _tested("features of a cube", _features)
    yield _tested("Fisher's exact test", _fisher)
    if is_installed("keras"):
        yield _tested("weights", _weights)
        yield _tested("segmentation of a phantom", _segmentation)


def _tested(what: str, test: Callable[[], tuple[str, bool]]) -> Finding:
    start = perf_counter()
    try:
        found, ok = test()
    except Exception as error:  # whatever is wrong with an installation is reported, not raised
        found, ok = f"{type(error).__name__}: {error}", False
    return Finding(what, f"{found} ({perf_counter() - start:.1f} s)", ok)


def _features() -> tuple[str, bool]:
    from lggshape.shape import extract_features

    values = extract_features(np.ones((2, 2, 2), dtype=bool)).values
    share, expected = values["bounding_ellipsoid_volume_ratio"], 2 / (math.pi * math.sqrt(3))
    return f"it fills {share:.6f} of its ellipsoid", abs(share - expected) < 1e-9


def _fisher() -> tuple[str, bool]:
    from lggshape.statistics import fisher_exact

    p = fisher_exact([[3, 1], [1, 3]]).p
    return f"p {p:.6f} of the lady tasting tea", abs(p - 34 / 70) < 1e-9


def _weights() -> tuple[str, bool]:
    from lggshape.segmentation import SHIPPED

    files = read_json(SHIPPED / "model_card.json")["files"]
    wrong = [name for name, file in files.items() if file_hash(SHIPPED / name) != file["sha256"]]
    if wrong:
        return f"not as they were published: {', '.join(wrong)}", False
    return f"{len(files)} files as they were published", True


def _segmentation() -> tuple[str, bool]:
    from lggshape.phantoms import make_phantom
    from lggshape.segmentation import segment
    from lggshape.segmentation._backend import gpus, keras

    case = make_phantom(np.random.default_rng(0), size=(8, 128, 128))
    assert case.mask is not None
    score = dice(segment(case, effort="fast").mask, case.mask)
    device = "a GPU" if gpus() else "the CPU"
    return f"Dice {score:.3f} by {keras.backend.backend()} on {device}", score >= _LEAST_DICE
