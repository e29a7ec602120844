"""What fewer networks, slices and mirror images, and slabs of thin slices, cost in Dice.

    python benchmarks/fewer_networks.py CASES [--pattern PATTERN] [--mask-values 1,2] [--every 5]

Each case, with image and mask, is segmented in several ways by the networks that have not seen the
patient. Printed are the Dice of each case with its mask, the mean, and the CPU time of all cases
together, without reading the cases. `--every` takes every so many of the cases.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lggshape.case import Case
from lggshape.masks import dice
from lggshape.readers import open_cases
from lggshape.segmentation import SHIPPED, Segmenter, read_ensemble
from lggshape.segmentation.inference.effort import EFFORTS
from lggshape.segmentation.inference.network_cache import Networks
from lggshape.segmentation.preprocessing.slabs import THICKEST
from lggshape.segmentation.run.folder import Member

ENSEMBLE = read_ensemble(SHIPPED)


class Way(NamedTuple):
    """A way to segment: by how many networks, with which effort, and whether slabs are made."""

    networks: int | None
    effort: str
    slabs: bool = True

    def __str__(self) -> str:
        networks = "all networks" if self.networks is None else f"at most {self.networks}"
        return f"{self.effort}, {networks}{'' if self.slabs else ', no slabs'}"


WAYS = [
    Way(None, "thorough"),
    Way(None, "usual"),
    *(Way(networks, "usual") for networks in (5, 2, 1)),
    Way(2, "fast"),
    Way(2, "fast", slabs=False),
]


@cache
def segmenter(members: tuple[Member, ...], effort: str) -> Segmenter:
    return Segmenter(replace(ENSEMBLE, members=members), effort=effort)


def rows_of(case: Case) -> Iterator[dict]:
    unseen, _ = Networks(ENSEMBLE, task="segmentation").unseen_by(case)
    for way in WAYS:
        members = EFFORTS[way.effort]._replace(networks=way.networks).choose(unseen)
        shown = case
        if not way.slabs and case.geometry.spacing is not None:
            # Slices so far apart are left as they are.
            z, y, x = case.geometry.spacing
            shown = replace(case, geometry=replace(case.geometry, spacing=(max(z, THICKEST), y, x)))
        start = time.process_time()
        mask = segmenter(tuple(members), way.effort).segment(shown).mask
        seconds = time.process_time() - start
        yield {"case": case.id, "way": str(way), "dice": dice(mask, case.mask), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--pattern", default="")
    parser.add_argument("--mask-values", default="")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    values = [int(value) for value in options.mask_values.split(",") if value]
    sources = open_cases(options.cases, pattern=options.pattern, mask_values=values)
    rows = []
    for source in sources[:: options.every]:
        for row in rows_of(source.read()):
            rows.append(row)
            print(*row.values(), flush=True)
    table = pd.DataFrame(rows)
    found = table.pivot_table("dice", "way", "case", sort=False)
    summary = found.assign(
        mean=found.mean(axis=1), lowest=found.min(axis=1),
        seconds=table.groupby("way")["seconds"].sum(),
    )  # fmt: skip
    shown = summary if len(sources) < 10 else summary[["mean", "lowest", "seconds"]]
    print(f"\n{len(found.columns)} cases\n{shown.to_string(float_format='%.3f')}")


if __name__ == "__main__":
    main()
