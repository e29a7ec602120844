import numpy as np
import pytest
from scipy.ndimage import label as components
from scipy.spatial.transform import Rotation
from scipy.stats import kruskal, spearmanr

from lggshape.errors import InputError
from lggshape.files import read_table
from lggshape.labels import read_labels
from lggshape.phantoms import (
    ball,
    clinical_table,
    cohort,
    ellipsoid,
    label_table,
    lobulated,
    lobulated_disc,
    make_phantom,
    spiculated,
    write_cohort,
)
from lggshape.readers import open_cases

SMALL = (10, 40, 40)
TURN = Rotation.from_rotvec([0.4, -0.3, 0.9])


def has_empty_margin(mask):
    return all(not np.take(mask, [0, -1], axis=axis).any() for axis in range(mask.ndim))


# --- solids


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.5, 0.8)])
def test_volume_of_a_ball_analytic(spacing):
    mask = ball(20, spacing=spacing)
    assert mask.sum() * np.prod(spacing) == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)
    assert has_empty_margin(mask)


def test_a_ball_of_radius_one_is_a_cross_analytic():
    cross = np.zeros((5, 5, 5), dtype=bool)
    cross[2, 2, 1:4] = cross[2, 1:4, 2] = cross[1:4, 2, 2] = True
    np.testing.assert_array_equal(ball(1), cross)


@pytest.mark.parametrize("rotation", [None, TURN])
def test_volume_of_an_ellipsoid_analytic(rotation):
    mask = ellipsoid((10, 15, 24), rotation=rotation)
    assert mask.sum() == pytest.approx(4 / 3 * np.pi * 10 * 15 * 24, rel=0.01)
    assert has_empty_margin(mask)


def test_extent_of_an_ellipsoid_is_z_y_x_analytic():
    # The margin goes by the longest axis, so that any rotation fits.
    mask = ellipsoid((3, 5, 8))
    lengths = [np.flatnonzero(mask.any(axis=axes)).size for axes in ((1, 2), (0, 2), (0, 1))]
    assert lengths == [7, 11, 17]


def test_second_moments_of_a_turned_ellipsoid_analytic():
    semi_axes = np.array([10.0, 15.0, 24.0])
    points = np.argwhere(ellipsoid(tuple(semi_axes), rotation=TURN))
    matrix = TURN.as_matrix()
    expected = matrix @ np.diag(semi_axes**2 / 5) @ matrix.T
    np.testing.assert_allclose(np.cov(points.T), expected, atol=0.02 * semi_axes.max() ** 2 / 5)


def test_without_depth_or_length_a_solid_is_the_ball_invariant():
    np.testing.assert_array_equal(lobulated(9, 6, 0.0), ball(9))
    np.testing.assert_array_equal(spiculated(9, 6, 0.0), ball(9))


def test_lobes_lie_between_two_balls_and_reach_the_outer_one_invariant():
    mask = lobulated(20, 6, 0.4)
    outer, inner = ball(20), ball(20 * 0.6)
    width = (outer.shape[0] - inner.shape[0]) // 2
    assert not (mask & ~outer).any()
    assert mask[tuple([slice(width, -width)] * 3)][inner].all()
    distances = np.linalg.norm(np.argwhere(mask) - 21, axis=1)
    assert distances.max() > 19.5
    assert has_empty_margin(mask)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_lobes_and_spikes_are_as_many_as_asked_for(count):
    # Beyond a ball between the valleys and the tops, every lobe and every spike is a piece.
    for mask in (lobulated(30, count, 0.6), spiculated(20, count, 12, rotation=TURN)):
        middle = (np.array(mask.shape) - 1) / 2
        distance = np.linalg.norm(np.moveaxis(np.indices(mask.shape), 0, -1) - middle, axis=-1)
        assert components(mask & (distance > 26), np.ones((3, 3, 3)))[1] == count


def test_spikes_reach_as_far_as_asked_for():
    mask = spiculated(10, 8, 6)
    distances = np.linalg.norm(np.argwhere(mask) - 17, axis=1)
    assert 14 < distances.max() <= 16
    assert ball(10).sum() < mask.sum() < ball(16).sum()
    assert has_empty_margin(mask)


@pytest.mark.parametrize("radius", [20, 40, 80])
@pytest.mark.parametrize(("lobes", "depth"), [(0, 0.0), (5, 0.2), (8, 0.4)])
def test_area_of_a_lobulated_disc_analytic(radius, lobes, depth):
    mask = lobulated_disc(radius, lobes, depth)
    expected = np.pi * radius**2 * (1 + depth**2 / 2)
    assert mask.sum() == pytest.approx(expected, rel=0.25 / radius)
    assert has_empty_margin(mask)


