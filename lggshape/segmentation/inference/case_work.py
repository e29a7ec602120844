"""What `segment_cases` does with each case: read it, show it to the networks, write its mask."""

import hashlib
import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from lggshape.case import FLAIR, Case
from lggshape.files import names_cell
from lggshape.head import describe_misfit
from lggshape.readers import CaseSource
from lggshape.readers.segmented import CHECK_COLUMNS
from lggshape.readers.source import Form
from lggshape.results import record_file
from lggshape.segmentation.inference.effort import Effort
from lggshape.segmentation.inference.segmentation import Segmentation
from lggshape.segmentation.inference.segmentation_folder import remove_files
from lggshape.segmentation.inference.segmentation_journal import SegmentationJournal, SegmentedCase
from lggshape.segmentation.inference.segmenter import (
    NetworkOutput,
    Prepare,
    Prepared,
    Segmenter,
)
from lggshape.segmentation.run.folder import read_ensemble

_PLACES = 3
"""Decimals of an affine in mm: a mask of an image that lies elsewhere is not its own."""

_LARGE = 2**25
"""Voxels of a case that is alone in memory. An image of the head of 1 mm has half as many."""

Map = Literal["probability", "uncertainty", "entropy"]
OnResult = Callable[[str, Segmentation], None]


class ReadCase(NamedTuple):
    """A case that was read, with the hash of its image."""

    source: CaseSource
    image: str
    prepared: Prepared


@dataclass(frozen=True)
class CaseWork:
    """What is done with each case, unless its mask is there and of the image that it has now."""

    segmenter: Segmenter
    out: Path
    maps: Sequence[Map]
    form: Form
    journal: SegmentationJournal
    on_result: OnResult | None
    kept: Container[str]

    def known_image(self, source: CaseSource) -> str | None:
        """Return the hash of the image that the mask of a case was made of.

        Empty if there is no mask yet; None if the mask stays, whatever the image is.
        """
        if source.id in self.kept:
            return None
        earlier = self.journal.results.get(source.id)
        if earlier is None or not _is_whole(earlier, source, self.out):
            return ""
        return earlier.image or None

    def read(self, source: CaseSource) -> ReadCase | None:
        """Read a case and prepare it for the networks."""
        known = self.known_image(source)
        if known is None:
            return None
        case = source.read(mask=False)
        image = _image_hash(case)
        if image == known:
            return None
        prepared = self.segmenter.prepare(case)
        if self.on_result is None and _is_large(case):
            prepared = prepared._replace(case=_with_flair_alone(case))
        return ReadCase(source, image, prepared)

    def predict(self, read: ReadCase | None) -> tuple[ReadCase, NetworkOutput] | None:
        """Show a case to the networks."""
        return None if read is None else (read, self.segmenter.predict(read.prepared))

    def write(self, predicted: tuple[ReadCase, NetworkOutput] | None) -> None:
        """Write the mask of a case."""
        if predicted is not None:
            (source, image, _), found = predicted
            result = self.segmenter.finish(found)
            self.store(source, result, _segmented(result, image))

    def store(self, source: CaseSource, result: Segmentation, row: SegmentedCase) -> None:
        """Write the mask that was made of a case, and note what came of it."""
        case, out, journal = result.case, self.out, self.journal
        if self.on_result is not None:
            self.on_result(case.id, result)
        remove_files(out, journal.files_of(case.id))
        journal.begin(case.id)
        volumes = {"mask": result.mask} | {name: getattr(result, name) for name in self.maps}
        files = source.write(out, volumes, form=self.form, geometry=case.geometry)
        for path in files:
            record_file(out, path)
        names = [path.relative_to(out).as_posix() for path in files]
        journal.add(row._replace(files=names))


def is_alone(read: ReadCase | None) -> bool:
    """Return whether a case is so large that no other is to be in memory with it."""
    return read is not None and _is_large(read.prepared.case)


