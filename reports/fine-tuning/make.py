"""Fine-tune on some cases of an institution that a network has not seen, and score the others.

    python reports/fine-tuning/make.py kaggle_3m --work WORK [--institution HT]

Trains and segments in WORK, which can be resumed. Writes `settings.csv` (chosen on HT), or with the
settings that won there `scores.csv` and `curve.csv` (of DU) and the tables of the README. The
protocol is in `protocol.md`.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from lggshape.evaluation import evaluate
from lggshape.files import write_table, write_text
from lggshape.readers import CaseSource, open_cases
from lggshape.segmentation import (
    NetworkConfiguration,
    TrainingConfiguration,
    segment_cases,
    train,
)
from lggshape.segmentation.training.folds import assign_folds
from lggshape.studies.buda2019.report.readme import fill

HERE = Path(__file__).parent
CHOSEN_ON, LEFT_OUT = "HT", "DU"
NETWORK = NetworkConfiguration(size=128)
FOLDS = 3
SETTINGS = [
    *(
        {"epochs": epochs, "learning_rate": rate, "average": 0.9}
        for epochs in (6, 20)
        for rate in (2e-4, 1e-3)
    ),
    {"epochs": 6, "learning_rate": 5e-5, "average": 0.9},
    {"epochs": 6, "learning_rate": 2e-4, "average": 0.99},
    {"epochs": 20, "learning_rate": 5e-5, "average": 0.99},
]
"""The first four, and those that were added when all of these made the masks worse."""
CASES = (3, 6, 12, 24)
PRIMARY = 12


def base(sources: list[CaseSource], institution: str, work: Path) -> Path:
    """Train a network on the patients of the other institutions; return its run."""
    folds = {source.patient: int(source.site != institution) for source in sources}
    training = TrainingConfiguration(folds=2, epochs=8, inner_every=8)
    out = work / f"without-{institution}"
    train(sources, out, network=NETWORK, training=training, folds=folds, only=[0], resume=True)
    return out


def tuned(
    own: list[CaseSource], start: Path, cases: int, settings: Mapping[str, Any], out: Path
) -> Path:
    """Train it further on some of the institution's own patients; return the run."""
    folds = assign_folds({source.patient: "" for source in own}, folds=FOLDS, seed=0)
    training = TrainingConfiguration(
        folds=FOLDS, inner=0, patients=cases, start_from=str(start), **settings
    )
    train(own, out, training=training, folds=folds, resume=True)
    return out


def dice(own: list[CaseSource], run: Path, reference: Path) -> "pd.Series[float]":
    """Segment the institution's patients by the networks that have not seen them, and score."""
    masks = run.with_name(f"{run.name}-masks")
    segment_cases(own, masks, networks=run, resume=True)
    scores = evaluate(masks, reference).scores
    return scores.set_index("patient")["dice"].dropna()


def curve(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the means and the paired differences from before, by the number of cases."""
    rows = []
    for column in scores:
        row = {"cases": column, "n": len(scores), "dice_mean": scores[column].mean()}
        row |= {
            "dice_median": scores[column].median(),
            "below_0.7": int((scores[column] < 0.7).sum()),
        }
        if column:
            change = (scores[column] - scores[0]).to_numpy()
            ends = bootstrap((change,), np.mean, rng=np.random.default_rng(0)).confidence_interval
            row |= {"difference": change.mean(), "low": ends.low, "high": ends.high}
        rows.append(row)
    return pd.DataFrame(rows)


def parts(settings: pd.DataFrame, rows: pd.DataFrame) -> dict[str, str]:
    """Return the tables of the README: the settings that were tried, and the curve."""
    tried = [
        "| epochs | highest learning rate | average of the weights | Dice, mean |",
        f"|{' --- |' * 4}",
    ]
    for row in settings.to_dict("records"):
        how = f"{row['epochs']:.0f} | {row['learning_rate']:g} | {row['average']:g}"
        how = "before | – | –" if np.isnan(row["epochs"]) else how
        tried.append(f"| {how} | {row['dice_mean']:.3f} |")
    lines = [
        "| cases | Dice, mean | median | below 0.7 | difference from before (95 % interval) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows.to_dict("records"):
        change = "{difference:+.3f} ({low:+.3f} to {high:+.3f})".format(**row)
        cells = [f"{row['cases']:.0f}", f"{row['dice_mean']:.3f}", f"{row['dice_median']:.3f}"]
        cells += [f"{row['below_0.7']}", change.replace("-", "−") if row["cases"] else "–"]
        lines.append(f"| {' | '.join(cells)} |")
    return {"settings": "\n".join(tried), "curve": "\n".join(lines)}


def main() -> None:
    """Do one institution."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--institution", choices=(CHOSEN_ON, LEFT_OUT), default=LEFT_OUT)
    options = parser.parse_args()
    place, work = options.institution, options.work
    sources = [source for source in open_cases(options.dataset) if source.has_mask]
    own = [source for source in sources if source.site == place]
    start = base(sources, place, work)
    before = dice(own, start, options.dataset)
    if place == CHOSEN_ON:
        rows: list[dict[str, Any]] = [{"dice_mean": before.mean()}]
        for settings in SETTINGS:
            name = "{place}-{epochs}-{learning_rate}-{average}".format(place=place, **settings)
            scores = dice(own, tuned(own, start, PRIMARY, settings, work / name), options.dataset)
            rows.append({**settings, "dice_mean": scores.mean(), "n": len(scores)})
        write_table(HERE / "settings.csv", pd.DataFrame(rows))
        return
    table = pd.read_csv(HERE / "settings.csv")
    best = table.iloc[1:].sort_values("dice_mean").iloc[-1]
    settings = {name: float(best[name]) for name in ("learning_rate", "average")}
    settings["epochs"] = int(best["epochs"])
    scores = pd.DataFrame({0: before})
    for cases in CASES:
        run = tuned(own, start, cases, settings, work / f"{place}-{cases}")
        scores[cases] = dice(own, run, options.dataset)
    write_table(HERE / "scores.csv", scores.rename_axis("patient").reset_index())
    rows = curve(scores)
    write_table(HERE / "curve.csv", rows)
    readme = HERE / "README.md"
    write_text(readme, fill(readme.read_text(encoding="utf-8"), parts(table, rows)))


if __name__ == "__main__":
    main()
