"""Publish a training run: its networks into the package, its masks and scores into this folder.

    python reports/segmentation/make.py DATASET --run RUN --labels DATASET/data.csv
        [--split SPLIT] [--hardware TEXT] [--note TEXT]

Copies the networks to `lggshape/segmentation/weights`, segments the data set with them (each
patient by the networks that were not trained on them), packs the masks, scores the packed masks,
takes the scores apart, scores phantoms that no network was trained on, and writes the model card.
SPLIT is a run on the split of a published nnU-Net, whose scores are written too.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from model_card import model_card, split_patients, write_card
from scipy.ndimage import label
from tifffile import imread

from lggshape.evaluation.scores import dice
from lggshape.figures import render, training_curve
from lggshape.files import write_figure, write_table
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.readers.packed import pack_masks
from lggshape.segmentation import read_ensemble
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.run.folder import CASES, CONFIGURATION, FOLDS, NETWORK, SHIPPED, WEIGHTS

HERE = Path(__file__).parent
THRESHOLDS = np.arange(0.05, 1, 0.05)


def lggshape(*arguments: object) -> tuple[float, float]:
    """Run a command; return its seconds, and the largest memory of any so far in MiB."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from lggshape_cli import app; app()", *map(str, arguments)]
    subprocess.run(command, check=True)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return time.perf_counter() - started, memory


def ship(run: Path) -> None:
    """Put the networks into the package, and their histories here."""
    read_ensemble(run)  # or nothing is replaced
    shutil.rmtree(SHIPPED, ignore_errors=True)
    SHIPPED.mkdir()
    for name in (CONFIGURATION, FOLDS, CASES):
        shutil.copyfile(run / name, SHIPPED / name)
    histories = []
    for network in sorted(run.glob(f"fold*-member*/{NETWORK}")):
        folder = SHIPPED / network.parent.name
        folder.mkdir()
        for name in (NETWORK, WEIGHTS):
            shutil.copyfile(network.with_name(name), folder / name)
        history = pd.read_csv(network.with_name("history.csv"))
        history.insert(0, "network", network.parent.name)
        histories.append(history)
    table = pd.concat(histories, ignore_index=True)
    write_table(HERE / "history.csv", table)
    losses = {name: rows["loss"].to_list() for name, rows in table.groupby("network")}
    write_figure(HERE / "training", *render(training_curve(losses)))


def publish_masks(dataset: Path, labels: Path) -> dict[str, float]:
    """Segment, pack, score and take the scores apart; give time and memory."""
    with tempfile.TemporaryDirectory() as folder:
        masks = Path(folder) / "masks"
        seconds, memory = lggshape(
            "segment", dataset, "--out", masks, "--probabilities", "--thorough", "--quiet"
        )
        packed = HERE / "masks"
        shutil.rmtree(packed, ignore_errors=True)
        pack_masks(open_cases(masks, masks_only=True), packed)
        for name in ("segmentation.csv", "slices.csv"):
            shutil.copyfile(masks / name, packed / name)
        write_limits(dataset, masks)
    evaluate(dataset, labels)
    return {"seconds": round(seconds), "memory_mib": round(memory)}


def evaluate(dataset: Path, labels: Path) -> None:
    packed, out = HERE / "masks", HERE / "evaluation"
    shutil.rmtree(out, ignore_errors=True)
    groups = ("--by", "gender", "--by", "age_at_initial_pathologic")
    lggshape("evaluate", packed, dataset, "--out", out, "--labels", labels, *groups)
    (out / "run.json").unlink()  # holds the paths of this machine
    slices = pd.read_csv(out / "slices.csv")
    write_table(HERE / "slice_position.csv", by_position(slices))
    with tempfile.TemporaryDirectory() as folder:
        wider = Path(folder) / "evaluation"
        lggshape("evaluate", packed, dataset, "--out", wider, "--surface-tolerance", 2, "--quiet")
        scores = pd.read_csv(wider / "scores.csv")[["case", "patient", "surface_dice"]]
        write_table(HERE / "surface_dice_2_pixels.csv", scores)


