"""How fast networks are trained: each backend of Keras, and a plain PyTorch loop beside them.

    python benchmarks/training_step.py --architecture efficientnet-lite0

A step is augmentation, forward and backward pass and update, of a batch of slices that lie in the
memory of the device. Printed are the time of a step, the slices a second, the time of an epoch of
1600 slices (about a fold of the LGG data), and the share of the rate at which the same library
multiplies two large matrices in the same precision: the arithmetic of the convolutions, counted
from their shapes, three times for forward and both backward passes. The plain loop trains the same
network in PyTorch: compiled where a compiler is found, channels last, mixed bfloat16, with an
augmentation by `grid_sample`. Each row is a process of its own. A backend that is not installed is
left out; on a GPU machine the rows are those of the GPU.
"""

import argparse
import dataclasses
import itertools
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

BACKENDS = ("tensorflow", "jax", "torch")
POLICIES = ("float32", "mixed_bfloat16")
PLAIN = "plain"
EPOCH = 1600
SLICES = 400


def settings(architecture: str, batch: int) -> tuple[Any, Any, Any]:
    """Return the configuration of the network for squares, its own, and that of the training."""
    from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration
    from lggshape.segmentation.run.configuration import crop_of

    network = NetworkConfiguration(architecture=architecture)
    training = TrainingConfiguration(encoder_weights="none", batch=batch)
    return dataclasses.replace(network, size=crop_of(network, training)), network, training


def random_slices(network: Any) -> Any:
    """Make slices of noise, the same for all."""
    from lggshape.segmentation.training.slice_store import SliceStore
    from lggshape.segmentation.training.training_cases import TrainingCase

    rng = np.random.default_rng(0)
    shape = (SLICES, network.size, network.size)
    codes = rng.integers(1, 256, (*shape, len(network.sequences)), dtype=np.uint8)
    masks = (rng.random(shape) > 0.9).astype(np.uint8)
    return SliceStore([TrainingCase("p", "p", "", codes, masks, ())], network)


def by_keras(architecture: str, policy: str, batch: int, steps: int) -> None:
    from lggshape.segmentation._backend import gpus, keras
    from lggshape.segmentation.networks.build_network import build
    from lggshape.segmentation.training.augmentation import draw
    from lggshape.segmentation.training.learner import ResidentSlices, make_learner

    shown, network, training = settings(architecture, batch)
    model = build(shown, policy=policy)
    store = random_slices(network)
    learner = make_learner(model, ResidentSlices(store), training, steps=100)
    rng = np.random.default_rng(0)

    def batches() -> Iterator[Any]:
        for _ in range(steps):
            places = store.with_neighbours(rng.integers(0, SLICES, batch))
            yield ((places, *draw(rng, batch, network, crop=shown.size, sequence_dropout=0.3)),)

    def run() -> None:
        learner.fit(batches(), steps_per_epoch=steps, shuffle=False, verbose=0)

    name = f"{keras.backend.backend()} {policy}"
    rate = matrix_rate(_keras_product(keras, policy))
    report(name, bool(gpus()), first(run), median(run) / steps, batch, model, rate)


def _keras_product(keras: Any, policy: str) -> Callable[[int], Callable[[], None]]:
    def make(side: int) -> Callable[[], None]:
        dtype = "bfloat16" if policy == "mixed_bfloat16" else "float32"
        matrix = keras.ops.ones((side, side), dtype=dtype)

        def run() -> None:
            product = keras.ops.matmul(matrix, matrix)
            keras.ops.convert_to_numpy(keras.ops.cast(product[0, 0], "float32"))

        return run

    return make


def by_plain_torch(architecture: str, batch: int, steps: int) -> None:
    import torch
    from torch.nn import functional

    from lggshape.segmentation.networks.build_network import build

    shown, network, training = settings(architecture, batch)
    model = build(shown)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    own = as_torch(model).to(device, memory_format=torch.channels_last)
    parameters = list(own.parameters())
    average = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, fused=device == "cuda")
    store = random_slices(network)
    codes = torch.from_numpy(store.codes).to(device)
    masks = torch.from_numpy(store.masks).to(device)
    rng = np.random.default_rng(0)
    flair = network.sequences.index("FLAIR")

    def loss_of(places: Any, theta: Any, gain: Any, shift: Any) -> Any:
        around = codes[places[:, 1:]][..., flair].movedim(1, -1)
        slices = torch.cat([codes[places[:, 0]], around], -1).float().movedim(-1, 1) / 21 - 4
        target = masks[places[:, 0], None].float()
        grid = functional.affine_grid(theta, (batch, 1, shown.size, shown.size), False)
        both = functional.grid_sample(torch.cat([slices, target], 1), grid, align_corners=False)
        slices, target = both[:, :-1] * gain + shift, (both[:, -1:] > 0.5).float()
        slices = slices.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = own(slices)
        logits = logits.float()
        inside = logits.sigmoid()
        overlap = (2 * (inside * target).sum() + 1) / (inside.sum() + target.sum() + 1)
        return functional.binary_cross_entropy_with_logits(logits, target) + 1 - overlap

    compiled = device == "cuda" or shutil.which("g++") is not None
    step_loss = torch.compile(loss_of) if compiled else loss_of

    def drawn(*shape: int) -> Any:
        return torch.from_numpy(rng.normal(0, 0.1, shape).astype(np.float32)).to(device)

    def run() -> None:
        for _ in range(steps):
            places = torch.from_numpy(store.with_neighbours(rng.integers(0, SLICES, batch)))
            theta = drawn(batch, 2, 3) + torch.eye(2, 3, device=device)
            gain, shift = (drawn(batch, network.channels, 1, 1) for _ in range(2))
            loss = step_loss(places.to(device).long(), theta, 1 + gain, shift)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            torch._foreach_lerp_(average, parameters, 1 - training.average)
        float(loss)

    def product(side: int) -> Callable[[], None]:
        matrix = torch.ones((side, side), dtype=torch.bfloat16, device=device)
        return lambda: float((matrix @ matrix)[0, 0])

    name = f"plain PyTorch mixed_bfloat16{'' if compiled else ', not compiled'}"
    on_gpu = device == "cuda"
    report(name, on_gpu, first(run), median(run) / steps, batch, model, matrix_rate(product))


