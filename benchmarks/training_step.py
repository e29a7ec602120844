"""How long a training step takes on each backend of Keras, in float32 and in mixed bfloat16.

    python benchmarks/training_step.py --architecture efficientnet-lite0

A step is augmentation, forward and backward pass and update, of a batch of 16 slices cut to the
side of the default settings. Each backend runs as a process of its own; the first step, which
compiles, is printed apart. A backend that is not installed is left out.
"""

import argparse
import dataclasses
import itertools
import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec

BACKENDS = ("tensorflow", "jax", "torch")
POLICIES = ("float32", "mixed_bfloat16")
BATCH = 16


def measure(architecture: str, policy: str, steps: int) -> None:
    import numpy as np

    from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration
    from lggshape.segmentation._backend import keras
    from lggshape.segmentation.augmentation import draw
    from lggshape.segmentation.configuration import crop_of
    from lggshape.segmentation.learner import make_learner
    from lggshape.segmentation.networks import build

    network = NetworkConfiguration(architecture=architecture)
    training = TrainingConfiguration(encoder_weights="none", batch=BATCH)
    crop = crop_of(network, training)
    model = build(dataclasses.replace(network, size=crop), policy=policy)
    learner = make_learner(model, training, steps=100)
    rng = np.random.default_rng(0)
    shape = (BATCH, network.size, network.size)
    codes = rng.integers(1, 256, (*shape, network.channels)).astype(np.uint8)
    masks = (rng.random(shape) > 0.9).astype(np.uint8)
    ends: list[float] = [time.perf_counter()]

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            ends.append(time.perf_counter())

    def batches() -> object:
        while True:
            yield ((codes, masks, *draw(rng, BATCH, network, crop=crop, sequence_dropout=0.3)),)

    learner.fit(batches(), steps_per_epoch=steps + 1, shuffle=False, verbose=0, callbacks=[Clock()])
    first, *others = [end - start for start, end in itertools.pairwise(ends)]
    print(
        f"{keras.backend.backend():10} {policy:14} {statistics.median(others):6.2f} s "
        f"(first {first:.0f} s), crop {crop}, {model.count_params():,} parameters"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", default="efficientnet-lite0")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--policy", choices=POLICIES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.policy:
        measure(options.architecture, options.policy, options.steps)
        return
    for backend in BACKENDS:
        if find_spec(backend) is None:
            print(f"{backend:10} is not installed")
            continue
        for policy in POLICIES:
            settings = ["--architecture", options.architecture, "--steps", str(options.steps)]
            command = [sys.executable, __file__, *settings, "--policy", policy]
            result = subprocess.run(
                command,
                env=os.environ | {"KERAS_BACKEND": backend},
                capture_output=True,
                text=True,
                check=False,
            )
            print(
                result.stdout or f"{backend} {policy}: {result.stderr[-500:]}", end="", flush=True
            )


if __name__ == "__main__":
    main()
