"""The whole comparison on phantoms."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.shape import extract_features
from lggshape.studies.second_outlines import OutlineResults, replicate
from lggshape.studies.second_outlines.measure import AS_IT_IS, EVERY, THICK, shape_of, trios
from lggshape.studies.second_outlines.names import COMPARED
from lggshape_cli import app


@pytest.fixture(scope="module")
def found(outlined: Any, tmp_path_factory: pytest.TempPathFactory) -> OutlineResults:
    out = tmp_path_factory.mktemp("results") / "out"
    return replicate(
        outlined.dataset, outlined.labels, out, masks=outlined.masks, jobs=1, number=30
    )


def test_every_table_lies_in_the_folder_invariant(found: OutlineResults, outlined: Any) -> None:
    assert {path.stem for path in found.folder.glob("*.csv")} == set(found.tables)
    assert found.report.exists()
    assert (found.folder / "figures" / "reliability.png").exists()
    assert found.failures == {}
    assert f"n = {outlined.patients}" in found.summary()


def test_features_that_do_not_depend_on_the_grid_agree_invariant(found: OutlineResults) -> None:
    table = found.tables["reliability"]
    table = table[table["measure"] == "ICC(A,1)"]
    icc = {
        pair: rows["estimate"].to_numpy(float) for pair, rows in table.groupby(["first", "second"])
    }
    np.testing.assert_allclose(icc["manual", "second"], 1, atol=1e-6)
    assert (icc["automatic", "manual"] < 0.999).all()
    np.testing.assert_allclose(icc["automatic", "second"], icc["automatic", "manual"], atol=1e-6)


def measured(table: pd.DataFrame, way: str, masks: str) -> Any:
    rows = table[(table["way"] == way) & (table["masks"] == masks)]
    return rows.sort_values("patient")[list(COMPARED)].to_numpy(float)


def test_thick_slices_are_those_of_the_first_group_invariant(
    found: OutlineResults, outlined: Any
) -> None:
    assert (found.tables["grids"]["k"] == outlined.step).all()
    ways = found.tables["ways"]
    for way in (EVERY, THICK):
        np.testing.assert_allclose(
            measured(ways, way, "second"), measured(ways, AS_IT_IS, "manual")
        )


def test_ways_begin_with_the_features_of_the_tool_invariant(found: OutlineResults) -> None:
    key, names = ["masks", "patient"], list(COMPARED)
    ways = found.tables["ways"]
    mine = ways[ways["way"] == AS_IT_IS].set_index(key)[names].sort_index()
    features = found.tables["features"].set_index(key)[names].sort_index()
    pd.testing.assert_frame_equal(mine, features)
    mask = np.zeros((4, 20, 20), dtype=bool)
    mask[1:3, 4:15, 5:12] = True
    values = extract_features(mask).values
    assert shape_of(mask) == {name: values[name] for name in COMPARED}
    assert np.isnan(list(shape_of(np.zeros_like(mask)).values())).all()


def test_outlines_of_one_shape_overlap_analytic(found: OutlineResults) -> None:
    table = found.tables["overlaps"]
    table = table[(table["first"] == "manual") & (table["second"] == "second")]
    by_symmetry = dict(zip(table["symmetry"], table["median"], strict=True))
    assert max(by_symmetry.values()) > 0.99
    assert by_symmetry["turned by 180"] > 0.99  # as NIfTI counts its axes


def test_no_effect_differs_between_equal_features_invariant(found: OutlineResults) -> None:
    table = found.tables["effect_differences"]
    same = table[(table["first"] == "manual") & (table["second"] == "second")]
    assert np.allclose(same[["difference", "low", "high"]].dropna(), 0, atol=1e-9)
    assert len(table) == 10 * 2 * 3


def test_what_is_missing_is_refused_analytic(outlined: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="found no automatic masks"):
        replicate(outlined.dataset, outlined.labels, out)
    with pytest.raises(InputError, match="Expected a folder, found none: "):
        replicate(tmp_path, outlined.labels, out, masks=outlined.masks)
    sources = open_cases(outlined.masks, masks_only=True)
    with pytest.raises(InputError, match="Expected patients with three outlines, found none"):
        trios(sources[:1], sources[1:], sources[1:])


def test_the_command_names_the_study_analytic(outlined: Any, tmp_path: Path) -> None:
    options = ["--labels", str(outlined.labels[0]), "--out", str(tmp_path / "out"), "--quiet"]
    command = ["replicate", str(outlined.dataset), "--study", "second_outlines", *options]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert "found no automatic masks" in done.stderr
