"""Fit calibration and threshold of the networks of a run anew, on their inner splits.

    python reports/segmentation/recalibrate.py DATASET --run RUN

For networks that were trained before the images, the flips or the masks were treated as they are
now, or before weights had 8 bits: these are rounded first. A run that is trained now is calibrated
as it is predicted.
"""

import argparse
from pathlib import Path

from lggshape.files import write_json
from lggshape.readers import open_cases
from lggshape.segmentation import read_ensemble
from lggshape.segmentation.inference.predictor import FLIPS, Predictor
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.run.folder import NETWORK, read_json, read_weights, write_weights
from lggshape.segmentation.training.fit_calibration import fit_to_inner_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    sources = {source.id: source for source in open_cases(options.dataset)}
    ensemble = read_ensemble(options.run)
    predictor = Predictor(ensemble.configuration)
    for member in ensemble.members:
        write_weights(member.weights, read_weights(member.weights))
        predictor.load(member.weights)
        record = member.weights.with_name(NETWORK)
        content = read_json(record, ("inner_dice",))
        cases = [sources[name].read() for name in content["inner_dice"]]
        volumes = [prepare_input(case, ensemble.configuration) for case in cases]
        probabilities = [
            volume.restore(predictor.predict(volume.codes, flips=FLIPS).mean(axis=0))
            for volume in volumes
        ]
        fitted = fit_to_inner_split(probabilities, [case.mask for case in cases])
        content["calibration"] = fitted.calibration._asdict()
        content["threshold"] = fitted.threshold
        names = list(content["inner_dice"])
        content["inner_dice"] = {
            name: round(score, 4) for name, score in zip(names, fitted.dice, strict=True)
        }
        write_json(record, content)
        print(f"{member.name}: threshold {fitted.threshold}, {fitted.calibration}")


if __name__ == "__main__":
    main()
