"""Train networks further on images without the skull, and score them on inner splits.

    python reports/robustness/train.py kaggle_3m WORK

Can be stopped and resumed. Writes `training.csv`, `training_summary.csv` and the table of
`training.md`. What is done is in `training_protocol.md`.
"""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from make import NATIVE, flair_alone, same, skull_removed
from scipy.stats import bootstrap

from lggshape.case import Case
from lggshape.files import write_table, write_text
from lggshape.masks import dice
from lggshape.readers import CaseSource, open_cases
from lggshape.segmentation import SHIPPED, NetworkConfiguration, TrainingConfiguration, read_folds
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.inference.predictor import FLIPS, Predictor
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.run.configuration import read_configuration
from lggshape.segmentation.run.folder import (
    CONFIGURATION,
    FOLDS,
    Member,
    read_ensemble,
)
from lggshape.segmentation.training.cross_validation import train_on
from lggshape.segmentation.training.folds import split_patients
from lggshape.segmentation.training.training_cases import TrainingCase, load_case
from lggshape.studies.buda2019.report.readme import fill

HERE = Path(__file__).parent
RIMS = (8, 14)
STOPPED_AFTER = 2  # folds: see the end of the protocol
BEFORE, AFTER = "bundled", "trained further"
WAYS = {
    NATIVE: lambda case: (case, same),
    "flair-alone": flair_alone,
    "skull-removed": skull_removed,
}


def settings() -> tuple[NetworkConfiguration, TrainingConfiguration]:
    """Return the settings of the training, which are those of the bundled networks but for some."""
    network, training = read_configuration(SHIPPED / CONFIGURATION)
    return network, replace(
        training, members=1, epochs=2, learning_rate=5e-4, sequence_dropout=0.5, inner=0,
        start_from="shipped", encoder_weights="auto",
    )  # fmt: skip


@cache
def prepared(source: CaseSource, network: NetworkConfiguration) -> TrainingCase:
    return load_case(source, network)


@cache
def without_skull(source: CaseSource, network: NetworkConfiguration) -> TrainingCase:
    """Prepare a case with a rim of the head removed whose width is drawn once per case."""
    rim = int(np.random.default_rng(crc32(source.id.encode())).integers(*RIMS, endpoint=True))
    changed, _ = skull_removed(source.read(), rim)
    native = prepared(source, network)
    return replace(native, id=f"{native.id}_rim", codes=prepare_input(changed, network).codes)


def train(sources: list[CaseSource], fold: int, out: Path) -> list[str]:
    """Train the first network of a fold further; return the patients of its inner split."""
    network, training = settings()
    folds = read_folds(SHIPPED / FOLDS)
    bundled = read_configuration(SHIPPED / CONFIGURATION)[1]
    chosen, inner = split_patients({s.patient: s.site for s in sources}, folds, fold, bundled)
    # Without the inner split: no network was trained on it, but it chose their thresholds.
    cases = [prepared(source, network) for source in sources if source.patient not in inner]
    cases += [without_skull(source, network) for source in sources if source.patient in chosen]
    train_on(cases, out, network=network, training=training, folds=folds, only=[fold], resume=True)
    return inner


def score(case: Case, members: dict[str, Member], predictor: Predictor) -> list[dict[str, object]]:
    """Return the Dice of a case of the inner split in every way, by both networks."""
    rows = []
    for name, member in members.items():
        predictor.load(member.weights)
        for way, change in WAYS.items():
            changed, back = change(case)
            volume = prepare_input(changed, predictor.configuration)
            raw = predictor.predict(volume.codes, flips=FLIPS).mean(axis=0)
            found = select_component(
                volume.restore(member.calibration.apply(raw)), member.threshold
            )
            rows.append({
                "case": case.id, "patient": case.patient, "way": way, "network": name,
                "dice": dice(back(found.mask), case.mask),
            })  # fmt: skip
    return rows


def summarise(scores: pd.DataFrame) -> pd.DataFrame:
    """Return both means by way, and the paired difference that the training makes."""
    rows = []
    for way in WAYS:
        chosen = scores[scores["way"] == way]
        wide = chosen.pivot(index=["fold", "case"], columns="network", values="dice")
        change = (wide[AFTER] - wide[BEFORE]).to_numpy()
        ends = bootstrap((change,), np.mean, rng=np.random.default_rng(0)).confidence_interval
        rows.append({
            "way": way, "n": len(wide), "before": wide[BEFORE].mean(), "after": wide[AFTER].mean(),
            "difference": change.mean(), "low": ends.low, "high": ends.high,
        })  # fmt: skip
    return pd.DataFrame(rows)


def part(summary: pd.DataFrame) -> str:
    """Return the table of the page."""
    lines = [
        "| images | volumes | Dice of the bundled network | trained further | difference (95 % "
        "interval) |",
        f"|{' --- |' * 5}",
    ]
    for row in summary.to_dict("records"):
        change = "{difference:+.3f} ({low:+.3f} to {high:+.3f})".format(**row)
        cells = [f"`{row['way']}`", f"{row['n']}", f"{row['before']:.3f}", f"{row['after']:.3f}"]
        lines.append(f"| {' | '.join([*cells, change.replace('-', '−')])} |")
    return "\n".join(lines)


def main() -> None:
    """Train and score fold after fold."""
    dataset, work = map(Path, sys.argv[1:])
    sources = list(open_cases(dataset))
    network, _ = settings()
    tables = []
    for fold in sorted(set(read_folds(SHIPPED / FOLDS).values()))[:STOPPED_AFTER]:
        run, kept = work / f"fold{fold}", work / f"fold{fold}.csv"
        if not kept.exists():
            inner = train(sources, fold, run)
            first = next(m for m in read_ensemble(SHIPPED).members if m.fold == fold)
            members = {BEFORE: first, AFTER: read_ensemble(run).members[0]}
            predictor = Predictor(network)
            rows = [
                {"fold": fold, **row}
                for source in sources
                if source.patient in inner
                for row in score(source.read(), members, predictor)
            ]
            write_table(kept, pd.DataFrame(rows))
        tables.append(pd.read_csv(kept))
        print(summarise(pd.concat(tables)).to_string(), flush=True)
    scores = pd.concat(tables)
    write_table(HERE / "training.csv", scores)
    summary = summarise(scores)
    write_table(HERE / "training_summary.csv", summary)
    page = HERE / "training.md"
    write_text(page, fill(page.read_text(encoding="utf-8"), {"training": part(summary)}))


if __name__ == "__main__":
    main()
