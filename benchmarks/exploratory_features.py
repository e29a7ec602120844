"""Exploratory features: agreement of automatic with manual masks, and association with labels.

    python benchmarks/exploratory_features.py kaggle_3m reports/segmentation/masks \
        --labels kaggle_3m/data.csv

Printed for each feature that is not tested by default, and for the three of the study beside them:
the intraclass correlation of its values on automatic and manual masks (absolute agreement, with its
interval), its rank correlation with the area of the contour and with the margin fluctuation, and
the smallest p-values among the labels. These were looked for, not predicted: they are exploratory.
Features that need the spacing are missing without `--spacing`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lggshape.association import Hypothesis, associate, choose_family
from lggshape.labels import read_labels
from lggshape.shape import FEATURES, feature_table
from lggshape.statistics.agreement import intraclass_correlation

AREA, FLUCTUATION = "largest_area", "margin_fluctuation"
OF_THE_STUDY = ("angular_standard_deviation", FLUCTUATION, "bounding_ellipsoid_volume_ratio")
EXPLORATORY = tuple(name for name, one in FEATURES.items() if one.is_exploratory)
SHOWN = 10


def agreement(manual, automatic):
    rows = []
    for name in (*OF_THE_STUDY, *EXPLORATORY):
        both = pd.concat([manual[name], automatic[name]], axis=1).dropna().to_numpy()
        if not len(both):
            continue
        icc = intraclass_correlation(both)
        quartiles = manual[name].quantile([0, 0.25, 0.5, 0.75, 1])
        ranks = [manual[name].corr(manual[other], "spearman") for other in (AREA, FLUCTUATION)]
        rows.append([name, len(both), *icc, *quartiles, *ranks])
    measures = ["icc", "low", "high", "minimum", "q1", "median", "q3", "maximum"]
    return pd.DataFrame(rows, columns=["feature", "n", *measures, "rho_area", "rho_mf"])


def associations(table, labels):
    """Test the exploratory features against the labels that the default family tests."""
    family = choose_family("all", table, labels)
    measured = [name for name in EXPLORATORY if table[name].nunique() > 1]
    names = dict.fromkeys(hypothesis.label for hypothesis in family.hypotheses)
    pairs = tuple(Hypothesis(feature, label) for label in names for feature in measured)
    study = associate(table, labels, replace(family, hypotheses=pairs))
    columns = ["feature", "label", "n", "effect", "effect_low", "effect_high", "p", "p_holm"]
    return len(pairs), study.associations.sort_values("p")[columns].head(SHOWN)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("--labels", type=Path, action="append", default=[])
    parser.add_argument("--spacing", type=float, nargs=3)
    arguments = parser.parse_args()
    manual, automatic = (
        feature_table(path, spacing=arguments.spacing).table
        for path in (arguments.dataset, arguments.masks)
    )
    pd.set_option("display.width", 250, "display.max_columns", 20)
    by_case = (table.set_index("case") for table in (manual, automatic))
    print(agreement(*by_case).round(3).to_string(index=False))
    if arguments.labels:
        labels = read_labels(arguments.labels)
        for kind, table in (("manual", manual), ("automatic", automatic)):
            number, found = associations(table, labels)
            print(f"\nexploratory: the smallest of {number} p-values, {kind} masks")
            print(found.to_string(index=False))


if __name__ == "__main__":
    main()
