"""The results of reports/ucsf against those of R (benchmarks/oracles/ucsf.R)."""

import os
import runpy
from pathlib import Path

import pandas as pd
import pytest

from lggshape.association import associate, read_family

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports" / "ucsf"


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


def test_conclusions_are_those_that_the_script_prints(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(REPORT / "conclude.py"), run_name="__main__")
    written = (REPORT / "conclusions.csv").read_text(encoding="utf-8")
    assert capsys.readouterr().out == written


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
