"""The manual half of the study on the real data: skipped where that is not at hand."""

from pathlib import Path

import pytest

from lggshape import (
    associate,
    choose_family,
    feature_table,
    open_cases,
    read_features,
    read_labels,
)
from lggshape.association import Study
from lggshape.files import write_table

pytestmark = pytest.mark.real_data

ASD, BEVR, MF = (
    "angular_standard_deviation",
    "bounding_ellipsoid_volume_ratio",
    "margin_fluctuation",
)

R_VALUES = {
    (BEVR, "RNASeqCluster"): 6.057779129193101e-05,
    (BEVR, "miRNACluster"): 0.055720212953692026,
    (BEVR, "CNCluster"): 0.003419162749027614,
    (BEVR, "COCCluster"): 0.002482102354425574,
    (MF, "RNASeqCluster"): 0.0019630628413259596,
    (ASD, "idh_1p19q_buda_table2"): 0.2704535801345386,
    (ASD, "RNASeqCluster"): 0.0004022333146779103,
    (ASD, "MethylationCluster"): 0.026551211687301294,
    (ASD, "CNCluster"): 0.03881668517412076,
    (ASD, "COCCluster"): 0.08930968403559184,
}
"""p of R 4.2 (`fisher.test`) on the ten tables of quartiles by clusters."""


@pytest.fixture(scope="module")
def study(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    measured = feature_table(open_cases(dataset, masks_only=True), jobs=1)
    path = tmp_path_factory.mktemp("features") / "features.csv"
    write_table(path, measured.table)
    features = read_features(path)
    labels = read_labels([dataset / "data.csv", dataset.parents[1] / "tcga_lgg" / "idh_1p19q.csv"])
    return associate(features, labels, choose_family("buda2019", features, labels))


def test_every_patient_has_the_three_features_paper(study: Study) -> None:
    assert len(study.data) == 110
    assert study.data[[ASD, BEVR, MF]].notna().all(axis=None)


def test_the_ten_hypotheses_r(study: Study) -> None:
    p = study.associations.set_index(["feature", "label"])["p"].to_dict()
    assert p == pytest.approx(R_VALUES, rel=1e-7)


def test_the_claims_hold_on_manual_masks_paper(study: Study) -> None:
    p = study.associations.set_index(["feature", "label"])["p"]
    assert p[BEVR, "RNASeqCluster"] < 0.0002
    assert p[MF, "RNASeqCluster"] < 0.005
    areas = study.discrimination.set_index(["feature", "label", "level"])["auc"]
    assert areas[BEVR, "RNASeqCluster", "R2"] == pytest.approx(0.78, abs=0.02)


def test_patients_of_each_cluster_paper(study: Study) -> None:
    counts = study.associations.set_index(["feature", "label"])["n"]
    assert counts[BEVR, "RNASeqCluster"] == 92
    assert counts[ASD, "idh_1p19q_buda_table2"] == 107
