"""What averaging over mirror images and neighbouring slices brings on the inner splits of a run.

    python benchmarks/averaging.py DATASET --networks RUN [--against WAY]

Each network segments the patients that were set aside when it was trained. Calibration and
threshold are fitted to them anew for each way to average. Differences are from one of them,
by default from the mean of a slice and its left-right mirror image, which `lggshape segment` takes.
They are paired by volume, and have standard errors.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from inner_split import inner_cases
from scipy.ndimage import correlate1d

from lggshape.evaluation.scores import score_masks
from lggshape.readers import open_cases
from lggshape.segmentation import read_ensemble
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.inference.predictor import Predictor
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.training.fit_calibration import fit_to_inner_split

FLIPS = ((), (1,), (2,), (1, 2))
SHIPPED = "none and left-right"
WAYS = {
    "four flips": ([0, 1, 2, 3], 0.0),
    "none": ([0], 0.0),
    "up-down alone": ([1], 0.0),
    "left-right alone": ([2], 0.0),
    SHIPPED: ([0, 2], 0.0),
    f"{SHIPPED}, 1/8 of each next slice": ([0, 2], 0.125),
    f"{SHIPPED}, 1/4 of each next slice": ([0, 2], 0.25),
}
"""The flips that are averaged, and the share of each of the two neighbouring slices."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--networks", type=Path, required=True)
    parser.add_argument(
        "--against", choices=WAYS, default=SHIPPED, help="what differences are from"
    )
    options = parser.parse_args()
    sources = {source.id: source for source in open_cases(options.dataset)}
    ensemble = read_ensemble(options.networks)
    predictor = Predictor(ensemble.configuration)
    rows = []
    for member in ensemble.members:
        predictor.load(member.weights)
        cases = [sources[name].read() for name in inner_cases(member)]
        masks = [case.mask for case in cases]
        predicted = []
        for case in cases:
            volume = prepare_input(case, ensemble.configuration)
            flipped = predictor.predict(volume.codes, flips=FLIPS)
            predicted.append(np.stack([volume.restore(one) for one in flipped]))
        for way, (numbers, share) in WAYS.items():
            across = [share, 1 - 2 * share, share]
            means = [
                correlate1d(flips[numbers].mean(axis=0), across, axis=0, mode="nearest")
                for flips in predicted
            ]
            fitted = fit_to_inner_split(means, masks)
            for case, mean in zip(cases, means, strict=True):
                probability = fitted.calibration.apply(mean)
                found = select_component(probability, fitted.threshold).mask
                scores = score_masks(found, case.mask)
                key = {"way": way, "volume": f"{member.name} {case.id}"}
                rows.append(key | {"dice": scores.dice, "surface": scores.surface_dice})
    table = pd.DataFrame(rows).pivot(index="volume", columns="way")
    print(f"{len(table)} volumes")
    for score in ("dice", "surface"):
        values = table[score][list(WAYS)]
        change = values.sub(values[options.against], axis=0)
        error = change.std(ddof=1) / np.sqrt(len(values))
        summary = {"mean": values.mean(), "difference": change.mean(), "standard error": error}
        print(f"\n{score}\n{pd.DataFrame(summary).to_string(float_format='%.4f')}")


if __name__ == "__main__":
    main()
