"""Masks of networks that are shown noise, kept in the folder of the work."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.masks import dice
from lggshape.parallel import map_all
from lggshape.readers import CaseSource, open_cases
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.intensities import MISSING, STEP
from lggshape.segmentation.preprocessing.network_input import Volume, prepare_input
from lggshape.studies.buda2019.analyses.masks import above_threshold, own_mask
from lggshape.studies.buda2019.analyses.probabilities import keep_probability
from lggshape.studies.buda2019.replication import Replication, masks_in

DISTURBANCES = (0.3, 0.5, 0.7, 1.0, 1.5)
"""Standard deviations of noise that are tried to bring the masks down to a level of Dice."""


@dataclass(frozen=True)
class Noise:
    """Gaussian noise on what networks are shown: for `prepare` of `Segmenter`.

    Attributes
    ----------
    amount : float
        Its standard deviation, in (robust) standard deviations of a sequence.
    seed : int
        Seed of the noise. A case gets the same, whatever is segmented before it.
    """

    amount: float
    seed: int

    def __call__(self, case: Case, configuration: NetworkConfiguration) -> Volume:
        """Prepare a case for networks, with noise."""
        volume = prepare_input(case, configuration)
        rng = np.random.default_rng([self.seed, crc32(case.id.encode())])
        return volume._replace(codes=add_noise(volume.codes, self.amount, rng))


def add_noise(
    codes: NDArray[np.uint8], amount: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Add Gaussian noise to what networks are shown.

    Parameters
    ----------
    codes : ndarray of uint8
        As `standardise` gives them.
    amount : float
        Standard deviation of the noise, in (robust) standard deviations of a sequence.
    rng : Generator
        What draws the noise.

    Returns
    -------
    ndarray of uint8
        The codes with noise; those of missing sequences as they were.
    """
    noise = rng.standard_normal(codes.shape, dtype=np.float32) * np.float32(amount / STEP)
    noisy: NDArray[np.uint8] = np.clip(np.rint(codes + noise), 1, 255).astype(np.uint8)
    return np.where(codes == MISSING, codes, noisy)


class NoisyMasks(NamedTuple):
    """Where the masks and the probabilities of networks that were shown noise lie."""

    masks: Path
    probabilities: Path


class Disturbance(NamedTuple):
    """What it took to bring the masks down.

    Attributes
    ----------
    masks : dict of (float, int) to NoisyMasks
        The masks of each level of noise that was tried, up to the first that did, and of each
        realisation of it.
    tried : DataFrame
        A row per level and realisation: `noise`, `realisation`, `dice_mean`, `dice_median`,
        `below_tenth`, and `reached`, which is of the level.
    """

    masks: dict[tuple[float, int], NoisyMasks]
    tried: pd.DataFrame


def noisy_masks(replication: Replication, noise: float, realisation: int = 1) -> NoisyMasks:
    """Segment the cases again with Gaussian noise on what the networks are shown.

    Parameters
    ----------
    replication : Replication
        With networks.
    noise : float
        Its standard deviation, in those of a sequence. Without any, the masks are those that the
        replication has already.
    realisation : int
        Which noise of that standard deviation; its seed is that of the replication for the first,
        the next number for the second, and so on.
    """
    if not noise:
        return NoisyMasks(replication.mask_folder, replication.probabilities)
    from lggshape.segmentation import segment_cases

    name = f"noise-{noise:g}" + (f"-{realisation}" if realisation > 1 else "")
    seed = replication.seed + realisation - 1
    found = NoisyMasks(replication.work / name, replication.work / f"{name}-probabilities")
    sources = open_cases(replication.dataset)
    assert replication.networks is not None  # the step is done with networks alone
    segment_cases(
        sources,
        found.masks,
        networks=replication.networks,
        prepare=Noise(noise, seed),
        prepare_settings={"noise": noise, "seed": seed},
        resume=True,
        on_progress=replication.tell(f"segmenting with {noise:.0%} noise, {realisation}"),
        on_result=partial(keep_probability, found.probabilities),
    )
    return found


def disturbed(replication: Replication, level: float) -> Disturbance:
    """Find the noise that brings the mean Dice of all that lies above one half down to a level.

    The Dice is the mean over the patients and the realisations of the noise.
    """
    masks, tried = {}, []
    for noise in DISTURBANCES:
        rows = []
        for realisation in range(1, replication.realisations + 1):
            found = noisy_masks(replication, noise, realisation)
            scores = pd.Series(list(_dice_above_half(replication, found)), dtype=float)
            masks[noise, realisation] = found
            rows.append(
                {
                    "noise": noise, "realisation": realisation,
                    "dice_mean": scores.mean(), "dice_median": scores.median(),
                    "below_tenth": int((scores < 0.1).sum()),
                }
            )  # fmt: skip
        of_level = pd.DataFrame(rows)
        reached = bool(of_level["dice_mean"].mean() <= level)
        tried.append(of_level.assign(reached=reached))
        if reached:
            break
    return Disturbance(masks, pd.concat(tried, ignore_index=True))


def _dice_above_half(replication: Replication, found: NoisyMasks) -> Iterator[float]:
    references = {source.id: source for source in replication.manual}
    pairs = [(s, references[s.id]) for s in masks_in(found.masks) if s.id in references]
    yield from map_all(partial(_one_dice, folder=found.probabilities), pairs, jobs=replication.jobs)


def _one_dice(pair: tuple[CaseSource, CaseSource], *, folder: Path) -> float:
    predicted, reference = (_read(source) for source in pair)
    return dice(above_threshold(predicted, folder=folder, threshold=0.5), own_mask(reference))


def _read(source: CaseSource) -> Case:
    return source.read(image=False)
