from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.phantoms import make_phantom
from lggshape.segmentation import NetworkConfiguration
from lggshape.segmentation.preprocessing.intensities import MISSING, STEP
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.studies.buda2019.analyses import noise
from lggshape.studies.buda2019.analyses.masks import own_mask
from lggshape.studies.buda2019.analyses.noise import Noise, NoisyMasks, add_noise
from lggshape.studies.buda2019.network_steps import _noises
from lggshape.studies.buda2019.replication import Replication, masks_in


def test_noise_has_its_deviation_and_leaves_missing_sequences_analytic():
    codes = np.full((20, 100, 100, 2), 128, dtype=np.uint8)
    codes[..., 1] = MISSING
    noisy = add_noise(codes, 0.5, np.random.default_rng(0))
    assert (noisy[..., 1] == MISSING).all()
    added = (noisy[..., 0].astype(float) - 128) * STEP
    # Of 200,000 voxels, to four standard errors; rounding adds a variance of STEP ** 2 / 12.
    assert added.mean() == pytest.approx(0, abs=4 * 0.5 / np.sqrt(2e5))
    assert added.std() == pytest.approx(np.sqrt(0.25 + STEP**2 / 12), rel=4 / np.sqrt(4e5))


def test_the_noise_of_a_case_depends_on_its_name_and_the_seed_alone_invariant():
    case = make_phantom(np.random.default_rng(9), size=(5, 48, 60), name="a")
    configuration = NetworkConfiguration(size=64)
    plain = prepare_input(case, configuration)
    noise = Noise(0.5, seed=1)
    noisy = noise(case, configuration)
    other = noise(replace(case, id="b"), configuration)
    again = noise(case, configuration)
    np.testing.assert_array_equal(noisy.codes, again.codes)
    assert (noisy.frame, noisy.missing) == (plain.frame, plain.missing)
    for different in (plain, other, Noise(0.5, seed=2)(case, configuration)):
        assert not np.array_equal(different.codes, noisy.codes)


@pytest.mark.parametrize(
    ("realisations", "expected"),
    [(1, [(0, 1), (0.1, 1), (0.2, 1)]), (2, [(0, 1), (0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)])],
)
def test_noise_is_drawn_as_often_as_asked_analytic(realisations, expected) -> None:
    assert list(_noises(realisations)) == expected


def test_cases_without_a_usable_mask_do_not_stop_the_search_analytic(
    replicated, keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One patient's manual mask could not be measured, another failed under noise."""
    replication = Replication(
        dataset=replicated.folder, labels=replicated.labels, label_tables=(),
        family=replicated.family, roles=replicated.roles, networks=tmp_path, masks=None,
        work=tmp_path / "work", realisations=3, jobs=1,
    )  # fmt: skip
    unmeasured, good, failed = replicated.manual_sources[:3]
    features = replicated.features.copy()
    lost = (features["case"] == unmeasured.id) & (features["masks"] == "manual")
    features.loc[lost, "spacing_known"] = None
    replication.write({"features": features})
    found = NoisyMasks(tmp_path / "masks", tmp_path / "probabilities")
    for source in (unmeasured, good):
        mask = own_mask(source.read(image=False))
        if source is good:  # half of the slices: Dice is 2 * inside / (inside + all)
            inside, whole = int(mask[::2].sum()), int(mask.sum())
            mask[1::2] = False
        source.write(found.masks, {"mask": mask})
        keep(found.probabilities, source.id, mask)
    rows = [
        {"case": source.id, "patient": source.patient, "status": status, "reason": ""}
        for source, status in ((unmeasured, "ok"), (good, "ok"), (failed, "failed"))
    ]
    pd.DataFrame(rows).to_csv(found.masks / "segmentation.csv", index=False)
    monkeypatch.setattr(noise, "noisy_masks", lambda replication, noise, realisation: found)

    disturbance = noise.disturbed(replication, level=1.0)
    tried = disturbance.tried
    assert tried["dice_mean"].tolist() == [2 * inside / (inside + whole)] * 3
    assert list(disturbance.masks) == [(0.3, 1), (0.3, 2), (0.3, 3)]
    assert [source.id for source in masks_in(found.masks)] == [unmeasured.id, good.id]
