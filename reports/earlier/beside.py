"""The study on masks of the earlier networks beside the study on masks of the bundled ones.

    python reports/earlier/beside.py

Of every hypothesis: Fisher's p of the quartiles with Cramer's V, Kruskal-Wallis' p of the values
with epsilon squared. Of every feature: Spearman's correlation of each two kinds of masks
over the patients, and how many are in another quartile. All from the tables that are published.
"""

from itertools import combinations
from pathlib import Path

import pandas as pd

from lggshape.statistics.quantiles import quantile_bins

REPORTS = Path(__file__).parents[1]
KINDS = {
    "manual": (REPORTS / "buda2019", "manual"),
    "first": (REPORTS / "earlier" / "buda2019", "automatic"),
    "second": (REPORTS / "buda2019", "automatic"),
}
FEATURES = ("angular_standard_deviation", "margin_fluctuation", "bounding_ellipsoid_volume_ratio")
HYPOTHESIS = ["feature", "label"]
TESTS = {"primary analysis": "quartiles", "none: Kruskal-Wallis": "values"}


def main() -> None:
    tests, features = {}, {}
    for name, (folder, masks) in KINDS.items():
        tests[name] = pd.read_csv(folder / "sensitivity.csv").query(f"masks == '{masks}'")
        features[name] = pd.read_csv(folder / "features.csv").query(f"masks == '{masks}'")
    for analysis, title in TESTS.items():
        chosen = {
            name: table.query(f"analysis == '{analysis}'").set_index(HYPOTHESIS)[["p", "effect"]]
            for name, table in tests.items()
        }
        side = pd.concat(chosen, axis="columns")
        print(f"\n{title}\n{side.to_string(float_format='%.2g')}")
    for feature in FEATURES:
        columns = {name: table.set_index("patient")[feature] for name, table in features.items()}
        values = pd.DataFrame(columns).dropna()
        bins = values.apply(lambda column: quantile_bins(column.to_numpy()).codes)
        print(f"\n{feature}, n {len(values)}")
        for one, other in combinations(values, 2):
            rank = values[one].corr(values[other], method="spearman")
            moved = int((bins[one] != bins[other]).sum())
            print(f"{one} and {other}: Spearman {rank:.3f}, in another quartile {moved}")


if __name__ == "__main__":
    main()
