"""What lies in reports/ agrees with itself."""

import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

REPORTS = Path(__file__).resolve().parents[1] / "reports"


def test_tables_of_the_comparison_are_those_that_its_script_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runpy.run_path(str(REPORTS / "architectures" / "table.py"), run_name="__main__")
    readme = (REPORTS / "architectures" / "README.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", readme, flags=re.MULTILINE)
    written = [table.strip() for table in tables if not table.startswith("| | |")]  # but of files
    assert sorted(written) == sorted(capsys.readouterr().out.strip().split("\n\n"))


def test_what_a_choice_could_bring_is_no_less_than_what_was_chosen_invariant() -> None:
    limits = pd.read_csv(REPORTS / "segmentation" / "limits.csv").set_index("case")
    masks = pd.read_csv(REPORTS / "segmentation" / "masks" / "segmentation.csv").set_index("case")
    scores = pd.read_csv(REPORTS / "segmentation" / "evaluation" / "scores.csv").set_index("case")
    pd.testing.assert_series_equal(limits["dice"], scores["dice"], check_like=True)
    assert (limits["dice_best_component"] >= limits["dice"] - 1e-12).all()
    whole = limits[masks["components_removed"].reindex(limits.index) == 0]  # nothing was removed
    assert len(whole)
    pd.testing.assert_series_equal(whole["dice_all_components"], whole["dice"], check_names=False)
