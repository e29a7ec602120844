import numpy as np
import pandas as pd
import pytest
from scipy.stats import kruskal

from lggshape.association.hypotheses import read_family
from lggshape.labels import read_labels
from lggshape.phantoms import clinical_table, draw_patients, label_table
from lggshape.phantoms.labels import HYPOTHESES


def labelled(irregularity, rng, *, association=True):
    patients = draw_patients(irregularity, rng=rng, association=association)
    return label_table(patients, rng=rng)


def p_value(values, labels):
    known = labels.notna()
    groups = [values[known & (labels == level)] for level in labels[known].unique()]
    return kruskal(*[group for group in groups if group.size]).pvalue


def test_patients_have_names_of_their_own():
    names = pd.Series(draw_patients(np.zeros(500), rng=np.random.default_rng(0)).names)
    assert names.is_unique
    assert names.str.fullmatch(r"PHANTOM_[A-D]_\d{4}").all()


def test_labels_are_read_as_what_they_are(tmp_path):
    rng = np.random.default_rng(0)
    table = labelled(np.linspace(0, 1, 500), rng)
    table.to_csv(tmp_path / "labels.csv", index=False)
    clinical_table(table, rng=rng).to_csv(tmp_path / "clinical.csv", index=False)
    read = read_labels([tmp_path / "labels.csv", tmp_path / "clinical.csv"])
    assert read["molecular_subtype"].levels == ("S1", "S2", "S3", "S4")
    assert set(read["idh"].levels) == {"wild-type", "mutant"}
    assert read["grade"].levels == ("grade 2", "grade 3")
    assert read["age"].kind == "continuous"
    assert read["survival_days"].kind == "time"
    assert len(read["molecular_subtype"].values) < 500 == len(read["sex"].values)


@pytest.mark.parametrize("column", ["molecular_subtype", "idh"])
def test_a_planted_association_is_found_scipy(column):
    rng = np.random.default_rng(0)
    irregularity = rng.random(400)
    assert p_value(irregularity, labelled(irregularity, rng)[column]) < 1e-6


def test_without_association_p_values_are_uniform_but_labels_go_together_scipy():
    rng = np.random.default_rng(0)
    below, together, sex = 0, 0, 0
    for _ in range(200):
        irregularity = rng.random(110)
        table = labelled(irregularity, rng, association=False)
        below += p_value(irregularity, table["molecular_subtype"]) < 0.05
        together += p_value(table["age"], table["molecular_subtype"]) < 0.05
        sex += p_value(irregularity, labelled(irregularity, rng)["sex"]) < 0.05
    # Binomial(200, 0.05) lies between 2 and 20 with a probability of 0.998.
    assert 2 <= below <= 20
    assert 2 <= sex <= 20
    assert together > 180


def test_wild_types_fare_worse():
    labels = labelled(np.random.default_rng(0).random(500), np.random.default_rng(1))
    table = clinical_table(labels, rng=np.random.default_rng(2))
    assert (table["patient"] == labels["patient"]).all()
    wild_type = (labels["idh"] == "wild-type").to_numpy()
    died = (table["died"] == 1).to_numpy()
    # Planted: 3.3 times the hazard.
    assert died[wild_type].mean() > died[~wild_type].mean() + 0.1
    assert table["survival_days"].between(1, 5 * 365).all()


def test_the_hypotheses_name_labels_that_there_are(tmp_path):
    (tmp_path / "hypotheses.toml").write_text(HYPOTHESES)
    table = labelled(np.linspace(0, 1, 9), np.random.default_rng(0))
    family = read_family(tmp_path / "hypotheses.toml")
    assert {hypothesis.label for hypothesis in family.hypotheses} <= set(table.columns)