def test_a_larger_disc_is_the_same_shape_invariant():
    small, large = lobulated_disc(20, 6, 0.3), lobulated_disc(80, 6, 0.3)
    # Every fourth pixel of the large one, about its centre.
    half = large.shape[0] // 2
    picked = large[half % 4 :: 4, half % 4 :: 4]
    margin = (picked.shape[0] - small.shape[0]) // 2
    small = np.pad(small, margin) if margin >= 0 else small[-margin:margin, -margin:margin]
    np.testing.assert_array_equal(small, picked)


# --- heads


@pytest.fixture(scope="module")
def head():
    return make_phantom(np.random.default_rng(0), name="A")


def test_a_phantom_is_a_case_like_the_real_ones(head):
    assert (head.id, head.patient) == ("A", "A")
    assert head.image.shape == (24, 96, 96, 3)
    assert head.image.dtype == np.uint8
    assert head.mask.shape == (24, 96, 96)
    assert head.mask.dtype == bool
    assert head.sequences == ("pre-contrast", "FLAIR", "post-contrast")
    assert head.geometry.spacing == pytest.approx((135 / 24, 225 / 96, 225 / 96))


@pytest.mark.parametrize("seed", range(5))
def test_the_tumour_is_bright_on_flair_within_the_brain_and_one_piece(seed):
    case = make_phantom(np.random.default_rng(seed), irregularity=seed / 4, size=SMALL)
    flair = case.image[..., 1].astype(float)
    brain = (flair > 30) & ~case.mask
    assert flair[case.mask].mean() > 1.3 * np.median(flair[brain])
    assert components(case.mask, np.ones((3, 3, 3)))[1] == 1
    assert has_empty_margin(case.mask.any(axis=0))


def test_air_is_dark_but_noisy(head):
    corner = head.image[:, :6, :6].astype(float)
    # Rayleigh: the mean of the magnitude of noise of SD 2.5 is 2.5 * sqrt(pi / 2).
    assert corner.mean() == pytest.approx(2.5 * np.sqrt(np.pi / 2), rel=0.1)


def test_the_head_fills_any_size_invariant():
    small = make_phantom(np.random.default_rng(7), size=(12, 48, 48))
    large = make_phantom(np.random.default_rng(7), size=(12, 96, 96))
    # The same tumour, at twice the resolution in the plane.
    assert large.mask.sum() == pytest.approx(4 * small.mask.sum(), rel=0.05)
    for axes in ((1, 2), (0, 2), (0, 1)):
        share = [(case.image[..., 0] > 50).any(axis=axes).mean() for case in (small, large)]
        assert share[0] == pytest.approx(share[1], abs=1.5 / 48)


def test_irregularity_makes_tumours_irregular():
    # Volume over that of the hull: 1 for a convex shape, less the deeper its lobes.
    skimage = pytest.importorskip("skimage.measure")
    made = cohort(patients=24, seed=3, size=(16, 64, 64))
    solidity = [skimage.regionprops(c.mask.astype(int))[0].solidity for c in made.cases]
    assert spearmanr(solidity, made.irregularity)[0] < -0.8


# --- labels


CODES = {
    "RNASeqCluster": 4,
    "MethylationCluster": 5,
    "miRNACluster": 4,
    "CNCluster": 3,
    "COCCluster": 3,
    "gender": 2,
}


def test_labels_have_the_codes_of_the_kaggle_table():
    table = label_table(np.linspace(0, 1, 500), rng=np.random.default_rng(0))
    assert table["Patient"].is_unique
    assert table["Patient"].str.fullmatch(r"PHANTOM_[A-D]_\d{4}").all()
    for column, levels in CODES.items():
        assert set(table[column].dropna()) == set(range(1, levels + 1))
    assert table["age_at_initial_pathologic"].dropna().between(16, 85).all()
    assert set(table["idh_1p19q_buda_table2"].dropna()) == {
        "IDHwt",
        "IDHmut-non-codel",
        "IDHmut-codel",
    }
    assert table["RNASeqCluster"].isna().any()
    assert table["gender"].notna().all()


def p_value(irregularity, labels):
    known = labels.notna()
    groups = [irregularity[known & (labels == level)] for level in labels[known].unique()]
    return kruskal(*[group for group in groups if group.size]).pvalue


@pytest.mark.parametrize("column", [*list(CODES)[:5], "idh_1p19q_buda_table2"])
def test_a_planted_association_is_found_scipy(column):
    rng = np.random.default_rng(0)
    irregularity = rng.random(400)
    labels = label_table(irregularity, rng=rng)[column]
    assert p_value(irregularity, labels) < 1e-6


