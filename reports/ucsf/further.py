"""Write the sensitivity analyses of the protocol, and the three cohorts as a table and a figure.

    python reports/ucsf/further.py DATA

DATA is the folder with the data sets. Writes sensitivity_populations.csv, cohorts.csv and
cohorts.svg beside this file.
"""

import argparse
from pathlib import Path

from lggshape.association import read_family
from lggshape.figures import render
from lggshape.files import write_table
from lggshape.studies.ucsf.cohorts import describe, three_cohorts
from lggshape.studies.ucsf.cohorts_figure import cohorts_figure
from lggshape.studies.ucsf.populations import in_populations

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    family = read_family(ROOT / "lggshape" / "studies" / "ucsf" / "ucsf.toml")
    idh = next(one.levels for one in family.labels if one.name == "IDH")
    tables = data / "external" / "ucsf_pdgm"
    features, labels = (
        tables / name for name in ("radiomic_features_T1gad_bias.csv", "UCSF-PDGM-metadata_v2.csv")
    )
    write_table(HERE / "sensitivity_populations.csv", in_populations(features, labels, family))
    masks = ROOT / "reports" / "segmentation" / "masks"
    cohorts = describe(three_cohorts(data, masks, idh))
    write_table(HERE / "cohorts.csv", cohorts)
    (HERE / "cohorts.svg").write_text(render(cohorts_figure(cohorts)).svg, encoding="utf-8")


if __name__ == "__main__":
    main()
