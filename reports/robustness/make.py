"""Segment the 110 patients out of fold, with images changed as preprocessing changes them.

    python reports/robustness/make.py kaggle_3m WORK

An image that WORK has already is not segmented again, so the script can be stopped and resumed.
Writes `cases.csv`, `summary.csv` and the tables of the README. What is done to the images is in
`protocol.md`.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, binary_erosion
from scipy.stats import bootstrap

from lggshape.case import FLAIR, Case
from lggshape.files import read_json, write_json, write_table, write_text
from lggshape.head import find_head
from lggshape.masks import dice
from lggshape.readers import open_cases
from lggshape.segmentation import SHIPPED, Segmenter, read_ensemble
from lggshape.segmentation.preprocessing.frame import FIELD_OF_VIEW
from lggshape.studies.buda2019.report.readme import fill

HERE = Path(__file__).parent
NATIVE = "native"
RIM = 11
WORST = 5
SLICES, PIXELS, DEGREES = 5, 1.2, (3, 10)
SLICE_DISTANCE = 5.0
Mask = NDArray[np.bool_]


def same(mask: Mask) -> Mask:
    return mask


def flair_alone(case: Case) -> tuple[Case, Callable[[Mask], Mask]]:
    flair = case.image[..., [case.sequences.index(FLAIR)]]
    return replace(case, image=flair, sequences=(FLAIR,)), same


def skull_removed(case: Case, rim: int = RIM) -> tuple[Case, Callable[[Mask], Mask]]:
    plus = np.zeros((3, 3, 3), dtype=bool)
    plus[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    head = find_head(case.image[..., case.sequences.index(FLAIR)])
    brain = binary_erosion(head, plus, iterations=rim)
    return replace(case, image=np.where(brain[..., None], case.image, 0)), same


def other_grid(case: Case) -> tuple[Case, Callable[[Mask], Mask]]:
    rng = np.random.default_rng(crc32(case.id.encode()))
    angle = np.deg2rad(rng.uniform(*DEGREES) * rng.choice([-1, 1]))
    slices, height, width = case.image.shape[:3]
    side = np.ceil((height * np.abs(np.sin(angle)) + width * np.abs(np.cos(angle))) / PIXELS)
    shape = np.array([SLICES * slices, side, side], dtype=int)
    scaled = np.diag([1 / SLICES, PIXELS, PIXELS])
    scaled[1:, 1:] = PIXELS * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    middle = (np.array(case.image.shape[:3]) - 1) / 2
    offset = middle - scaled @ ((shape - 1) / 2)

    def on_new(values: NDArray[np.generic]) -> NDArray[np.float32]:
        plane = values.astype(np.float32)
        return affine_transform(plane, scaled, offset, shape, order=1, mode="nearest")

    def back(mask: Mask) -> Mask:
        inverse = np.linalg.inv(scaled)
        share = affine_transform(
            mask.astype(np.float32), inverse, -inverse @ offset, case.image.shape[:3], order=1
        )
        return share >= 0.5

    image = np.stack([on_new(case.image[..., c]) for c in range(case.image.shape[3])], axis=-1)
    pixel = PIXELS * FIELD_OF_VIEW / max(height, width)
    geometry = replace(case.geometry, spacing=(SLICE_DISTANCE / SLICES, pixel, pixel))
    return replace(case, image=image, geometry=geometry), back


WAYS = {
    "flair-alone": flair_alone,
    "skull-removed": skull_removed,
    "other-grid": other_grid,
}


def segment_all(dataset: Path, work: Path) -> None:
    """Segment every patient in every way, and keep the Dice."""
    work.mkdir(parents=True, exist_ok=True)
    segmenter = Segmenter(read_ensemble(SHIPPED))
    for way, change in WAYS.items():
        for source in open_cases(dataset):
            place = work / f"{way}-{source.id}.json"
            if place.exists():
                continue
            case = source.read()
            changed, back = change(replace(case, mask=None))
            found = segmenter.segment(changed)
            row = {
                "case": source.id, "patient": source.patient, "fold": found.fold, "way": way,
                "dice": dice(back(found.mask), case.mask), "check": found.check.verdict,
            }  # fmt: skip
            write_json(place, row)
            print(place.stem, f"{row['dice']:.3f}", flush=True)


def native_images() -> pd.DataFrame:
    """Return the Dice of the native images, which were segmented for the quality flag."""
    scores = pd.read_csv(HERE.parent / "quality-flag" / "scores.csv")
    native = scores.loc[scores["kind"] == NATIVE, ["case", "patient", "fold", "dice"]]
    return native.assign(way=NATIVE)


def summarise(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the Dice by way, and the paired differences from the native images."""
    wide = cases.pivot(index="patient", columns="way", values="dice")
    rows = []
    for way in (NATIVE, *WAYS):
        scores = wide[way]
        row = {
            "way": way, "n": len(scores), "dice_mean": scores.mean(),
            "dice_median": scores.median(), "below_0.7": int((scores < 0.7).sum()),
            "below_0.4": int((scores < 0.4).sum()),
        }  # fmt: skip
        if way != NATIVE:
            change = (scores - wide[NATIVE]).to_numpy()
            ends = bootstrap((change,), np.mean, rng=np.random.default_rng(0)).confidence_interval
            row |= {"difference": change.mean(), "low": ends.low, "high": ends.high}
            row |= {
                "median_difference": np.median(change),
                "lose_0.05": int((change < -0.05).sum()),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def parts(summary: pd.DataFrame, cases: pd.DataFrame) -> dict[str, str]:
    """Return the tables of the README: the summary, and the patients that lose most."""
    lines = [
        "| images | Dice, mean | median | below 0.7 | below 0.4 | difference from native (95 % "
        "interval) | median difference | lose more than 0.05 |",
        f"|{' --- |' * 8}",
    ]
    for row in summary.to_dict("records"):
        cells = [f"`{row['way']}`", f"{row['dice_mean']:.3f}", f"{row['dice_median']:.3f}"]
        cells += [f"{row['below_0.7']}", f"{row['below_0.4']}"]
        if row["way"] == NATIVE:
            cells += ["–"] * 3
        else:
            ends = f"({row['low']:+.3f} to {row['high']:+.3f})"
            cells += [f"{row['difference']:+.3f} {ends}", f"{row['median_difference']:+.3f}"]
            cells += [f"{row['lose_0.05']:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    wide = cases.pivot(index="patient", columns="way", values="dice")
    losses = ["| images | patients with the largest losses: Dice, native Dice |", "| --- | --- |"]
    for way in WAYS:
        worst = (wide[way] - wide[NATIVE]).sort_values().index[:WORST]
        named = (
            f"{patient} {wide[way][patient]:.2f}, {wide[NATIVE][patient]:.2f}" for patient in worst
        )
        losses.append(f"| `{way}` | {'; '.join(named)} |")
    return {
        "summary": "\n".join(lines).replace("-0", "−0"),
        "losses": "\n".join(losses),
    }


def main() -> None:
    """Do all of it."""
    dataset, work = map(Path, sys.argv[1:])
    segment_all(dataset, work)
    changed = pd.DataFrame([read_json(path) for path in sorted(work.glob("*.json"))])
    cases = pd.concat([native_images(), changed], ignore_index=True)
    write_table(HERE / "cases.csv", cases)
    summary = summarise(cases)
    write_table(HERE / "summary.csv", summary)
    readme = HERE / "README.md"
    write_text(readme, fill(readme.read_text(encoding="utf-8"), parts(summary, cases)))


if __name__ == "__main__":
    main()
