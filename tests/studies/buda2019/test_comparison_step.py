"""The step that compares sets of masks, from the tables of earlier steps."""

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from lggshape.association import associate
from lggshape.errors import InputError
from lggshape.studies.buda2019 import comparison_step as step
from lggshape.studies.buda2019.analyses.scatter import with_other_tests
from lggshape.studies.buda2019.analyses.sensitivity import Analysis, run_analyses
from lggshape.studies.buda2019.analyses.uncertainty import (
    BY_NETWORKS,
    FIELDS,
    draw_tests,
    stability_table,
)
from lggshape.studies.buda2019.names import AUTOMATIC, EARLIER, MANUAL
from lggshape.studies.buda2019.replication import Replication, Tables

FIELD = FIELDS[0].name


def study_tables(replicated) -> dict[str, pd.DataFrame]:
    features = replicated.features
    tests = associate(features, replicated.labels, replicated.family).associations
    scores = replicated.manual[["case", "patient"]].assign(dice=0.75)
    return {"features": features, "associations": tests, "scores": scores}


@pytest.fixture(scope="module")
def tables(replicated, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """What the step makes of a run with two draws of masks, all of them the automatic ones."""
    labels, family = replicated.labels, replicated.family
    top = tmp_path_factory.mktemp("comparison")
    replication = Replication(
        dataset=replicated.folder, labels=labels, label_tables=(), family=family,
        roles=replicated.roles, networks=None, masks=top, work=top / "work", earlier=top / "before",
        jobs=1,
    )  # fmt: skip
    known = study_tables(replicated)
    table = replicated.automatic
    drawn = pd.concat([table.assign(draw=number, dice=0.7) for number in (1, 2)])
    draws = [draw_tests(drawn, name, labels, family, jobs=1) for name in (FIELD, BY_NETWORKS)]
    every = pd.concat(draws, ignore_index=True)
    stability = stability_table(every, family)
    names = ("0%", "10%, realisation 1", "10%, realisation 2")
    noisy = run_analyses(
        [Analysis("noise", name, table) for name in names], labels, family, jobs=1
    ).associations
    parts = [
        with_other_tests(part, table, labels, family)
        for _, part in noisy.groupby("analysis", sort=False)
    ]
    levels = pd.DataFrame({"noise": [0, 0.1, 0.1], "dice_mean": [0.75, 0.7, 0.6]})
    replication.write(
        known
        | {"draws": every, "stability": stability}
        | {"noise_associations": pd.concat(parts), "noise": levels}
    )
    (top / "before").mkdir()
    for name, found in {**known, "stability": stability}.items():
        found.to_csv(top / "before" / f"{name}.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("effect_differences", "reaching_table"):
            patch.setattr(step, name, partial(getattr(step, name), draws=9))
        return step.comparison_step(replication)


def test_every_set_of_masks_has_its_tests_and_its_dice(tables: Tables) -> None:
    sets = tables["set_tests"].groupby(["kind", "set"], sort=False)["dice"].agg(["size", "first"])
    assert sets["size"].eq(10).all()
    assert sets["first"].round(9).to_dict() == {
        (MANUAL, MANUAL): 1.0,
        (AUTOMATIC, AUTOMATIC): 0.75,
        (EARLIER, EARLIER): 0.75,
        ("single network", "single network 1"): 0.7,
        ("single network", "single network 2"): 0.7,
        ("drawn masks", "drawn masks 1"): 0.7,
        ("drawn masks", "drawn masks 2"): 0.7,
        ("noise 10%", "noise 10%, realisation 1"): 0.7,
        ("noise 10%", "noise 10%, realisation 2"): 0.6,
    }


def test_sets_of_the_same_masks_do_not_scatter_invariant(tables: Tables) -> None:
    scatter = tables["scatter"].dropna(subset="p_low")
    assert set(scatter["group"]) == set(step.GROUPS) - {"noise 20%"}
    assert scatter["ratio"].to_numpy() == pytest.approx(1)
    differences = tables["effect_differences"]
    assert set(differences["compared"]) == {
        "automatic less manual",
        "this run less the earlier one",
    }
    same = differences[differences["compared"] == "this run less the earlier one"]
    assert same["difference"].eq(0).all()
    assert tables["draws_of_runs"].empty  # of two draws there are no shares


def test_earlier_results_that_lack_a_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "features.csv").touch()
    message = "found no associations.csv, scores.csv, stability.csv"
    with pytest.raises(InputError, match=message):
        step.check_earlier(tmp_path)
    step.check_earlier(None)