def write_limits(dataset: Path, masks: Path) -> None:
    """Compute what a better threshold for each patient, or a better component, could gain."""
    references = {source.id: source for source in open_cases(dataset)}
    used = {member.name: member.threshold for member in read_ensemble(SHIPPED).members}
    networks = pd.read_csv(masks / "segmentation.csv").set_index("case")["networks"]
    rows = []
    for source in open_cases(masks, masks_only=True):
        reference = references[source.id].read(image=False).mask
        mask = source.read(image=False).mask
        files = [
            masks / source.id / f"{source.id}_{number}_probability.tif"
            for number in range(1, len(mask) + 1)
        ]
        probability = np.stack([imread(file) for file in files])
        at = [dice(select_component(probability, t).mask, reference) for t in THRESHOLDS]
        threshold = np.mean([used[name] for name in networks[source.id].split("; ")])
        parts = components(probability, threshold)
        rows.append(
            {
                "case": source.id,
                "dice": dice(mask, reference),
                "best_threshold": THRESHOLDS[np.argmax(at)],
                "dice_best_threshold": max(at),
                "dice_all_components": dice(np.any(parts, axis=0), reference),
                "dice_best_component": max(dice(part, reference) for part in parts),
            }
        )
    write_table(HERE / "limits.csv", pd.DataFrame(rows))


def components(probability: np.ndarray, threshold: float) -> list[np.ndarray]:
    """Return every component as if it were the one that is kept; an empty mask if there is none."""
    labels, count = label(probability >= threshold)
    alone = (np.where(labels == number, probability, 0) for number in range(1, count + 1))
    masks = [select_component(one, threshold).mask for one in alone]
    return masks or [np.zeros(probability.shape, dtype=bool)]


def by_position(slices: pd.DataFrame) -> pd.DataFrame:
    """Compute Dice and the share of all errors by the position of a slice within the tumour."""
    inside = slices[slices["reference_area"] > 0].groupby("case")["slice"]
    first, last = slices["case"].map(inside.min()), slices["case"].map(inside.max())
    place = (slices["slice"] - first) / (last - first).clip(lower=1)
    names = ["lowest fifth", "second", "middle", "fourth", "highest fifth"]
    part = pd.cut(place, np.linspace(0, 1, 6), labels=names, include_lowest=True)
    part = part.cat.add_categories("slices without tumour").fillna("slices without tumour")
    errors = slices["reference_area"] + slices["predicted_area"] - 2 * slices["overlap_area"]
    table = slices.assign(part=part, errors=errors).groupby("part", observed=True)
    sums = table[["reference_area", "predicted_area", "overlap_area", "errors"]].sum()
    total = sums["reference_area"] + sums["predicted_area"]
    return pd.DataFrame(
        {
            "slices": table.size(),
            "share_of_tumour": sums["reference_area"] / sums["reference_area"].sum(),
            "pooled_dice": (2 * sums["overlap_area"] / total).where(sums["reference_area"] > 0),
            "share_of_errors": sums["errors"] / sums["errors"].sum(),
        }
    ).reset_index()


def score_split(dataset: Path, run: Path) -> None:
    """Score a training on the split of the published nnU-Net, on the patients of its test."""
    held_out = split_patients()
    with tempfile.TemporaryDirectory() as folder:
        cases, masks, out = (Path(folder) / name for name in ("cases", "masks", "evaluation"))
        cases.mkdir()
        for source in open_cases(dataset):
            if source.patient in held_out:
                (cases / source.id).symlink_to(source.path.resolve())
        lggshape("segment", cases, "--out", masks, "--networks", run, "--thorough", "--quiet")
        lggshape("evaluate", masks, cases, "--out", out, "--quiet")
        shutil.copyfile(out / "scores.csv", HERE / "published_split.csv")


def phantom_dice() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        cohort = write_cohort(Path(folder) / "cohort", patients=12, seed=0)
        lggshape("segment", cohort, "--out", Path(folder) / "masks", "--thorough", "--quiet")
        lggshape("evaluate", Path(folder) / "masks", cohort, "--out", Path(folder) / "e", "--quiet")
        values = pd.read_csv(Path(folder) / "e" / "scores.csv")["dice"]
    return {
        "n": len(values),
        "mean_dice": round(values.mean(), 4),
        "lowest": round(values.min(), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--split", type=Path)
    parser.add_argument("--hardware", default="2 CPU cores", help="what the run was trained on")
    parser.add_argument("--note", default="", help="a note on the training for the card")
    options = parser.parse_args()
    ship(options.run)
    cost = publish_masks(options.dataset, options.labels)
    if options.split is not None:
        score_split(options.dataset, options.split)
    card = model_card(
        options.run, cost, phantom_dice(), hardware=options.hardware, note=options.note
    )
    write_card(card)
    del card["scores"]["patients"]
    print(json.dumps(card["scores"] | card["segmenting_the_data_set"], indent=2))


if __name__ == "__main__":
    main()
