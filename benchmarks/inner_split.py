"""How good the networks of a run are on the patients of their inner splits.

    python benchmarks/inner_split.py DATASET --networks RUN [--networks RUN]...

Recipes are chosen by what this prints, and by nothing that is computed from the patients who are
held out. Each network segments the patients that were set aside when it was trained, with its own
calibration and threshold. The threshold was fitted to these same patients; Dice at one half is
printed beside it. Features are given as the median of their quotient with those of the reference
mask: below 1 for ASD and MF says that the outlines are too smooth.
"""

import argparse
from pathlib import Path

import pandas as pd

from lggshape.evaluation.scores import score_masks
from lggshape.readers import open_cases
from lggshape.segmentation import read_ensemble
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.inference.predictor import FLIPS, Predictor
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.run.folder import Member, read_json
from lggshape.shape import extract_features

QUOTIENTS = {
    "BEVR": "bounding_ellipsoid_volume_ratio",
    "MF": "margin_fluctuation",
    "ASD": "angular_standard_deviation_offset_averaged",
}


def inner_cases(member: Member) -> list[str]:
    path = member.weights.with_name("network.json")
    return list(read_json(path, ("inner_dice",))["inner_dice"])


def rows_of(member: Member, predictor: Predictor, sources: dict) -> list[dict]:
    predictor.load(member.weights)
    rows = []
    for name in inner_cases(member):
        case = sources[name].read()
        volume = prepare_input(case, predictor.configuration)
        predicted = predictor.predict(volume.codes, flips=FLIPS).mean(axis=0)
        probability = volume.restore(member.calibration.apply(predicted))
        mask = select_component(probability, member.threshold).mask
        scores = score_masks(mask, case.mask)
        row = {
            "case": name,
            "dice": scores.dice,
            "at_half": score_masks(select_component(probability, 0.5).mask, case.mask).dice,
            "surface_1": scores.surface_dice,
            "surface_2": score_masks(mask, case.mask, tolerance=2).surface_dice,
        }
        found, reference = (extract_features(one).values for one in (mask, case.mask))
        row |= {symbol: found[name] / reference[name] for symbol, name in QUOTIENTS.items()}
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--networks", type=Path, action="append", required=True)
    options = parser.parse_args()
    sources = {source.id: source for source in open_cases(options.dataset)}
    table = {}
    for run in options.networks:
        ensemble = read_ensemble(run)
        predictor = Predictor(ensemble.configuration)
        rows = [row for member in ensemble.members for row in rows_of(member, predictor, sources)]
        values = pd.DataFrame(rows).set_index("case")
        quotients = list(QUOTIENTS)
        table[run.name] = {
            "n": len(values),
            **values.drop(columns=quotients).mean(),
            "median dice": values["dice"].median(),
            "lowest dice": values["dice"].min(),
            **values[quotients].median(),
        }
    print(pd.DataFrame(table).T.to_string(float_format="%.3f"))


if __name__ == "__main__":
    main()