class Recipe(NamedTuple):
    """What a worker of a cluster makes its `Segmenter` of, once."""

    networks: Path
    effort: Effort
    device: str
    samples: bool
    prepare: Prepare


class Task(NamedTuple):
    """A case for a worker of a cluster, with the hash of the image that its mask is of, if any."""

    source: CaseSource
    known: str

    @property
    def id(self) -> str:
        """Name of the case."""
        return self.source.id


class Found(NamedTuple):
    """What a worker found: the case without its image, and its row without files."""

    result: Segmentation
    row: SegmentedCase


def segment_on_worker(task: Task, *, recipe: Recipe) -> Found | None:
    """Segment a case on a worker of a cluster; None if its mask is of the image that it has."""
    case = task.source.read(mask=False)
    image = _image_hash(case)
    if image == task.known:
        return None
    result = _segmenter_of(recipe).segment(case)
    row = _segmented(result, image)
    return Found(replace(result, case=replace(case, image=None)), row)


@lru_cache(maxsize=1)
def _segmenter_of(recipe: Recipe) -> Segmenter:
    return Segmenter(
        read_ensemble(recipe.networks), effort=recipe.effort, device=recipe.device,
        samples=recipe.samples, prepare=recipe.prepare,
    )  # fmt: skip


def _is_whole(earlier: SegmentedCase, source: CaseSource, out: Path) -> bool:
    """Return whether a mask is there, and is of this patient: others may be seen by networks."""
    return (
        earlier.row["status"] in {"ok", "empty"}
        and earlier.row["patient"] == source.patient
        and all((out / name).exists() for name in earlier.files)
    )


def _image_hash(case: Case) -> str:
    """Return a hash of an image and its place, which does not depend on the format of its file."""
    if case.image is None:
        return ""
    image = case.image
    affine = case.geometry.affine
    place = None if affine is None else (np.round(affine, _PLACES) + 0.0).tolist()  # no -0.0
    what = (image.shape, image.dtype.str, case.sequences, case.geometry.spacing, place)
    digest = hashlib.sha256(repr(what).encode())
    for one in image:  # a large image in another order of its axes is not copied as a whole
        digest.update(np.ascontiguousarray(one).data)
    return digest.hexdigest()


def _is_large(case: Case) -> bool:
    return case.image is not None and math.prod(case.image.shape[:3]) > _LARGE


def _with_flair_alone(case: Case) -> Case:
    """Return a case without the sequences that nobody asks for once it is prepared."""
    assert case.image is not None  # it was prepared
    channel = case.sequences.index(FLAIR)
    flair = case.image[..., channel : channel + 1].copy()
    return replace(case, image=flair, sequences=(FLAIR,))


def _segmented(result: Segmentation, image: str) -> SegmentedCase:
    """Return the row of a case, without the files that are still to be written."""
    case = result.case
    areas = result.mask.sum(axis=(1, 2)).tolist()
    assert case.image is not None  # it was segmented
    flair = case.image[..., case.sequences.index(FLAIR)]
    unlike = describe_misfit(result.mask, flair.__getitem__)
    spacing = case.geometry.spacing
    voxels = sum(areas)
    row = {
        "case": case.id,
        "patient": case.patient,
        "fold": result.fold,
        "status": "ok" if voxels else "empty",
        "reason": "" if voxels else "no voxel reached the threshold",
        "networks": "; ".join(result.networks),
        "volume": voxels * float(np.prod(spacing)) if spacing else voxels,
        "components_removed": result.removed,
        "missing_sequences": names_cell(result.missing),
        "spacing_known": spacing is not None,
        **dict(zip(CHECK_COLUMNS, result.check, strict=True)),
        "notes": "; ".join(filter(None, [*case.notes, *result.notes, unlike])),
    }
    scores = [f"{score:.6g}" for score in result.slice_scores]
    slices = list(zip(range(1, len(areas) + 1), areas, scores, strict=True))
    return SegmentedCase(row, slices, image=image)
