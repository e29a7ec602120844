"""The results of reports/ucsf against those of R, and the sentences against the tables."""

import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lggshape.association import associate, read_family
from lggshape.statistics import adjust

ROOT = Path(__file__).resolve().parents[3]
REPORT = ROOT / "reports" / "ucsf"
README = " ".join((REPORT / "README.md").read_text(encoding="utf-8").split()).replace("**", "")
COVARIATES = "volume; Age at MRI"

IDH, GRADE_4 = "IDH in grade 2 and 3", "IDH in grade 4"


def test_p_and_hazard_ratios_are_those_of_r() -> None:
    main = pd.read_csv(REPORT / "associations.csv")
    others = pd.read_csv(REPORT / "sensitivity.csv")
    models = pd.read_csv(REPORT / "adjusted.csv")
    models = models[models["model"] == "adjusted"]
    unadjusted = pd.concat([main, others[~others["analysis"].str.startswith("cut")]])
    unadjusted["test"] = unadjusted["test"].str.removesuffix("_exact")
    unadjusted.loc[unadjusted["test"] == "fisher", "test"] = "fisher_exact"
    compared = 0
    for row in pd.read_csv(REPORT / "oracle.csv").itertuples():
        table = models if row.what.startswith(("adjusted", "partial")) else unadjusted
        table = table[(table["feature"] == row.feature) & (table["label"] == row.label)]
        found = {
            **table.drop_duplicates("test").set_index("test")["p"].to_dict(),
            **{f"{kind}_p": table["p"].iloc[0] for kind in ("cox", "adjusted_cox")},
            **{
                f"{kind}_{end}": table[column].iloc[0]
                for kind in ("cox", "adjusted_cox")
                for end, column in (
                    ("ratio", "effect"), ("low", "effect_low"), ("high", "effect_high"),
                )
            },
            "cox_proportional": table.set_index("test")["p"].get("proportional_hazards"),
            "n": table["n"].iloc[0],
            "partial_f": table["statistic"].iloc[0],
            "partial_rho": table["effect"].iloc[0],
            "adjusted_cox_proportional": table.get("p_proportional", table["p"]).iloc[0],
        }  # fmt: skip
        if row.what == "partial_f_p":  # of a normal distribution in place of permutations
            assert table["p"].iloc[0] == pytest.approx(row.value, abs=0.01)
        elif row.what in found:
            assert found[row.what] == pytest.approx(row.value, rel=1e-6), (row.label, row.what)
        else:  # R has rho beside p
            assert row.what == "rho", row.what
            continue
        compared += 1
    assert compared == 86


def test_without_some_patients_p_and_ratios_are_those_of_r() -> None:
    table = pd.read_csv(REPORT / "sensitivity_populations.csv", keep_default_na=False)
    rows = {
        (row.analysis, row.feature, row.label, bool(row.covariates)): row
        for row in table.itertuples()
    }
    compared = 0
    for row in pd.read_csv(REPORT / "oracle_populations.csv").itertuples():
        key = (row.analysis, row.feature, row.label)
        if (*key, True) not in rows:  # no patient is left out of this hypothesis
            continue
        plain, given = rows[*key, False], rows[*key, True]
        found = {
            "n": plain.n, "jonckheere_terpstra": plain.p, "cox_p": plain.p,
            "cox_ratio": plain.effect, "cox_low": plain.effect_low, "cox_high": plain.effect_high,
            "partial_rho": given.effect, "adjusted_cox_p": given.p,
            "adjusted_cox_ratio": given.effect, "adjusted_cox_low": given.effect_low,
            "adjusted_cox_high": given.effect_high,
        }  # fmt: skip
        if row.what == "partial_f_p":  # of a normal distribution in place of permutations
            assert given.p == pytest.approx(row.value, abs=0.015), key
        elif row.what in found:
            assert found[row.what] == pytest.approx(row.value, rel=1e-6), (key, row.what)
        else:
            continue
        compared += 1
    assert compared == 92


def test_conclusions_are_those_of_the_models_invariant() -> None:
    found = pd.read_csv(REPORT / "conclusions.csv")
    models = pd.read_csv(REPORT / "adjusted.csv")
    models = models[models["model"] == "adjusted"].reset_index(drop=True)
    columns = ["feature", "label", "n", "p", "effect", "effect_low", "effect_high"]
    pd.testing.assert_frame_equal(found[columns], models[columns])
    np.testing.assert_allclose(found["p_holm"][1:], adjust(models["p"][1:].to_numpy()).holm)


def interval(row: Any, *names: str) -> str:
    """Return an estimate with its interval as the page writes it."""
    estimate, low, high = (f"{getattr(row, name):.2f}" for name in names)
    return f"{estimate} ({low} to {high})"


def of_effect(row: Any) -> str:
    return interval(row, "effect", "effect_low", "effect_high")


def of_difference(row: Any) -> str:
    return interval(row, "difference", "low", "high").replace("-0.00", "0.00")


def only(name: str, **key: Any) -> Any:
    """Return the one row of a table with such values."""
    table = pd.read_csv(REPORT / f"{name}.csv")
    for column, value in key.items():
        table = table[table[column] == value]
    assert len(table) == 1, (name, key)
    return next(table.itertuples())


def p_text(p: float) -> str:
    return f"{p:.2g}" if p < 0.095 else f"{p:.2f}"


