"""How fast and in how much memory cases are segmented, beside the same network in PyTorch.

    python benchmarks/inference.py kaggle_3m --networks RUN --cases 8

The peer is the same U-Net on EfficientNet-Lite0, written with PyTorch and given the weights of the
run: the largest difference of a probability is printed first. Both predict all
slices of the cases from the same codes, in turn, and the medians of several rounds are compared.
Then the whole command is run on the cases.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from commands import PROGRAM, run
from torch import nn
from torch.nn import functional

from lggshape.readers import open_cases
from lggshape.segmentation import read_ensemble
from lggshape.segmentation.inference.predictor import FLIPS, Predictor
from lggshape.segmentation.networks.efficientnet import PREFIX
from lggshape.segmentation.preprocessing.intensities import LOWEST, STEP
from lggshape.segmentation.preprocessing.network_input import prepare_input, with_neighbours
from lggshape.segmentation.run.folder import read_weights

BATCH = 16
STAGES = ((1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1))
"""Blocks, kernel and first stride of the stages of EfficientNet-Lite0."""


class Peer(nn.Module):
    """The U-Net on EfficientNet-Lite0 in PyTorch, with the weights of a file of this package."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.kept = weights

        def tensor(name: str) -> nn.Parameter:
            values = torch.from_numpy(weights[name].astype(np.float32))
            return nn.Parameter(values, requires_grad=False)

        self.tensors = nn.ParameterDict()
        for name in weights:
            values = tensor(name)
            if name.endswith("depthwise_conv/kernel"):
                values.data = values.data.permute(2, 3, 0, 1).contiguous()
            elif values.ndim == 4:
                values.data = values.data.permute(3, 2, 0, 1).contiguous()
            self.tensors[self.key(name)] = values

    @staticmethod
    def key(name: str) -> str:
        return name.replace("/", "_").replace(".", "_")

    def get(self, name: str) -> torch.Tensor:
        return self.tensors[self.key(name)]

    def convolved(self, x: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        kernel = self.get(f"{name}/kernel")
        size = kernel.shape[-1]
        groups = x.shape[1] if "depthwise" in name else 1
        if stride == 2:  # as TensorFlow pads: more at the end
            before = (size - 2) // 2
            x = functional.pad(x, (before, size - 2 - before) * 2)
            return functional.conv2d(x, kernel, stride=2, groups=groups)
        return functional.conv2d(x, kernel, padding=size // 2, groups=groups)

    def normalised(self, x: torch.Tensor, name: str, epsilon: float = 1e-3) -> torch.Tensor:
        mean, variance = self.get(f"{name}/moving_mean"), self.get(f"{name}/moving_variance")
        gamma, beta = self.get(f"{name}/gamma"), self.get(f"{name}/beta")
        return functional.batch_norm(x, mean, variance, gamma, beta, eps=epsilon)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        values = codes.permute(0, 3, 1, 2).to(torch.float32)
        x = torch.where(values == 0, 0.0, (values - 1) * STEP + LOWEST)
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.convolved(x, f"{PREFIX}stem_conv", 2)
        x = functional.relu6(self.normalised(x, f"{PREFIX}stem_norm"))
        maps, number = [], 0
        for blocks, _, first_stride in STAGES:
            if first_stride == 2:
                maps.append(x)
            for block in range(blocks):
                name, shortcut = f"{PREFIX}block{number}", x
                if number:
                    x = self.convolved(x, f"{name}_expand_conv")
                    x = functional.relu6(self.normalised(x, f"{name}_expand_norm"))
                x = self.convolved(x, f"{name}_depthwise_conv", 1 if block else first_stride)
                x = functional.relu6(self.normalised(x, f"{name}_depthwise_norm"))
                x = self.convolved(x, f"{name}_project_conv")
                x = self.normalised(x, f"{name}_project_norm")
                x = x + shortcut if block else x
                number += 1
        for level in range(1, 5):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = torch.cat([x, maps[-level]], dim=1)
            for part in ("a", "b"):
                x = self.convolved(x, f"decoder{level}{part}_conv")
                x = functional.relu(self.normalised(x, f"decoder{level}{part}_norm"))
        x = functional.conv2d(x, self.get("logits/kernel"), self.get("logits/bias"))
        # The four channels are the pixels of a block, row by row, as pixel_shuffle takes them.
        return torch.sigmoid(functional.pixel_shuffle(x, 2))[:, 0]


def peer_predict(
    peer: Callable[[torch.Tensor], torch.Tensor], codes: np.ndarray, configuration: object
) -> np.ndarray:
    result = np.empty((len(FLIPS), *codes.shape[:3]), dtype=np.float32)
    last = len(codes) - 1
    with torch.inference_mode():
        for start in range(0, len(codes), BATCH):
            places = np.arange(start, min(start + BATCH, len(codes)))
            ends = np.zeros_like(places), np.full_like(places, last)
            shown = with_neighbours(codes, places, *ends, configuration)
            for number, axes in enumerate(FLIPS):
                flipped = np.ascontiguousarray(np.flip(shown, axes))
                probability = peer(torch.from_numpy(flipped)).numpy()
                result[number, places] = np.flip(probability, axes)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--networks", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ensemble = read_ensemble(options.networks)
    configuration = ensemble.configuration
    if configuration.architecture != "efficientnet-lite0":
        sys.exit("Expected networks of the architecture efficientnet-lite0: the peer is one.")
    member = ensemble.members[0]
    # A case that failed in the training has no fold.
    found = open_cases(options.dataset)
    sources = [source for source in found if ensemble.folds.get(source.patient) == member.fold]
    sources = sources[: options.cases]
    if not sources:
        sys.exit(f"Expected cases of fold {member.fold}, found none: {options.dataset}.")
    volumes = [prepare_input(source.read(mask=False), configuration).codes for source in sources]
    slices = sum(map(len, volumes))
    weights = read_weights(member.weights)
    predictor, peer = Predictor(configuration), Peer(weights).eval()
    predictor.load(member.weights)
    ours = predictor.predict(volumes[0], flips=FLIPS)  # also warms both up
    difference = np.abs(ours - peer_predict(peer, volumes[0], configuration)).max()
    print(f"largest difference of a probability from the peer: {difference:.1e}")
    ways = {
        "lggshape": lambda codes: predictor.predict(codes, flips=FLIPS),
        "PyTorch": lambda codes: peer_predict(peer, codes, configuration),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, predict in ways.items():
            start = time.perf_counter()
            for codes in volumes:
                predict(codes)
            seconds[name].append(time.perf_counter() - start)
    for name, times in seconds.items():
        rate = slices / statistics.median(times)
        print(f"{name}: {rate:.1f} slices a second, two flips each ({slices} slices)")
    out = Path(tempfile.mkdtemp())
    try:
        paths = [str(source.path) for source in sources]
        command = [str(PROGRAM), "segment", *paths, "--out", str(out / "masks")]
        wall, peak = run([*command, "--networks", str(options.networks)])
    finally:
        shutil.rmtree(out)
    print(f"lggshape segment: {wall:.1f} s, {slices / wall:.1f} slices a second, start included")
    print(f"largest memory: {peak / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
