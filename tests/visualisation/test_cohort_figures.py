from collections import Counter

import numpy as np
import pandas as pd
import pytest

from lggshape.visualisation.cohort_figures import draw_cohort, write_cohort_figures
from lggshape.visualisation.cohort_survey import (
    ADDED,
    COLUMNS,
    GRID,
    HEAD,
    MISSED,
    RAW,
    STANDARDISED,
    Survey,
)
from lggshape.visualisation.shown_cases import PREDICTED, REFERENCE

SPACING = {"spacing_known": "boolean"}


def surveyed(*, volumes=(10.0, 200.0, 3000.0), known=(True, True, False), kinds=(), **options):
    table = pd.DataFrame({"case": list("abc"), "patient": list("abc"), "site": ["X", "", "X"]})
    table = table.assign(volume=volumes, spacing_known=known).reindex(columns=list(COLUMNS))
    table[[*RAW]] = np.arange(15.0).reshape(3, 5)
    table[[*STANDARDISED]] = np.arange(15.0).reshape(3, 5) - 7
    part = np.zeros(GRID, dtype=np.int64)
    part[10:20, 40:50, 30:40] = 1
    counts = Counter(dict.fromkeys(kinds, 2))
    located = {kind: part * (2 if kind == HEAD else 1) for kind in kinds}
    values = {"size": (150.0, 190.0, 150.0), "oriented": True, "failures": {}, **options}
    return Survey(table.astype(SPACING), located, counts, **values)


def test_there_is_a_figure_for_all_that_is_known_analytic():
    kinds = (HEAD, REFERENCE, PREDICTED, MISSED, ADDED)
    names = [name for name, _ in draw_cohort(surveyed(kinds=kinds))]
    assert names == ["volumes_mm3", "volumes_voxels", "locations", "errors", "intensities"]
    assert [name for name, _ in draw_cohort(surveyed(known=(None,) * 3))] == ["intensities"]
    found = surveyed(known=(False,) * 3, kinds=(HEAD, REFERENCE))
    assert [name for name, _ in draw_cohort(found)] == [
        "volumes_voxels", "locations", "intensities",
    ]  # fmt: skip


def test_volumes_are_points_of_their_sites_on_a_log_axis_analytic():
    (axes,) = dict(draw_cohort(surveyed()))["volumes_mm3"].axes
    assert axes.get_yscale() == "log"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["X\nn = 1", "site unknown\nn = 1"]
    assert [dots.get_offsets()[:, 1].tolist() for dots in axes.collections] == [[10], [200]]


def test_an_empty_mask_has_no_place_on_a_log_axis_analytic():
    found = surveyed(volumes=(0.0, 5.0, np.nan))
    (axes,) = dict(draw_cohort(found))["volumes_mm3"].axes
    assert [dots.get_offsets()[:, 1].tolist() for dots in axes.collections] == [[5]]


def test_shares_are_of_the_cases_that_have_the_mask_analytic():
    figure = dict(draw_cohort(surveyed(kinds=(HEAD, REFERENCE))))["locations"]
    assert figure.axes[0].get_title(loc="left").strip() == "reference masks (n = 2)"
    assert figure.axes[0].images[0].get_array().max() == 0.5


@pytest.mark.parametrize(
    ("options", "said", "unsaid"),
    [
        ({}, "the patient's right is on the left", "unknown"),
        ({"oriented": False}, "Orientation unknown: as stored", "not to scale"),
        ({"size": (np.nan, 20, 10)}, "heights are not to scale", "Orientation"),
    ],
)
def test_the_figure_says_what_is_not_known_analytic(options, said, unsaid):
    figure = dict(draw_cohort(surveyed(kinds=(HEAD, REFERENCE), **options)))["locations"]
    note = figure.get_supxlabel()
    assert said in note
    assert unsaid not in note


def test_files_hold_the_table_and_every_figure_analytic(tmp_path):
    found = surveyed()
    write_cohort_figures(found, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cohort.csv",
        *(f"{name}.{ending}" for name in ("intensities", "volumes_mm3", "volumes_voxels")
          for ending in ("png", "svg")),
    ]  # fmt: skip
    read = pd.read_csv(tmp_path / "cohort.csv")
    assert tuple(read.columns) == COLUMNS
    assert read["volume"].tolist() == [10, 200, 3000]
