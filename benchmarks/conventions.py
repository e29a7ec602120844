"""How much ASD depends on where its bins start, and on the points on their edges.

    python benchmarks/conventions.py kaggle_3m --labels kaggle_3m/data.csv --labels idh_1p19q.csv

Printed for the masks of a data set: by how much the angular standard deviation (ASD) changes with a
quarter-turn (bins that start 18 degrees later), how many masks have a contour point exactly on an
edge of a bin, and by how much their ASD differs from that of plain half-open bins. With label
tables, also the p-values of ASD in the hypotheses of the study for each of the three.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from lggshape.association import associate, read_study_family
from lggshape.labels import read_labels
from lggshape.masks import largest_component
from lggshape.readers import open_cases
from lggshape.shape import angular_standard_deviation, extract_features, trace_contour

ASD = "angular_standard_deviation"
KINDS = ("as defined", "quarter-turn", "half-open bins")


def measure(source):
    mask = source.read(image=False).mask
    slice_index = extract_features(mask).slice - 1
    contour = trace_contour(largest_component(mask)[slice_index])
    position = (contour.angles() + 180) / 36
    distances, bins = contour.distances(), np.floor(position) % 10
    return {
        "case": source.id,
        "patient": source.patient,
        "as defined": angular_standard_deviation(contour).value,
        "quarter-turn": angular_standard_deviation(contour, offset=18).value,
        "half-open bins": np.mean([distances[bins == one].std() for one in np.unique(bins)]),
        "on an edge": np.isclose(position, np.round(position), rtol=0, atol=1e-9).any(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--labels", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    table = pd.DataFrame(map(measure, open_cases(arguments.dataset, masks_only=True)))
    turned, half_open = (abs(table[kind] / table["as defined"] - 1) for kind in KINDS[1:])
    print(f"{len(table)} masks")
    print(f"change of ASD by a quarter-turn: {100 * turned.median():.1f} % in the median")
    print(f"masks with a point on an edge: {table['on an edge'].sum()}")
    print(f"change of ASD by half-open bins: {100 * half_open.max():.2f} % at most")
    if arguments.labels:
        # Kinds of mask are tested apart; here the kind is the convention.
        features = table.melt(["case", "patient"], KINDS, var_name="masks", value_name=ASD)
        preset = read_study_family("buda2019")
        family = replace(preset, hypotheses=tuple(h for h in preset.hypotheses if h.feature == ASD))
        tests = associate(features.assign(reason=""), read_labels(arguments.labels), family)
        print(tests.associations.pivot(index="label", columns="masks", values="p")[list(KINDS)])


if __name__ == "__main__":
    main()