def test_without_association_p_values_are_uniform_but_labels_go_together_scipy():
    rng = np.random.default_rng(0)
    below, together = 0, 0
    for _ in range(200):
        irregularity = rng.random(110)
        table = label_table(irregularity, rng=rng, association=False)
        below += p_value(irregularity, table["RNASeqCluster"]) < 0.05
        age = table["age_at_initial_pathologic"].astype(float)
        known = age.notna().to_numpy()
        together += p_value(age.to_numpy()[known], table["RNASeqCluster"][known]) < 0.05
    # Binomial(200, 0.05) lies between 2 and 20 with a probability of 0.998.
    assert 2 <= below <= 20
    assert together > 180


def test_clinical_data_go_with_the_labels_and_are_read_by_the_codebook(tmp_path):
    labels = label_table(np.random.default_rng(0).random(500), rng=np.random.default_rng(1))
    table = clinical_table(labels, rng=np.random.default_rng(2))
    assert (table["Patient"] == labels["Patient"]).all()
    table.to_csv(tmp_path / "clinical.csv", index=False)
    read = read_labels([tmp_path / "clinical.csv"])
    assert read["neoplasm_histologic_grade"].levels == ("grade II", "grade III")
    assert set(read["OS"].levels) == set(read["PFI"].levels) == {"event", "censored"}
    wild_type = (labels["idh_1p19q_buda_table2"] == "IDHwt").to_numpy()
    died = (table["OS"] == 1).to_numpy()
    # Planted: 3.3 times the hazard.
    assert died[wild_type].mean() > died[~wild_type].mean() + 0.1
    assert table["OS.time"].between(1, 5 * 365).all()


# --- cohorts


def test_a_cohort_depends_on_its_seed_alone():
    first, again = (cohort(patients=3, seed=5, size=SMALL) for _ in range(2))
    other = cohort(patients=3, seed=6, size=SMALL)
    assert first.labels.equals(again.labels)
    assert first.clinical.equals(again.clinical)
    assert not np.array_equal(first.irregularity, other.irregularity)
    for one, same, differs in zip(first.cases, again.cases, other.cases, strict=True):
        np.testing.assert_array_equal(one.image, same.image)
        assert not np.array_equal(one.image, differs.image)


def test_more_patients_do_not_change_the_first_ones():
    few, more = (cohort(patients=n, seed=5, size=SMALL) for n in (2, 4))
    for one, same in zip(few.cases, more.cases, strict=False):
        np.testing.assert_array_equal(one.image, same.image)


def test_association_changes_the_labels_and_not_the_heads():
    planted, null = (cohort(patients=40, seed=5, association=a, size=SMALL) for a in (True, False))
    np.testing.assert_array_equal(planted.irregularity, null.irregularity)
    np.testing.assert_array_equal(next(planted.cases).image, next(null.cases).image)
    assert not planted.labels.equals(null.labels)


def test_a_written_cohort_is_a_data_set(tmp_path):
    folder = write_cohort(tmp_path / "new" / "cohort", patients=11, seed=2, size=SMALL)
    assert folder == tmp_path / "new" / "cohort"
    made = cohort(patients=11, seed=2, size=SMALL)
    sources = {source.id: source for source in open_cases(folder)}
    assert list(made.labels["Patient"]) == sorted(sources, key=lambda name: name[-4:])
    for index, expected in enumerate(made.cases):
        case = sources[expected.id].read()
        np.testing.assert_array_equal(case.image, expected.image)
        np.testing.assert_array_equal(case.mask, expected.mask)
        assert case.patient == expected.patient
        lacks_post_contrast = np.array_equal(case.image[..., 2], case.image[..., 1])
        assert lacks_post_contrast == (index == 9)
    labels = read_table(folder / "labels.csv", required=("Patient", *CODES))
    assert "idh_1p19q_buda_table2" not in labels
    assert set(labels["RNASeqCluster"]) <= {"", "1", "2", "3", "4"}
    idh = read_table(folder / "idh_1p19q.csv")
    assert list(idh.columns) == ["Patient", "idh_1p19q_buda_table2"]
    assert list(idh["Patient"]) == list(labels["Patient"]) == list(made.labels["Patient"])


def test_a_cohort_is_not_mixed_with_other_files(tmp_path):
    (tmp_path / "other.txt").touch()
    for folder in (tmp_path, tmp_path / "other.txt"):
        with pytest.raises(InputError, match="a new or empty folder"):
            write_cohort(folder, patients=1, size=SMALL)
    (tmp_path / "empty").mkdir()
    write_cohort(tmp_path / "empty", patients=1, size=SMALL)
