"""Phantoms with three outlines: their own, moved at random, and on a grid of thin slices."""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from lggshape.readers import open_cases
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.studies.buda2019.analyses.perturbation import jitter
from lggshape.studies.buda2019.phantom_labels import write_phantoms

PATIENTS = 8
STEP = 3


@dataclass(frozen=True)
class Outlined:
    """Where the outlines and the label tables of a cohort lie."""

    dataset: Path
    masks: Path
    labels: list[Path]
    patients: int
    step: int


@pytest.fixture(scope="session")
def outlined(tmp_path_factory: pytest.TempPathFactory) -> Outlined:
    """Return a cohort of which the second group's masks are those of the first in thin slices."""
    top = tmp_path_factory.mktemp("outlines")
    manual = write_phantoms(top / "data" / "manual", patients=PATIENTS, seed=5, size=(6, 24, 24))
    (top / "data" / "second").mkdir()
    sources = open_cases(manual)
    for number, source in enumerate(sources):
        mask = source.read(image=False).mask
        assert mask is not None
        moved = jitter(
            mask, amplitude=1.0, length=(1.0, 4.0), rng=np.random.default_rng([7, number])
        )
        source.write(top / "masks", {"mask": select_component(moved, 1).mask})
        if number:  # one patient was not seen by the second group
            values = np.repeat(mask, STEP, axis=0).transpose(2, 1, 0).astype(np.uint8) * 4
            image = nib.Nifti1Image(values, np.diag([-1.0, -1.0, 1.0, 1.0]))
            nib.save(image, top / "data" / "second" / f"{source.patient}_seg.nii.gz")
    labels = [manual / f"{name}.csv" for name in ("labels", "idh_1p19q", "clinical")]
    return Outlined(top / "data", top / "masks", labels, PATIENTS - 1, STEP)
