import sys
from types import SimpleNamespace

import pytest

from lggshape.errors import InputError
from lggshape.segmentation import _backend
from lggshape.segmentation._backend import device_scope, keras, precision_for


@pytest.fixture
def has_gpu(monkeypatch):
    def say(there):
        monkeypatch.setattr(_backend, "gpus", lambda: ["gpu:0"] if there else [])

    return say


@pytest.mark.parametrize(
    ("precision", "device", "gpu", "expected"),
    [
        ("auto", "auto", True, "mixed_bfloat16"),
        ("auto", "gpu", True, "mixed_bfloat16"),
        ("auto", "cpu", True, "float32"),
        ("auto", "auto", False, "float32"),
        ("float32", "gpu", True, "float32"),
        ("bfloat16", "cpu", False, "mixed_bfloat16"),
    ],
)
def test_the_precision_goes_with_the_device(has_gpu, precision, device, gpu, expected):
    has_gpu(gpu)
    assert precision_for(precision, device) == expected


def test_a_gpu_that_is_not_there_is_refused(has_gpu):
    has_gpu(False)
    with pytest.raises(InputError, match=f"found none by Keras on {keras.backend.backend()}"):
        device_scope("gpu")


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_cpu_is_always_there(has_gpu, device):
    has_gpu(False)
    with device_scope(device):
        assert float(keras.ops.sum(keras.ops.ones(3))) == 3


@pytest.mark.parametrize(
    ("device", "gpu", "expected"),
    [
        ("auto", True, "gpu:0"),
        ("gpu", True, "gpu:0"),
        ("cpu", True, "cpu:0"),
        ("auto", False, "cpu:0"),
    ],
)
def test_the_device_that_is_asked_for(has_gpu, monkeypatch, device, gpu, expected):
    has_gpu(gpu)
    monkeypatch.setattr(keras, "device", lambda name: name)
    assert device_scope(device) == expected


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_gpus_are_found_by_every_backend(monkeypatch, backend):
    two_gpus = SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: 2))
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0", "gpu:0", "gpu:1"])
    monkeypatch.setitem(sys.modules, "torch", two_gpus)
    assert _backend.gpus() == ["gpu:0", "gpu:1"]
