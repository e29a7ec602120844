"""Slice folders: the layout of the Kaggle LGG data set, one TIFF a slice.

A case is a folder `<case>/` that holds `<case>_<n>.tif`, the image of slice n, and
`<case>_<n>_mask.tif`, its mask (Y, X). n runs from 1 without gaps and sorts as a number. Images
alone and masks alone are cases too. Any compression that tifffile reads will do. Nothing tells the
size of a voxel: the geometry is unknown.

An image has three channels, pre-contrast, FLAIR and post-contrast (Y, X, 3), or is grey (Y, X) and
FLAIR alone; its values are whole or floating-point numbers of any size. What ends in
`_probability.tif`, `_uncertainty.tif` or `_entropy.tif` instead of `_mask.tif` was written beside
masks, and is left aside.

A case named `TCGA_<site>_<patient>_<date>` belongs to patient `TCGA_<site>_<patient>` of that site;
any other case is a patient of its own, and its site is unknown.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.errors import CaseError
from lggshape.readers.source import (
    MAPS,
    MASK,
    SEQUENCES,
    CaseSource,
    binary_mask,
    folder_name,
    visible_names,
)

LAYOUT = "slice folders (<case>/<case>_<n>.tif, <case>_<n>_mask.tif)"

_SEQUENCES = {(1,): ("FLAIR",), (3,): SEQUENCES}
"""The sequences by the shape of the channels."""

# A palette's values are indices, and where 0 is white they run against the intensity.
_NO_INTENSITIES = {tifffile.PHOTOMETRIC.PALETTE, tifffile.PHOTOMETRIC.MINISWHITE}

_TIFF = re.compile(r"\.tiff?$", re.IGNORECASE)
_SLICE = re.compile(r"(?P<case>.+)_(?P<number>[0-9]+)(?P<mask>_mask)?\.tiff?", re.IGNORECASE)
_MAP = re.compile(rf"_[0-9]+_({'|'.join(MAPS)})\.tiff?$", re.IGNORECASE)
_TCGA = re.compile(r"(?P<patient>TCGA_(?P<site>[^_]+)_[^_]+)_[0-9]{8}")


@dataclass(frozen=True)
class SliceFolder(CaseSource):
    """A case folder with one TIFF a slice.

    Attributes
    ----------
    names : tuple of str
        The names of the TIFF files of the folder, without those of maps.
    """

    names: tuple[str, ...] = ()

    def _read(self, *, image: bool, mask: bool) -> Case:
        images, masks = self._numbered_slices()
        voxels = self._image(images) if image and images else None
        values = self._stack(masks) if mask and masks else None
        inside = None
        if values is not None:
            if values.ndim != 3:
                msg = (
                    f"Expected the mask slices of case {self.id} to have shape (Y, X), "
                    f"found {values.shape[1:]}: {self.path / masks[0]}."
                )
                raise CaseError(msg)
            if voxels is not None and voxels.shape[1:3] != values.shape[1:]:
                msg = (
                    f"Expected the image and the mask of case {self.id} to have the same shape, "
                    f"found {voxels.shape[1:3]} and {values.shape[1:]}: {self.path / masks[0]}."
                )
                raise CaseError(msg)
            inside = self._binary(values, masks)
        return Case(
            id=self.id,
            patient=self.patient,
            image=voxels,
            mask=inside,
            sequences=() if voxels is None else _SEQUENCES[voxels.shape[3:]],
        )

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        images, masks = self._numbered_slices()
        names = images or masks
        self._check_grid((len(names), *self._stack(names[:1]).shape[1:3]), volumes)
        written = []
        (folder / self.id).mkdir()
        for kind, values in volumes.items():
            stored = np.where(values, np.uint8(255), np.uint8(0)) if kind == MASK else values
            for name, one in zip(names, stored, strict=True):
                # The number as it is spelled in the input, perhaps with zeros in front.
                number = _SLICE.fullmatch(name)["number"]  # type: ignore[index]
                written.append(f"{self.id}/{self.id}_{number}_{kind}.tif")
                tifffile.imwrite(
                    folder / written[-1],
                    one,
                    photometric="minisblack",
                    compression="zlib",
                    metadata=None,
                )
        return written

    def _places(self) -> list[str]:
        return [self.id]

    def _numbered_slices(self) -> tuple[list[str], list[str]]:
        """Give the names of the images and of the masks in the order of their numbers."""
        images: dict[int, str] = {}
        masks: dict[int, str] = {}
        for name in self.names:
            match = _SLICE.fullmatch(name)
            if match is None or match["case"] != self.id:
                msg = (
                    f"Expected the TIFF files of case {self.id} to be named {self.id}_<n>.tif or "
                    f"{self.id}_<n>_mask.tif, found {name}: {self.path}."
                )
                raise CaseError(msg)
            kind = masks if match["mask"] else images
            number = int(match["number"])
            if number in kind:
                msg = (
                    f"Expected slice {number} of case {self.id} to be one file, "
                    f"found {kind[number]} and {name}: {self.path}."
                )
                raise CaseError(msg)
            kind[number] = name
        for kind, suffix in ((images, ""), (masks, "_mask")):
            other = masks if kind is images else images
            if kind and other:
                for number in sorted(other.keys() - kind.keys()):
                    msg = (
                        f"Expected {other[number]} of case {self.id} to have a partner "
                        f"{self.id}_{number}{suffix}.tif, found none: {self.path}."
                    )
                    raise CaseError(msg)
        numbers = sorted(images or masks)
        for expected, number in enumerate(numbers, start=1):
            if number != expected:
                msg = (
                    f"Expected the slices of case {self.id} to be numbered from 1 without gaps, "
                    f"found no slice {expected} but {number}: {self.path}."
                )
                raise CaseError(msg)
        return [images[number] for number in sorted(images)], [masks[n] for n in sorted(masks)]

    def _stack(self, names: Sequence[str], *, image: bool = False) -> NDArray[np.generic]:
        """Read the slices into one array; the slice is the first axis."""
        slices = []
        with _quiet_tifffile() as complaints:
            for name in names:
                slices.append(self._slice(name, complaints, image=image))
                if slices[-1].shape != slices[0].shape or slices[-1].dtype != slices[0].dtype:
                    msg = (
                        f"Expected the slices of case {self.id} to be of one shape and type, found "
                        f"{slices[0].shape} {slices[0].dtype} in {names[0]} and "
                        f"{slices[-1].shape} {slices[-1].dtype} in {name}: {self.path}."
                    )
                    raise CaseError(msg)
        return np.stack(slices)

    def _slice(self, name: str, complaints: list[str], *, image: bool) -> NDArray[np.generic]:
        """Decode the one page of one TIFF file."""
        complaints.clear()
        pages = 1
        values: NDArray[np.generic] = np.empty(0)
        try:
            with tifffile.TiffFile(self.path / name) as tiff:
                pages = len(tiff.pages)
                if pages == 1:
                    page = tiff.pages.first
                    values = page.asarray(maxworkers=1)
                    if image and page.photometric in _NO_INTENSITIES:
                        photometric = tifffile.PHOTOMETRIC(page.photometric).name.lower()
                        complaints.append(f"{photometric} instead of intensities")
        # A damaged file makes tifffile and its codecs raise nearly anything: their own errors,
        # ValueError, IndexError, struct.error, zlib.error.
        except Exception as error:
            complaints.append(str(error) or type(error).__name__)
        if complaints:
            msg = (
                f"Expected a slice of case {self.id} to be a readable TIFF file, "
                f"found: {complaints[0]}: {self.path / name}."
            )
            raise CaseError(msg)
        if pages != 1:
            msg = (
                f"Expected a slice of case {self.id} to be a TIFF file of one page, "
                f"found {pages}: {self.path / name}."
            )
            raise CaseError(msg)
        return values

    def _image(self, names: Sequence[str]) -> NDArray[np.generic]:
        """Read the image (Z, Y, X, C)."""
        voxels = self._stack(names, image=True)
        found = f"{voxels.shape[1:]} {voxels.dtype}"
        if voxels.ndim == 3:
            voxels = voxels[..., None]
        if voxels.shape[3:] not in _SEQUENCES or voxels.dtype.kind not in "uif":
            msg = (
                f"Expected the image slices of case {self.id} to have shape (Y, X, 3), or (Y, X) "
                f"for FLAIR alone, and to hold numbers, found {found}: {self.path / names[0]}."
            )
            raise CaseError(msg)
        return voxels

    def _binary(self, values: NDArray[np.generic], names: Sequence[str]) -> NDArray[np.bool_]:
        slices = [
            binary_mask(one, case=self.id, path=self.path / name)
            for name, one in zip(names, values, strict=True)
        ]
        # Each slice has one value beside 0; it has to be the same in all of them.
        binary_mask(values.max(axis=(1, 2)), case=self.id, path=self.path)
        return np.stack(slices)


def find(path: Path, *, masks_only: bool) -> list[CaseSource]:
    """Find the slice folders: the folder itself if TIFF files lie in it, or those within it.

    Parameters
    ----------
    path : Path
        A folder.
    masks_only : bool
        Whether every case has to have a mask.

    Returns
    -------
    list of CaseSource
        In natural order of names.
    """
    files, folders = visible_names(path)
    holders = [(path, files), *((path / name, visible_names(path / name)[0]) for name in folders)]
    found = [_source(folder, names, masks_only=masks_only) for folder, names in holders]
    return [source for source in found if source is not None]


def patient_of(case: str) -> str:
    """Give the patient of a case by the case's name.

    Examples
    --------
    >>> patient_of("TCGA_CS_4941_19960909")
    'TCGA_CS_4941'
    >>> patient_of("phantom_7")
    'phantom_7'
    """
    tcga = _TCGA.fullmatch(case)
    return tcga["patient"] if tcga else case


def site_of(case: str) -> str:
    """Give the institution of a case by the case's name; empty if the name does not tell.

    Examples
    --------
    >>> site_of("TCGA_CS_4941_19960909")
    'CS'
    """
    tcga = _TCGA.fullmatch(case)
    return tcga["site"] if tcga else ""


def _source(folder: Path, files: Sequence[str], *, masks_only: bool) -> CaseSource | None:
    names = tuple(name for name in files if _TIFF.search(name) and not _MAP.search(name))
    if not names:
        return None
    case = folder_name(folder)
    are_masks = [bool(match["mask"]) for name in names if (match := _SLICE.fullmatch(name))]
    return SliceFolder(
        id=case,
        patient=patient_of(case),
        site=site_of(case),
        path=folder,
        has_image=not all(are_masks),
        has_mask=any(are_masks),
        mask_required=masks_only,
        names=names,
    )


@contextmanager
def _quiet_tifffile() -> Iterator[list[str]]:
    """Collect what tifffile logs as an error instead of showing it; drop its warnings."""
    complaints: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complaints.append(record.getMessage())

    logger = logging.getLogger("tifffile")
    collector = Collector(level=logging.ERROR)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(collector)
    try:
        yield complaints
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate
