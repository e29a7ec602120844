import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.masks import dice
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import Segmenter, read_ensemble, segment
from lggshape.segmentation.inference import network_cache
from lggshape.segmentation.inference.network_cache import SeenCaseError
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.inference.predictor import FLIPS, Predictor
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.run.folder import read_arrays, write_arrays

OTHERS = make_phantom(np.random.default_rng(98), size=(3, 56, 48)).image
STRANGER = make_phantom(np.random.default_rng(99), size=(9, 48, 60), name="stranger")


@pytest.fixture(scope="module")
def found(networks):
    return segment(STRANGER, networks)


@pytest.fixture(scope="module")
def thorough(networks):
    return segment(STRANGER, networks, effort="thorough")


def test_all_are_on_the_grid_of_the_case(found):
    for values, dtype in (
        (found.mask, bool),
        (found.probability, np.float32),
        (found.uncertainty, np.float32),
        (found.entropy, np.float32),
    ):
        assert (values.shape, values.dtype) == ((9, 48, 60), dtype)
    assert found.slice_scores.shape == (9,)


def test_a_case_that_is_not_known_is_segmented_by_all(found):
    assert found.networks == ("fold0-member0", "fold1-member0")
    assert (found.fold, found.missing) == (None, ())


def test_it_shows_itself_in_a_line_and_as_a_figure(found):
    voxels, slices = int(found.mask.sum()), int(found.mask.any(axis=(1, 2)).sum())
    unspaced = replace(found, case=replace(found.case, geometry=Geometry()))
    assert repr(unspaced) == (
        f"Segmentation(stranger, {voxels} voxels in {slices} of 9 slices, 2 networks)"
    )
    assert "<th>networks</th><td>fold0-member0, fold1-member0</td>" in found._repr_html_()
    spaced = replace(found.case, geometry=Geometry((2.0, 5.0, 10.0)))
    assert f"({voxels / 10:.1f} ml)" in repr(replace(found, case=spaced))
    assert "no tumour found" in repr(replace(found, mask=np.zeros_like(found.mask)))
    figure = found.plot()
    assert sum(bool(axes.images) for axes in figure.axes) >= slices
    # The case has a mask of its own, too.
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["reference", "predicted"]


def test_ranges_and_the_entropy_of_the_probability_analytic(found):
    p = found.probability.astype(np.float64)
    assert 0 <= p.min() < 0.1
    assert 0.9 < p.max() <= 1
    # No numbers in [0, 1] spread more than a half.
    assert 0 <= found.uncertainty.min() < found.uncertainty.max() <= 0.5
    certain = (p == 0) | (p == 1)
    q = np.where(certain, 0.5, p)
    expected = np.where(certain, 0, -q * np.log2(q) - (1 - q) * np.log2(1 - q))
    np.testing.assert_allclose(found.entropy, expected, rtol=1e-4, atol=1e-5)


def test_the_mean_over_networks_and_flips_invariant(networks, thorough):
    found = thorough
    ensemble = read_ensemble(networks)
    volume = prepare_input(STRANGER, ensemble.configuration)
    predictor = Predictor(ensemble.configuration)
    every, means = [], []
    for member in ensemble.members:
        predictor.load(member.weights)
        predicted = predictor.predict(volume.codes, flips=FLIPS)
        every += [member.calibration.apply(one) for one in predicted]
        means.append(member.calibration.apply(predicted.mean(axis=0)))
    assert len(every) == 4
    mean = volume.restore(np.mean(means, axis=0))
    np.testing.assert_allclose(found.probability, mean, atol=1e-5)
    np.testing.assert_allclose(found.uncertainty, volume.restore(np.std(every, axis=0)), atol=1e-4)
    threshold = np.mean([member.threshold for member in ensemble.members])
    mask, removed = select_component(found.probability, threshold)
    np.testing.assert_array_equal(found.mask, mask)
    assert found.removed == removed
    assert (found.probability[found.mask] >= threshold).all()
    assert found.threshold == threshold
    samples = Segmenter(ensemble, samples=True, effort="thorough").segment(STRANGER).samples
    for sample, one in zip(samples, every, strict=True):
        by_itself = select_component(volume.restore(one), threshold).mask
        np.testing.assert_array_equal(sample, by_itself)


def test_the_score_of_a_slice_is_the_mean_of_its_highest_probabilities_analytic(found):
    # A thousandth of 48 x 60 pixels are three.
    highest = np.sort(found.probability.reshape(9, -1), axis=1)[:, -3:]
    np.testing.assert_allclose(found.slice_scores, highest.mean(axis=1), rtol=1e-6)


def test_segmenters_that_share_what_is_built_do_not_mix_their_weights_invariant(networks, thorough):
    ensemble = read_ensemble(networks)
    both = [
        Segmenter(replace(ensemble, members=(member,)), effort="thorough")
        for member in ensemble.members
    ]
    first, second, again = (both[place].segment(STRANGER).probability for place in (0, 1, 0))
    np.testing.assert_array_equal(again, first)
    assert np.abs(first - second).max() > 0.1
    np.testing.assert_allclose((first + second) / 2, thorough.probability, atol=1e-5)


def test_a_network_is_built_once_for_calls_that_follow_each_other(networks, monkeypatch):
    segment(STRANGER, networks)
    monkeypatch.setattr(network_cache, "Predictor", None)
    segment(STRANGER, networks)


def test_a_mirrored_head_has_the_mirrored_result_invariant(networks, thorough):
    mirrored = replace(STRANGER, image=STRANGER.image[:, :, ::-1])
    probability = segment(mirrored, networks, effort="thorough").probability
    np.testing.assert_allclose(probability[:, :, ::-1], thorough.probability, atol=2e-4)


def test_all_networks_see_the_slices_in_which_the_first_find_tumour_invariant(
    networks, found, thorough
):
    ensemble = read_ensemble(networks)  # one network of each of two folds
    alone = [replace(ensemble, members=(member,)) for member in ensemble.members]
    looks = [Segmenter(one, effort="fast").segment(STRANGER).probability for one in alone]
    found_by_one = np.max(looks, axis=(0, 2, 3)) > 0.1
    seen = np.flatnonzero(np.convolve(found_by_one, [1, 1, 1], "same"))
    elsewhere = np.setdiff1d(np.arange(9), seen)
    assert 0 < len(elsewhere) < 9
    np.testing.assert_allclose(found.probability[seen], thorough.probability[seen], atol=1e-6)
    mean = np.mean(looks, axis=0)
    np.testing.assert_allclose(found.probability[elsewhere], mean[elsewhere], atol=1e-6)
    assert not found.uncertainty[elsewhere].any()
    np.testing.assert_array_equal(found.mask, thorough.mask)


def test_a_slice_of_air_is_not_looked_at_analytic(networks):
    padded = np.concatenate([STRANGER.image, np.full_like(STRANGER.image[:2], 0)])
    case = replace(STRANGER, image=padded)
    look = segment(case, networks)
    # Nothing, calibrated.
    members = read_ensemble(networks).members
    nothing = np.mean([member.calibration.apply(np.zeros(1, np.float32)) for member in members])
    np.testing.assert_allclose(look.probability[-1], np.full((48, 60), nothing), rtol=1e-5)


def test_the_fast_way_has_two_networks_and_no_flips_invariant(networks, found):
    ensemble = read_ensemble(networks)
    many = replace(ensemble, members=ensemble.members * 3)
    fast = Segmenter(many, effort="fast", samples=True).segment(STRANGER)
    assert fast.networks == ("fold0-member0", "fold1-member0")
    assert len(fast.samples) == 2
    assert dice(fast.mask, found.mask) > 0.9
    assert not np.array_equal(fast.probability, found.probability)


def test_an_effort_that_there_is_not(networks):
    with pytest.raises(InputError, match="effort to be fast, usual, thorough, found: most"):
        segment(STRANGER, networks, effort="most")


def test_thin_slices_are_brought_back_to_the_grid_of_the_case_invariant(networks):
    thick = replace(STRANGER, geometry=Geometry((3.0, 4.0, 4.0)))
    thin = replace(thick, image=np.repeat(thick.image, 3, axis=0), geometry=Geometry((1.0, 4, 4)))
    expected, found = segment(thick, networks), segment(thin, networks)
    assert found.mask.shape == (27, 48, 60)
    assert found.notes[-1] == "slices 1 mm apart averaged to slabs of 3 mm for the networks"
    # In the middle of each slab nothing is interpolated.
    np.testing.assert_allclose(found.probability[1::3], expected.probability, atol=1e-6)


def test_what_the_networks_are_shown_can_be_changed_invariant(networks, found):
    def half(case, configuration):
        volume = prepare_input(case, configuration)
        return volume._replace(codes=np.where(volume.codes > 1, volume.codes // 2, volume.codes))

    ensemble = read_ensemble(networks)
    dim = Segmenter(ensemble, prepare=half).segment(STRANGER).probability
    assert np.abs(dim - found.probability).max() > 0.05
    plain = Segmenter(ensemble, prepare=prepare_input).segment(STRANGER).probability
    np.testing.assert_array_equal(plain, found.probability)


def test_masks_of_each_network_and_flip_are_there_only_when_asked_for(networks, found):
    assert found.samples is None
    asked = Segmenter(read_ensemble(networks), samples=True).segment(STRANGER)
    np.testing.assert_array_equal(asked.mask, found.mask)
    assert asked.samples.shape == (4, 9, 48, 60)


def test_intensities_of_another_unit_invariant(networks, found):
    other = replace(STRANGER, image=STRANGER.image.astype(np.float64) * 7.5 - 100)
    np.testing.assert_allclose(segment(other, networks).probability, found.probability, atol=1e-4)


def test_nothing_depends_on_the_case_before_invariant(networks, found, cohort):
    segmenter = Segmenter(read_ensemble(networks))
    known = open_cases(cohort)[0].read(mask=False)
    for case in (known, STRANGER, known):
        result = segmenter.segment(case)
        assert len(result.networks) == (1 if case is known else 2)
        if case is STRANGER:
            np.testing.assert_array_equal(result.probability, found.probability)


def test_a_run_that_was_replaced_is_read_anew(networks, found, tmp_path):
    run = shutil.copytree(networks, tmp_path / "run")
    assert segment(STRANGER, run).networks == found.networks
    (run / "fold0-member0" / "network.json").unlink()
    assert segment(STRANGER, run).networks == ("fold1-member0",)


def test_weights_that_were_not_taken_whole_are_not_used(networks, found, cohort, tmp_path):
    run = shutil.copytree(networks, tmp_path / "run")
    segmenter = Segmenter(read_ensemble(run))
    second = run / "fold1-member0" / "weights.npz"
    whole = second.read_bytes()
    weights = read_arrays(second)
    write_arrays(second, dict(list(weights.items())[:-1]))  # the last one is missing
    with pytest.raises(InputError, match="to hold the weights of this network, found others"):
        segmenter.segment(STRANGER)
    second.write_bytes(whole)
    np.testing.assert_array_equal(segmenter.segment(STRANGER).probability, found.probability)


def test_it_computes_with_the_precision_of_the_run(networks):
    ensemble = replace(read_ensemble(networks), precision="bfloat16")
    assert Segmenter(ensemble).precision == "mixed_bfloat16"
    assert Segmenter(replace(ensemble, precision="auto"), device="cpu").precision == "float32"


def test_flair_alone(networks):
    alone = replace(STRANGER, image=STRANGER.image[..., 1:2], sequences=("FLAIR",))
    found = segment(alone, networks)
    assert found.missing == ("pre-contrast", "post-contrast")
    copies = replace(STRANGER, image=np.repeat(STRANGER.image[..., 1:2], 3, axis=-1))
    np.testing.assert_array_equal(segment(copies, networks).probability, found.probability)


@pytest.mark.parametrize("shape", [(1, 17, 5), (2, 32, 32), (17, 8, 90)])
def test_any_shape(networks, shape):
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    case = Case("noise", "noise", image=image, sequences=STRANGER.sequences, geometry=Geometry())
    assert segment(case, networks).mask.shape == shape


@pytest.mark.parametrize(
    ("image", "sequences", "message"),
    [
        (None, (), "to have an image with FLAIR, found: no image"),
        (np.ones((3, 8, 8, 1)), ("post-contrast",), "with FLAIR, found: post-contrast"),
        (np.ones((3, 8, 8, 1)), ("FLAIR",), "hardly any contrast"),
        (np.full((3, 8, 8, 1), np.nan), ("FLAIR",), "to be finite"),
    ],
)
def test_images_that_cannot_be_segmented(networks, image, sequences, message):
    with pytest.raises(CaseError, match=message):
        segment(Case("bad", "bad", image=image, sequences=sequences), networks)


def test_training_cases_are_known_by_name_patient_and_slices(networks, cohort):
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    segmenter = Segmenter(read_ensemble(networks))
    for source in open_cases(cohort)[:4]:
        case = source.read(mask=False)
        expected = (f"fold{folds[case.patient]}-member0",)
        copy = replace(case, id="copy", patient="copy")
        turned = replace(copy, image=np.rot90(case.image[..., 1:2], axes=(1, 2)).astype(float),
                         sequences=("FLAIR",))  # fmt: skip
        for one in (
            case,
            copy,
            turned,
            replace(copy, image=STRANGER.image, patient=case.patient),
            replace(copy, image=STRANGER.image, id=case.id),
            # One slice of theirs among others.
            replace(copy, image=np.concatenate([OTHERS, case.image[4:5]])),
        ):
            assert segmenter.segment(one).networks == expected


def test_all_networks_have_seen_the_patient(networks, cohort, tmp_path):
    alone = shutil.copytree(networks, tmp_path / "run")
    shutil.rmtree(alone / "fold1-member0")
    folds = json.loads((networks / "folds.json").read_text())["patients"]
    for source in open_cases(cohort):
        case = replace(source.read(mask=False), id="copy", patient="copy")
        if folds[source.patient] == 0:
            assert segment(case, alone).fold == 0
        else:
            found = rf"of case copy \({source.patient}\), found none among the finished"
            with pytest.raises(SeenCaseError, match=found):
                segment(case, alone)


def test_weights_of_another_network(networks, tmp_path):
    other = shutil.copytree(networks, tmp_path / "run")
    for weights in other.rglob("weights.npz"):
        arrays = read_arrays(weights)
        np.savez(weights, **{name: values[..., :1] for name, values in arrays.items()})
    with pytest.raises(InputError, match=r"weights\.npz to hold the weights of this network"):
        segment(STRANGER, other)
    for weights in other.rglob("weights.npz"):
        np.savez(weights, other=np.ones(3))
    with pytest.raises(InputError, match=r"weights\.npz to hold the weights of this network"):
        segment(STRANGER, other)
    # All that the network has, and another layer: it would have been left out in silence.
    for weights in other.rglob("weights.npz"):
        own = read_arrays(networks / weights.relative_to(other))
        write_arrays(weights, own | {"another/kernel": np.ones(3)})
    with pytest.raises(InputError, match=r"weights\.npz to hold the weights of this network"):
        segment(STRANGER, other)


def test_gpu_that_is_not_there(networks, monkeypatch):
    monkeypatch.setattr("lggshape.segmentation._backend.gpus", list)
    with pytest.raises(InputError, match="found none by Keras"):
        segment(STRANGER, networks, device="gpu")
