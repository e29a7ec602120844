import numpy as np
import pytest
from scipy.stats import kruskal

from lggshape.labels import read_labels
from lggshape.phantoms import draw_patients
from lggshape.studies.buda2019.phantom_labels import clinical_table, cluster_table

IDH = "idh_1p19q_buda_table2"
CODES = {
    "RNASeqCluster": 4,
    "MethylationCluster": 5,
    "miRNACluster": 4,
    "CNCluster": 3,
    "COCCluster": 3,
    "gender": 2,
}


def clusters(irregularity, rng):
    return cluster_table(draw_patients(irregularity, rng=rng), rng=rng)


def test_labels_have_the_codes_of_the_public_table():
    table = clusters(np.linspace(0, 1, 500), np.random.default_rng(0))
    for column, levels in CODES.items():
        assert set(table[column].dropna()) == set(range(1, levels + 1))
    assert table["age_at_initial_pathologic"].dropna().between(16, 85).all()
    assert set(table[IDH].dropna()) == {"IDHwt", "IDHmut-non-codel", "IDHmut-codel"}
    assert table["RNASeqCluster"].isna().any()
    assert table["gender"].notna().all()


@pytest.mark.parametrize("column", [*list(CODES)[:5], IDH])
def test_a_planted_association_is_found_scipy(column):
    rng = np.random.default_rng(0)
    irregularity = rng.random(400)
    labels = clusters(irregularity, rng)[column]
    groups = [irregularity[(labels == level).fillna(False)] for level in labels.dropna().unique()]
    assert kruskal(*groups).pvalue < 1e-6


def test_clinical_data_depend_on_idh_and_are_read_by_the_codebook(tmp_path):
    labels = clusters(np.random.default_rng(0).random(500), np.random.default_rng(1))
    table = clinical_table(labels, rng=np.random.default_rng(2))
    assert (table["Patient"] == labels["Patient"]).all()
    table.to_csv(tmp_path / "clinical.csv", index=False)
    read = read_labels([tmp_path / "clinical.csv"])
    assert read["neoplasm_histologic_grade"].levels == ("grade II", "grade III")
    assert set(read["OS"].levels) == set(read["PFI"].levels) == {"event", "censored"}
    wild_type = (labels[IDH] == "IDHwt").to_numpy()
    died = (table["OS"] == 1).to_numpy()
    # Planted: 3.3 times the hazard.
    assert died[wild_type].mean() > died[~wild_type].mean() + 0.1
    assert table["OS.time"].between(1, 5 * 365).all()
