"""Print conclusions.csv: the tests that decide by the protocol, with Holm's correction.

python reports/ucsf/conclude.py > reports/ucsf/conclusions.csv
"""

import sys
from pathlib import Path

import pandas as pd

from lggshape.statistics import adjust

COLUMNS = [
    "role", "feature", "label", "test", "n", "events", "p", "p_holm", "effect_name", "effect",
    "effect_low", "effect_high", "vif",
]  # fmt: skip

models = pd.read_csv(Path(__file__).with_name("adjusted.csv"))
rows = models[models["model"] == "adjusted"].reset_index(drop=True)
rows["role"] = ["primary", *["secondary"] * (len(rows) - 1)]
rows["p_holm"] = [rows["p"][0], *adjust(rows["p"][1:].to_numpy()).holm]
rows["events"] = rows["events"].astype("Int64")
rows[COLUMNS].to_csv(sys.stdout, index=False)
