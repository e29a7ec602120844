"""Score the flag on public cases that nothing was chosen by.

    python reports/quality-flag/external.py brats2013

The folder holds a folder per case, as in the sample of BraTS 2013: skull-stripped images of 1 mm,
FLAIR and post-contrast, and the values 1 to 4 in the masks. Writes `external.csv`.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lggshape.files import write_table
from lggshape.masks import dice
from lggshape.readers import open_cases
from lggshape.readers.segmented import CHECK_COLUMNS
from lggshape.segmentation import SHIPPED, Segmenter, read_ensemble

PATTERN = "{case}/{role:OTMultiClass=mask}.nii.gz"


def main() -> None:
    segmenter = Segmenter(read_ensemble(SHIPPED))
    rows = []
    for source in open_cases(sys.argv[1], pattern=PATTERN, mask_values=(1, 2, 3, 4)):
        case = source.read()
        found = segmenter.segment(replace(case, mask=None))
        says = dict(zip(CHECK_COLUMNS, found.check, strict=True))
        score = dice(found.mask, case.mask)
        rows.append({"case": case.id, "dice": score, **says, **found.measures})
        print(case.id, f"{score:.3f}", says, flush=True)
    write_table(Path(__file__).with_name("external.csv"), pd.DataFrame(rows))


if __name__ == "__main__":
    main()