def as_torch(model: Any) -> Any:
    """Return a Keras network as a PyTorch module: the same layers, with random weights."""
    import torch
    from torch import nn
    from torch.nn import functional

    def same(side: int, kernel: int, stride: int) -> tuple[int, int]:
        """Return the padding of Keras' "same": more at the end."""
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        return total // 2, total - total // 2

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts, self.plan = nn.ModuleDict(), []
            for layer in model.layers[1:]:
                node = layer._inbound_nodes[0]
                sources = [t._keras_history.operation.name for t in node.input_tensors]
                kind, pad = type(layer).__name__, None
                if kind in {"Conv2D", "DepthwiseConv2D"}:
                    inputs = layer.input.shape[-1]
                    depthwise = kind == "DepthwiseConv2D"
                    (kernel, _), (stride, _) = layer.kernel_size, layer.strides
                    self.parts[layer.name] = nn.Conv2d(
                        inputs, inputs if depthwise else layer.filters, kernel, stride,
                        groups=inputs if depthwise else 1, bias=layer.use_bias,
                    )  # fmt: skip
                    first, last = same(layer.input.shape[1], kernel, stride)
                    pad = (first, last, first, last)
                elif kind == "Conv2DTranspose":
                    inputs = layer.input.shape[-1]
                    self.parts[layer.name] = nn.ConvTranspose2d(inputs, layer.filters, 2, 2)
                elif kind == "BatchNormalization":
                    channels = layer.input.shape[-1]
                    self.parts[layer.name] = nn.BatchNorm2d(channels, layer.epsilon, 0.01)
                elif kind == "ReLU":
                    self.parts[layer.name] = nn.ReLU6() if layer.max_value else nn.ReLU()
                self.plan.append((layer.name, kind, sources, pad))
            self.inputs = model.layers[0].name

        def forward(self, x: Any) -> Any:
            known = {self.inputs: x}
            for name, kind, sources, pad in self.plan:
                values = [known[source] for source in sources]
                if kind == "Add":
                    known[name] = values[0] + values[1]
                elif kind == "Concatenate":
                    known[name] = torch.cat(values, 1)
                elif kind == "UpSampling2D":
                    known[name] = functional.interpolate(values[0], scale_factor=2.0)
                elif kind == "MaxPooling2D":
                    known[name] = functional.max_pool2d(values[0], 2)
                elif kind == "DepthToSpace":
                    known[name] = functional.pixel_shuffle(values[0], 2)
                elif pad is not None and any(pad):
                    known[name] = self.parts[name](functional.pad(values[0], pad))
                else:
                    known[name] = self.parts[name](values[0])
            return known[name]

    return Network()


def operations(model: Any) -> int:
    """Count the multiplications and additions of the convolutions for one slice."""
    total = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in {"Conv2D", "DepthwiseConv2D"}:
            total += 2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
        elif kind == "Conv2DTranspose":
            total += 2 * math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
    return total


def matrix_rate(make: Callable[[int], Callable[[], None]]) -> float:
    """Return the operations per second of the multiplication of large matrices."""
    side = 1024
    while True:
        run = make(side)
        run()
        seconds = median(run)
        if seconds > 0.02 or side >= 16384:
            return 2 * side**3 / seconds
        side *= 2


def first(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def median(run: Callable[[], None]) -> float:
    return statistics.median(first(run) for _ in range(3))


def report(
    name: str, on_gpu: bool, compiling: float, step: float, batch: int, model: Any, rate: float
) -> None:
    share = 3 * operations(model) * batch / step / rate
    print(
        f"{name:34} {'GPU' if on_gpu else 'CPU'}  {1e3 * step:8.1f} ms a step  "
        f"{batch / step:8.1f} slices/s  {EPOCH / batch * step:7.1f} s an epoch  "
        f"{100 * share:5.1f} % of {rate / 1e12:.2f} TFLOP/s  (first {compiling:.0f} s)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", default="efficientnet-lite0")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument(
        "--steps",
        type=int,
        default=5,
        help="in each of three measurements; on a GPU 64 or more, so that starting does not count",
    )
    parser.add_argument("--only", choices=(*BACKENDS, PLAIN), action="append")
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        kind, policy = options.row
        if kind == PLAIN:
            by_plain_torch(options.architecture, options.batch, options.steps)
        else:
            by_keras(options.architecture, policy, options.batch, options.steps)
        return
    rows = [*itertools.product(BACKENDS, POLICIES), (PLAIN, "mixed_bfloat16")]
    for kind, policy in rows:
        if options.only and kind not in options.only:
            continue
        needed = "torch" if kind == PLAIN else kind
        if find_spec(needed) is None:
            print(f"{needed} is not installed")
            continue
        command = [
            sys.executable, __file__, "--architecture", options.architecture,
            "--batch", str(options.batch), "--steps", str(options.steps), "--row", kind, policy,
        ]  # fmt: skip
        result = subprocess.run(
            command,
            env=os.environ | {"KERAS_BACKEND": needed},
            capture_output=True,
            text=True,
            check=False,
        )
        print(result.stdout or f"{kind} {policy}: {result.stderr[-800:]}", end="", flush=True)


if __name__ == "__main__":
    main()