def test_the_table_of_hypotheses_is_that_of_the_conclusions_invariant() -> None:
    table = pd.read_csv(REPORT / "conclusions.csv")
    lines = re.findall(
        r"\| ([^|]+ × [^|]+) \| ([\d ()]+) \| ([\d.]+) \| ([\d.]*) ?\| ([^|]+) \|", README
    )
    assert len(lines) == len(table)
    for row, (_, n, p, holm, effect) in zip(table.itertuples(), lines, strict=True):
        events = f" ({row.events:.0f})" if row.events == row.events else ""
        assert n == f"{row.n}{events}"
        assert p == p_text(row.p)
        assert holm == ("" if row.role == "primary" else re.sub(r"^1.00$", "1", p_text(row.p_holm)))
        name = "rho" if row.effect_name.startswith("partial") else "hazard ratio"
        assert effect.strip() == f"{name} {of_effect(row)}"


LOW, ALL = "grade 2 and 3", "all grades"


@pytest.mark.parametrize(
    ("outlines", "distance", "patients", "name"),
    [
        ("UCSF-PDGM", 1.0, LOW, "UCSF-PDGM"),
        ("BraTS group", 1.0, LOW, "TCGA, BraTS group"),
        ("manual", 6.0, LOW, "TCGA-LGG, by hand"),
        ("automatic", 6.0, LOW, "TCGA-LGG, by networks"),
        ("UCSF-PDGM", 1.0, ALL, "UCSF-PDGM"),
        ("BraTS group", 1.0, ALL, "TCGA, BraTS group"),
    ],
)
def test_cohorts_are_those_of_the_tables_invariant(
    outlines: str, distance: float, patients: str, name: str
) -> None:
    line = f"| {name} |"
    for measure in ("partial rank correlation", "Somers' d"):
        key = {
            "outlines": outlines, "slice_distance": distance, "patients": patients,
            "feature": "sphericity", "measure": measure,
        }  # fmt: skip
        line += f" {of_effect(only('cohorts', **key))} |"
        here = outlines == "UCSF-PDGM"
        line += " |" if here else f" {of_difference(only('cohort_differences', **key))} |"
    assert line in README


def test_the_remaining_sentences_are_those_of_the_tables_invariant() -> None:
    plain = only("associations", feature="sphericity", label=IDH)
    grade = only("adjusted_with_grade", feature="sphericity", label=IDH, model="adjusted")
    said = [
        f"Somers' d is {of_effect(plain)}, p {p_text(plain.p)}, unadjusted",
        f"rho {of_effect(grade)}, p {p_text(grade.p)} (`adjusted_with_grade.csv`)",
    ]
    here = {"feature": "sphericity", "patients": LOW, "measure": "rank correlation"}
    said += [
        of_difference(only("cohort_differences", outlines=outlines, slice_distance=mm, **here))
        for outlines, mm in (("BraTS group", 1.0), ("manual", 6.0))
    ]
    populations = {"feature": "sphericity", "covariates": COVARIATES}
    for analysis, label in (
        ("without mutated (NOS)", IDH), ("without biopsy before imaging", IDH),
        ("without mutated (NOS)", GRADE_4), ("without biopsy before imaging", GRADE_4),
        ("without mutated (NOS)", "overall survival"),
        ("without biopsy before imaging", "overall survival"),
    ):  # fmt: skip
        row = only("sensitivity_populations", analysis=analysis, label=label, **populations)
        said.append(f"{of_effect(row)}, p {p_text(row.p)}")
    for outlines in ("UCSF-PDGM", "BraTS group", "manual", "automatic"):
        key = {"outlines": outlines, "patients": "grade 2 and 3", "feature": "volume"}
        key |= {"slice_distance": 6.0} if outlines in ("manual", "automatic") else {}
        said.append(of_effect(only("cohorts", measure="Somers' d", **key)))
    for absent, symbol in (
        ("bounding_ellipsoid_volume_ratio", "BEVR"), ("margin_fluctuation", "MF"),
        ("angular_standard_deviation", "ASD"),
    ):  # fmt: skip
        cells = [
            interval(
                only("stand_ins", feature="sphericity", absent=absent, outlines=outlines),
                "rho", "rho_low", "rho_high",
            )
            for outlines in ("BraTS group", "manual", "automatic")
        ]  # fmt: skip
        said.append(f"| {symbol} | {' | '.join(cells)} |")
    # What the correlations of one with two others leave open about those two.
    here = {"outlines": "UCSF-PDGM", "patients": LOW, "measure": "rank correlation"}
    idh = only("cohorts", feature="sphericity", **here).effect
    there = {"outlines": "BraTS group", "absent": "bounding_ellipsoid_volume_ratio"}
    bevr = only("stand_ins", feature="sphericity", **there).rho
    reach = math.sqrt((1 - idh**2) * (1 - bevr**2))
    said.append(
        f"of about {bevr:.2f} with sphericity, and sphericity one of about {idh:.2f} with IDH"
    )
    said.append(f"from {bevr * idh - reach:.2f} to {bevr * idh + reach:.2f}, by the bounds")
    for text in said:
        assert text in README, text


def test_one_file_of_hypotheses_reads_the_tables_as_downloaded() -> None:
    data = Path(os.environ.get("LGGSHAPE_DATA", ROOT.parent / "shared" / "data"))
    folder = data / "external" / "ucsf_pdgm"
    if not folder.is_dir():
        pytest.skip(f"the tables of UCSF-PDGM are not in {folder}")
    found = associate(
        folder / "radiomic_features_T1gad_bias.csv",
        folder / "UCSF-PDGM-metadata_v2.csv",
        read_family(ROOT / "lggshape" / "studies" / "ucsf" / "ucsf.toml"),
    )
    written = pd.read_csv(REPORT / "associations.csv")
    columns = ["n", "p", "effect", "effect_low", "effect_high"]
    pd.testing.assert_frame_equal(
        found.associations[columns].reset_index(drop=True), written[columns], check_dtype=False
    )
