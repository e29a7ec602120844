"""A cohort of phantoms with automatic masks that are its own, moved at random."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, read_study_family
from lggshape.case import Case
from lggshape.labels import Labels, read_labels
from lggshape.readers import CaseSource, open_cases
from lggshape.segmentation import Segmentation
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.shape import feature_table
from lggshape.studies.buda2019.analyses.perturbation import jitter
from lggshape.studies.buda2019.analyses.probabilities import keep_probability
from lggshape.studies.buda2019.phantom_labels import write_phantoms
from lggshape.studies.buda2019.roles import Roles, read_roles

PATIENTS = 24
SIZE = (10, 48, 48)


@dataclass(frozen=True)
class Replicated:
    """What the steps of a replication work on. Not to be changed."""

    folder: Path
    labels: Labels
    family: Family
    roles: Roles
    manual_sources: list[CaseSource]
    automatic_sources: list[CaseSource]
    features: pd.DataFrame

    @property
    def manual(self) -> pd.DataFrame:
        return self.features.query("masks == 'manual'").reset_index(drop=True)

    @property
    def automatic(self) -> pd.DataFrame:
        return self.features.query("masks == 'automatic'").reset_index(drop=True)


@pytest.fixture(scope="session")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Replicated:
    """Return a cohort with manual and automatic masks and their features."""
    top = tmp_path_factory.mktemp("replication")
    folder = write_phantoms(top / "cases", patients=PATIENTS, seed=5, size=SIZE)
    masks = top / "masks"
    manual = open_cases(folder, masks_only=True)
    for number, source in enumerate(manual):
        mask = source.read(image=False).mask
        rng = np.random.default_rng([7, number])
        moved = jitter(mask, amplitude=1.0, length=(1.0, 4.0), rng=rng)
        # As networks give them: one component without holes.
        source.write(masks, {"mask": select_component(moved, 1).mask})
    automatic = open_cases(masks, masks_only=True)
    parts = [
        feature_table(sources, masks=kind, jobs=1).table
        for kind, sources in (("automatic", automatic), ("manual", manual))
    ]
    return Replicated(
        folder=folder,
        labels=read_labels([folder / f"{n}.csv" for n in ("labels", "idh_1p19q", "clinical")]),
        family=read_study_family("buda2019"),
        roles=read_roles(),
        manual_sources=manual,
        automatic_sources=automatic,
        features=pd.concat(parts, ignore_index=True),
    )


@pytest.fixture(scope="session")
def labels(replicated: Replicated) -> Labels:
    """Return the labels of the cohort."""
    return replicated.labels


@pytest.fixture(scope="session")
def family(replicated: Replicated) -> Family:
    """Return the ten hypotheses of the paper."""
    return replicated.family


@pytest.fixture(scope="session")
def roles(replicated: Replicated) -> Roles:
    """Say which label is which."""
    return replicated.roles


@pytest.fixture(scope="session")
def features(replicated: Replicated) -> pd.DataFrame:
    """Return the features of the automatic and of the manual masks."""
    return replicated.features


@pytest.fixture(scope="session")
def manual_sources(replicated: Replicated) -> list[CaseSource]:
    """Return the manual masks."""
    return replicated.manual_sources


@pytest.fixture(scope="session")
def automatic_sources(replicated: Replicated) -> list[CaseSource]:
    """Return the automatic masks."""
    return replicated.automatic_sources


@pytest.fixture(scope="session")
def keep() -> Callable[..., None]:
    """Return what keeps a probability (Z, Y, X), with samples (N, Z, Y, X), of a case."""

    def keep(folder, case, probability, *, threshold=0.5, samples=None) -> None:
        values = np.asarray(probability, dtype=np.float32)
        found = Segmentation(
            case=Case(case, case),
            mask=values >= threshold,
            samples=np.zeros((1, *values.shape), dtype=bool) if samples is None else samples,
            threshold=threshold,
            restored=SimpleNamespace(whole=lambda: values),
            spread=SimpleNamespace(whole=lambda: np.zeros_like(values)),
            slice_scores=values.max(axis=(1, 2)),
            removed=0,
            networks=("fold-1",),
            fold=1,
            missing=(),
        )
        keep_probability(folder, case, found)

    return keep
