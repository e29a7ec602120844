"""What `segment_cases` does with each case: read it, show it to the networks, write its mask."""

import hashlib
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
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
from lggshape.segmentation.inference.segmentation_folder import remove_files
from lggshape.segmentation.inference.segmentation_journal import SegmentationJournal, SegmentedCase
from lggshape.segmentation.inference.segmenter import (
    NetworkOutput,
    Prepared,
    Segmentation,
    Segmenter,
)

_PLACES = 3
"""Decimals of an affine in mm: a mask of an image that lies elsewhere is not its own."""

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

    def read(self, source: CaseSource) -> ReadCase | None:
        """Read a case and prepare it for the networks."""
        if source.id in self.kept:
            return None
        earlier = self.journal.results.get(source.id)
        whole = earlier is not None and _is_whole(earlier, source, self.out)
        if earlier is not None and whole and not earlier.image:
            return None
        case = source.read(mask=False)
        image = _image_hash(case)
        if earlier is not None and whole and earlier.image == image:
            return None
        return ReadCase(source, image, self.segmenter.prepare(case))

    def predict(self, read: ReadCase | None) -> tuple[ReadCase, NetworkOutput] | None:
        """Show a case to the networks."""
        return None if read is None else (read, self.segmenter.predict(read.prepared))

    def write(self, predicted: tuple[ReadCase, NetworkOutput] | None) -> None:
        """Write the mask of a case."""
        if predicted is None:
            return
        (source, image, _), found = predicted
        result = self.segmenter.finish(found)
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
        journal.add(_segmented(case, result, names, image))


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
    image = np.ascontiguousarray(case.image)
    affine = case.geometry.affine
    place = None if affine is None else (np.round(affine, _PLACES) + 0.0).tolist()  # no -0.0
    what = (image.shape, image.dtype.str, case.sequences, case.geometry.spacing, place)
    digest = hashlib.sha256(repr(what).encode())
    digest.update(image.data)
    return digest.hexdigest()


def _segmented(case: Case, result: Segmentation, files: Sequence[str], image: str) -> SegmentedCase:
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
    return SegmentedCase(row, slices, files, image)
