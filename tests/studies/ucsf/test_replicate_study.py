"""The whole study on phantoms: every table and the report, and what is refused."""

from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.studies.buda2019.phantom_labels import write_phantoms
from lggshape.studies.ucsf import HospitalResults, cohorts, replicate, replicate_study
from lggshape.studies.ucsf.cohorts import FEATURE_TABLE, LOWER, METADATA

PATIENTS = 18


def hospital(folder: Path) -> None:
    """Write tables like those of UCSF-PDGM, in which wild type is less round in every grade."""
    rng = np.random.default_rng(3)
    n = 66
    wild = np.arange(n) % 2 == 0
    names = [f"UCSF-PDGM-{number:04d}" for number in range(n)]
    shape = {
        "Sphericity": 0.5 - 0.1 * wild + rng.normal(0, 0.05, n),
        "Elongation": rng.uniform(0.3, 1, n),
        "Flatness": rng.uniform(0.3, 1, n),
        "VoxelVolume": rng.uniform(1e4, 1e5, n),
    }
    folder.mkdir(parents=True)
    columns = {f"original_shape_{name}": values for name, values in shape.items()}
    pd.DataFrame({"ID": names, **columns}).to_csv(folder / FEATURE_TABLE, index=False)
    mutants = [
        "IDH1 p.R132H", "IDH1 p.R132C", "IDH1 p.R132G", "IDH1 p.R132S", "IDH1 p.Arg132His",
        "IDH2 p.R172K", "IDH2 p.Arg172Trp", "mutated (NOS)",
    ]  # fmt: skip
    arms = ["co-deletion", "intact", "relative co-deletion"]
    pd.DataFrame(
        {
            "ID": names,
            "Age at MRI": rng.integers(20, 80, n),
            "WHO CNS Grade": 2 + np.arange(n) % 3,
            "1p/19q": [arms[number // 6 % 3] for number in range(n)],
            "IDH": ["wildtype" if w else mutants[i // 2 % 8] for i, w in enumerate(wild)],
            "1-dead 0-alive": rng.integers(0, 2, n),
            "OS": rng.integers(10, 2000, n),
            "Biopsy prior to imaging": np.where(np.arange(n) % 5 == 0, "Yes", "No"),
        }
    ).to_csv(folder / METADATA, index=False)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("cohorts")
    hospital(top / "ucsf_pdgm")
    manual = write_phantoms(top / "manual", patients=PATIENTS, seed=5, size=(6, 24, 24))
    (top / "brats_tcga_masks" / "masks").mkdir(parents=True)
    rows = []
    for number, source in enumerate(open_cases(manual)):
        mask = source.read(image=False).mask
        assert mask is not None
        values = mask.transpose(2, 1, 0).astype(np.uint8) * 4
        image = nib.Nifti1Image(values, np.diag([-1.0, -1.0, 2.0, 1.0]))
        nib.save(image, top / "brats_tcga_masks" / "masks" / f"{source.patient}_seg.nii.gz")
        rows.append(
            {
                "patient": source.patient, "IDH_status": ("Mutant", "WT")[number % 2],
                "Grade": f"G{2 + number // 2 % 3}", "Age_years_at_diagnosis": 30 + 1.5 * number,
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    table.to_csv(top / "brats_tcga_masks" / "clinical.csv", index=False)
    others = {
        "IDH_status": "IDH_status_2016", "Grade": "neoplasm_histologic_grade",
        "Age_years_at_diagnosis": "age_at_initial_pathologic_diagnosis",
    }  # fmt: skip
    table["Grade"] = table["Grade"].replace({"G2": "grade II", "G3": "grade III", "G4": "grade IV"})
    table.rename(columns=others).to_csv(top / "labels.csv", index=False)
    return top


@pytest.fixture(scope="module")
def found(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HospitalResults]:
    """Return the results of two of the hypotheses, and of one feature in the cohorts."""
    top = tmp_path_factory.mktemp("results")
    whole = replicate_study.HYPOTHESES.read_text(encoding="utf-8")
    definitions, *hypotheses = whole.split("[[hypothesis]]")
    few = "[[hypothesis]]".join([definitions, hypotheses[0], hypotheses[3]])
    (top / "few.toml").write_text(few, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicate_study, "HYPOTHESES", top / "few.toml")
        patch.setattr(cohorts, "FEATURES", ("sphericity",))
        patch.setattr(cohorts, "BESIDE", ())
        yield replicate(
            dataset, dataset / "labels.csv", top / "out", masks=dataset / "manual", jobs=1
        )


def test_every_table_and_figure_lies_in_the_folder_invariant(found: HospitalResults) -> None:
    assert {path.stem for path in found.folder.glob("*.csv")} == set(found.tables)
    assert (found.folder / "figures" / "cohorts.png").exists()
    assert found.summary() in found.report.read_text(encoding="utf-8")
    assert "sphericity is lower in IDH-wildtype than in IDH-mutant gliomas" in found.summary()


def test_the_same_masks_have_the_same_effects_invariant(found: HospitalResults) -> None:
    table = found.tables["cohorts"]
    by_outlines = {
        key: rows["effect"].to_numpy(float)
        for key, rows in table[table["slice_distance"] == 6].groupby("outlines")
    }
    np.testing.assert_array_equal(by_outlines["manual"], by_outlines["automatic"])
    assert set(table.loc[table["outlines"] == "manual", "patients"]) == {LOWER}


def test_differences_are_those_of_the_effects_invariant(found: HospitalResults) -> None:
    key = ["patients", "feature", "measure"]
    effects = found.tables["cohorts"].set_index(["outlines", "slice_distance", *key])["effect"]
    for row in found.tables["cohort_differences"].itertuples():
        pair = (row.patients, row.feature, row.measure)
        expected = (
            effects["UCSF-PDGM", 1.0, *pair] - effects[row.outlines, row.slice_distance, *pair]
        )
        assert row.difference == pytest.approx(expected, nan_ok=True)


def test_analyses_take_patients_away_invariant(found: HospitalResults) -> None:
    table = found.tables["sensitivity_populations"]
    key = ["feature", "label", "covariates"]
    before = table[table["analysis"] == "all patients"].set_index(key)["n"]
    fewer = table[table["analysis"] != "all patients"].set_index(key)
    assert set(fewer["analysis"]) == {
        "without biopsy before imaging", "without mutated (NOS)", "without relative co-deletion",
    }  # fmt: skip
    assert (fewer["n"].to_numpy() < before.reindex(fewer.index).to_numpy()).all()


def test_without_masks_or_a_folder_it_does_not_begin(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no automatic masks"):
        replicate(dataset, {}, tmp_path / "out")
    with pytest.raises(InputError, match=r"found none: .*ucsf_pdgm"):
        replicate(tmp_path, {}, tmp_path / "out", masks=dataset / "manual")
