"""Valid inputs without images: tables, TOML, records, networks, and how each is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.fuzzing.cases import phantom
from lggshape.association import associate
from lggshape.comparison.description import describe, read_history
from lggshape.errors import CaseError, InputError
from lggshape.evaluation.compare_case import compare_case
from lggshape.evaluation.matching import match_cases
from lggshape.files import write_json, write_table
from lggshape.labels import read_labels
from lggshape.labels.supplements import read_supplement
from lggshape.phantoms import cohort
from lggshape.phantoms.labels import HYPOTHESES
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.provenance import recorded
from lggshape.readers.segmented import COLUMNS, SETTINGS
from lggshape.regions import read_regions
from lggshape.results import recorded_outputs, results_file
from lggshape.run_check import check_run, run_crate
from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration
from lggshape.segmentation.inference.segmentation_journal import (
    SegmentationJournal,
    SegmentedCase,
)
from lggshape.segmentation.run.configuration import write_configuration
from lggshape.segmentation.run.fingerprints import KnownCase
from lggshape.segmentation.run.folder import (
    cases_behind,
    read_ensemble,
    read_weights,
    write_cases,
    write_folds,
    write_weights,
)
from lggshape.shards import merge_tables
from lggshape.tables import read_text_table

PATIENTS = 10
NAMES = [f"P{number}" for number in range(PATIENTS)]


def _label_table() -> pd.DataFrame:
    table = cohort(patients=PATIENTS).tables["labels"][
        ["patient", "idh", "sex", "molecular_subtype"]
    ]
    return table.assign(patient=NAMES, age=np.arange(PATIENTS) + 40.5, grade="II")


def _feature_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    features = (
        "bounding_ellipsoid_volume_ratio",
        "margin_fluctuation",
        "angular_standard_deviation",
    )
    values = {name: rng.random(PATIENTS) for name in features}
    return pd.DataFrame({"case": NAMES, "patient": NAMES, "masks": "manual", **values})


def _table_writer(ending: str, **options: Any) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        folder.mkdir()
        path = folder / f"labels.{ending}"
        table = _label_table()
        if ending == "xlsx":
            table.to_excel(path, index=False)
        elif ending == "parquet":
            table.to_parquet(path)
        else:
            table.to_csv(path, index=False, **options)

    return make


def _only(folder: Path) -> Path:
    """Return the only file of a folder, whatever it is called; a path to nothing without one."""
    return next(folder.iterdir(), folder / "labels.csv")


def _read_labels(folder: Path) -> bool:
    """Read a label table, and every column that it has."""
    path = _only(folder)
    labels = read_labels(path)
    whole = True
    for name in read_text_table(path).cells.columns[1:]:
        try:
            labels[name]
        except InputError:
            whole = False
    return whole


def _write_codebook(folder: Path) -> None:
    folder.mkdir()
    write_table(folder / "labels.csv", _label_table())
    (folder / "codebook.toml").write_text(
        'missing = ["99"]\n\n[[table]]\nrecognised_by = ["idh"]\n\n[table.labels]\n'
        'grade = { kind = "ordinal", levels = { II = "grade 2", III = "grade 3" } }\n'
    )


def _read_with_codebook(folder: Path) -> bool:
    labels = read_labels(folder / "labels.csv", codebook=folder / "codebook.toml")
    return set(labels["grade"].values) == {"grade 2"}


def _write_study(folder: Path) -> None:
    folder.mkdir()
    write_table(folder / "labels.csv", _label_table())
    write_table(folder / "features.csv", _feature_table())
    (folder / "family.toml").write_text(HYPOTHESES)


def _associate(folder: Path) -> bool:
    study = associate(
        folder / "features.csv", folder / "labels.csv", folder / "family.toml", jobs=1,
        permutations=99,
    )  # fmt: skip
    return study.left_out.empty


def _write_text(name: str, text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / name).write_text(text)

    return make


def _write_supplement(folder: Path) -> None:
    folder.mkdir()
    head = ["Case", "IDH status", "1p/19q codeletion", "IDH/codel subtype"]
    rows = [["Table S1", "", "", ""], head, *([name, "WT", "non-codel", "IDHwt"] for name in NAMES)]
    pd.DataFrame(rows).to_excel(folder / "supplement.xlsx", header=False, index=False)


def _write_shards(folder: Path) -> None:
    source = folder / "masks.txt"
    folder.mkdir()
    source.write_text("masks")
    for number in (1, 2):
        path = folder / f"{number}.csv"
        with (
            results_file(path) as place,
            recorded(
                place / f"{number}.run.json", command="features",
                options={"shard": f"{number}/2"}, inputs=[source],
            ),
        ):  # fmt: skip
            write_table(place / path.name, _feature_table().iloc[number - 1 :: 2])


def _merge(folder: Path) -> bool:
    check_run(folder / "1.csv")
    run_crate(folder / "1.csv")
    recorded_outputs(folder, record="2.run.json")
    merge_tables([folder / "1.csv", folder / "2.csv"], folder.with_name("merged.csv"))
    return True


def _write_masks(folder: Path) -> None:
    """Write what `segment` writes, and references."""
    journal_of = folder / "masks"
    journal_of.mkdir(parents=True)
    write_json(journal_of / SETTINGS, {"networks": "none", "maps": False})
    journal = SegmentationJournal(journal_of)
    values = dict.fromkeys(COLUMNS, "") | {
        "status": "ok", "fold": 0, "networks": 1, "volume": 3.5, "components_removed": 0,
        "spacing_known": True,
    }  # fmt: skip
    for name in ("P1", "P2"):
        case = phantom(name)
        assert case.mask is not None
        CASE_LAYOUTS["nifti"].write(case, folder / "references")
        CASE_LAYOUTS["nifti"].write(case, journal_of)
        for word in ("t1", "flair", "t1ce"):
            (journal_of / f"{name}_{word}.nii.gz").unlink()
        areas = case.mask.sum(axis=(1, 2))
        slices = [(number, int(area), "0.5") for number, area in enumerate(areas, start=1)]
        row = values | {"case": name, "patient": name}
        journal.begin(name)
        journal.add(SegmentedCase(row, slices, [f"{name}_mask.nii.gz"], "0"))
    table, slices_table = journal.tables(["P1", "P2"])
    write_table(journal_of / "segmentation.csv", table)
    write_table(journal_of / "slices.csv", slices_table)


def _compare(folder: Path) -> bool:
    masks = folder / "masks"
    SegmentationJournal.read(masks).adopt_interrupted()
    whole = True
    for pair in match_cases(masks, folder / "references").pairs:
        try:
            compare_case(pair)
        except CaseError:
            whole = False
    return whole


def _write_run(folder: Path) -> None:
    """Write the folder of a training run whose networks have hardly any weights."""
    folder.mkdir()
    network = NetworkConfiguration(architecture="unet", filters=(4, 8), size=32, neighbours=0)
    write_configuration(folder / "configuration.json", network, TrainingConfiguration(folds=2))
    write_folds(folder / "folds.json", {"P1": 0, "P2": 1})
    write_cases(
        folder / "cases.json", [KnownCase("P1", "P1", ("a", "b")), KnownCase("P2", "P2", ())]
    )
    place = folder / "fold0-member0"
    place.mkdir()
    weights = {"conv/kernel": np.ones((3, 3, 1, 4)), "conv/bias": np.zeros(4)}
    write_weights(place / "weights.npz", {name: one.astype("f4") for name, one in weights.items()})
    values = {
        "fold": 0, "member": 0, "epoch": 2, "calibration": {"slope": 1.0, "intercept": 0.0},
        "threshold": 0.5, "training_patients": 1, "training_slices": 4, "parameters": 40,
        "inner_dice": {"P1": 0.5}, "backend": "tensorflow", "precision": "float32",
    }  # fmt: skip
    write_json(place / "network.json", values)
    history = {
        "epoch": [1, 2],
        "loss": [0.5, 0.25],
        "seconds": [1.0, 1.0],
        "inner_dice": [0.1, 0.2],
    }
    write_table(place / "history.csv", pd.DataFrame(history))


def _read_run(folder: Path) -> bool:
    ensemble = read_ensemble(folder)
    ensemble.unseen_by(["P1"])
    for member in ensemble.members:
        read_weights(member.weights)
        cases_behind(member.weights)
    describe("run", folder, ensemble, read_history("run", ensemble))
    return True


def _reads(read: Callable[..., object], *arguments: object) -> Callable[[Path], bool]:
    """Return what reads the only file of a folder, and refuses all of it or nothing."""

    def call(folder: Path) -> bool:
        read(_only(folder), *arguments)
        return True

    return call


TABLE_INPUTS: dict[str, tuple[Callable[[Path], object], Callable[[Path], bool]]] = {
    "labels, csv": (_table_writer("csv"), _read_labels),
    "labels, semicolons": (_table_writer("csv", sep=";", decimal=","), _read_labels),
    "labels, tsv": (_table_writer("tsv", sep="\t"), _read_labels),
    "labels, xlsx": (_table_writer("xlsx"), _read_labels),
    "labels, parquet": (_table_writer("parquet"), _read_labels),
    "codebook": (_write_codebook, _read_with_codebook),
    "features, labels and hypotheses": (_write_study, _associate),
    "regions, toml": (
        _write_text("regions.toml", "core = [1, 4]\noedema = [2]\n"),
        _reads(read_regions),
    ),
    "published supplement": (_write_supplement, _reads(read_supplement, "idh")),
    "shards and their records": (_write_shards, _merge),
    "masks of segment": (_write_masks, _compare),
    "networks": (_write_run, _read_run),
}
"""As `CASE_INPUTS`."""
