"""Slice folders: the layout of the Kaggle LGG data set, one TIFF file per slice.

A case is a folder `<case>/` that holds `<case>_<n>.tif`, the image of slice n, and
`<case>_<n>_mask.tif`, its mask (Y, X). n runs from 1 without gaps and sorts as a number. Images
alone and masks alone are cases too. Any compression that tifffile reads will do. Nothing tells the
size of a voxel: the geometry is unknown.

An image has three channels, pre-contrast, FLAIR and post-contrast (Y, X, 3), or is grey (Y, X) and
FLAIR alone; its values are whole or floating-point numbers of any size. What ends in
`_probability.tif`, `_uncertainty.tif` or `_entropy.tif` instead of `_mask.tif` was written beside
masks, and is left aside. Other words for a mask are in `lggshape.readers.naming`.

A case whose name has a TCGA barcode, such as `TCGA_CS_4941_19960909`, `sub-TCGACS4941` or
`TCGA-CS-4941_1996.09.09_copy`, belongs to patient `TCGA_CS_4941` of site `CS`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray

from lggshape.case import FLAIR, SEQUENCES, Case
from lggshape.errors import CaseError
from lggshape.readers.description import FileDescription
from lggshape.readers.folder import Folder
from lggshape.readers.layout import Layout
from lggshape.readers.listing import file_names
from lggshape.readers.mask_values import MaskRead, read_mask
from lggshape.readers.naming import MAPS, MASK, UNNAMED, Identity, split_role
from lggshape.readers.source import CaseSource
from lggshape.readers.tiff_file import check_page, open_tiff
from lggshape.readers.unusable import UnusableError, library_reading

_SEQUENCES = {(1,): (FLAIR,), (3,): SEQUENCES}
"""The sequences by the shape of the channels."""

_TIFF = re.compile(r"\.tiff?$", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<case>.+)_(?P<number>[0-9]+)")
_BARCODE = re.compile(
    r"(?<![A-Z0-9])TCGA[-_. ]?(?P<site>[A-Z0-9]{2})[-_. ]?(?P<participant>[A-Z0-9]{4})"
    r"(?=[0-9]{8}(?![A-Z0-9])|(?![A-Z0-9]))",
    re.IGNORECASE,
)
"""The part of a TCGA barcode that names the patient, in any spelling."""


class _SliceName(NamedTuple):
    """What the name of a slice says; the number as it is spelled, perhaps with zeros in front."""

    case: str
    number: str
    role: str


@dataclass(frozen=True, repr=False)
class SliceFolder(CaseSource):
    """A case folder with one TIFF file per slice.

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
        inside: MaskRead | None = None
        if values is not None:
            if values.ndim != 3:
                msg = (
                    f"Expected the mask slices of case {self.id} to have shape (Y, X), "
                    f"found {values.shape[1:]}: {self.path / masks[0]}."
                )
                raise CaseError(msg)
            shape = self._image_shape(images) if voxels is None else voxels.shape[1:3]
            if shape and shape != values.shape[1:]:
                msg = (
                    f"Expected the image and the mask of case {self.id} to have the same shape, "
                    f"found {shape} and {values.shape[1:]}: {self.path / masks[0]}."
                )
                raise CaseError(msg)
            files = [self.path / name for name in masks]
            inside = read_mask(
                values, case=self.id, path=self.path, slices=files, options=self.options
            )
        return Case(
            id=self.id,
            patient=self.patient,
            image=voxels,
            mask=None if inside is None else inside.mask,
            sequences=() if voxels is None else _SEQUENCES[voxels.shape[3:]],
            regions={} if inside is None else inside.regions,
        )

    def _read_flair(self, slices: list[int]) -> NDArray[np.generic]:
        names = self._numbered_slices()[0]
        shape, chosen = self._image_shape(names), [names[number] for number in slices]
        voxels = self._image(chosen)
        if shape != voxels.shape[1:3]:
            msg = (
                f"Expected the slices of case {self.id} to be of one shape, found {shape} in "
                f"{names[0]} and {voxels.shape[1:3]} in {chosen[0]}: {self.path}."
            )
            raise CaseError(msg)
        return voxels[..., _SEQUENCES[voxels.shape[3:]].index(FLAIR)]

    def described(self) -> list[FileDescription]:
        """Return the slices of the image and of the mask; the first page tells their shape."""
        try:
            images, masks = self._numbered_slices()
        except CaseError as error:
            return [FileDescription(self.path, "", reason=str(error))]
        found = []
        for names, is_image in ((images, True), (masks, False)):
            if not names:
                continue
            try:
                with open_tiff(self.path / names[0]) as (tiff, _), library_reading():
                    shape = (len(names), *tiff.pages.first.shape)
                reason = ""
            except UnusableError as error:
                shape, reason = (), f"{names[0]} is no readable TIFF file: {error}"
            sequences = _SEQUENCES.get((shape[3] if shape[3:] else 1,), ("image",))
            role = " + ".join(sequences) if is_image else MASK
            found.append(FileDescription(self.path / names[0], role, shape, reason=reason))
        return found

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        images, masks = self._numbered_slices()
        names = images or masks
        self._check_grid((len(names), *self._stack(names[:1]).shape[1:3]), volumes)
        written = []
        (folder / self.id).mkdir()
        for kind, values in volumes.items():
            stored = np.where(values, np.uint8(255), np.uint8(0)) if kind == MASK else values
            for name, one in zip(names, stored, strict=True):
                parts = _slice_name(name)
                assert parts is not None
                written.append(f"{self.id}/{self.id}_{parts.number}_{kind}.tif")
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

    def _written(self, folder: Path) -> list[str]:
        return written(folder, self.id)

    def _numbered_slices(self) -> tuple[list[str], list[str]]:
        """Return the names of the images and of the masks in the order of their numbers."""
        images: dict[int, str] = {}
        masks: dict[int, str] = {}
        for name in self.names:
            found = _slice_name(name)
            if found is None or found.case != self.id:
                msg = (
                    f"Expected the TIFF files of case {self.id} to be named {self.id}_<n>.tif or "
                    f"{self.id}_<n>_mask.tif, found {name}: {self.path}."
                )
                raise CaseError(msg)
            kind = masks if found.role == MASK else images
            number = int(found.number)
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
        for name in names:
            slices.append(self._slice(name, image=image))
            if slices[-1].shape != slices[0].shape or slices[-1].dtype != slices[0].dtype:
                msg = (
                    f"Expected the slices of case {self.id} to be of one shape and type, found "
                    f"{slices[0].shape} {slices[0].dtype} in {names[0]} and "
                    f"{slices[-1].shape} {slices[-1].dtype} in {name}: {self.path}."
                )
                raise CaseError(msg)
        return np.stack(slices)

    def _slice(self, name: str, *, image: bool) -> NDArray[np.generic]:
        """Decode the one page of one TIFF file."""
        pages = 1
        values: NDArray[np.generic] = np.empty(0)
        try:
            with open_tiff(self.path / name) as (tiff, complaints):
                with library_reading():
                    pages = len(tiff.pages)
                if pages == 1:
                    with library_reading():
                        page = tiff.pages.first
                    check_page(page)
                    with library_reading():
                        values = page.asarray(maxworkers=1)
                    if image and page.photometric == tifffile.PHOTOMETRIC.PALETTE:
                        complaints.append("palette instead of intensities")
                if complaints:
                    raise UnusableError(complaints[0])
        except UnusableError as error:
            msg = (
                f"Expected a slice of case {self.id} to be a readable TIFF file, "
                f"found: {error}: {self.path / name}."
            )
            raise CaseError(msg) from error
        if pages != 1:
            msg = (
                f"Expected a slice of case {self.id} to be a TIFF file of one page, "
                f"found {pages}: {self.path / name}."
            )
            raise CaseError(msg)
        return values

    def _image_shape(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return (Y, X) of the first image by its header; () if there is none that can be read."""
        if not names:
            return ()
        try:
            with open_tiff(self.path / names[0]) as (tiff, _), library_reading():
                shape: tuple[int, ...] = tiff.pages.first.shape[:2]
                return shape
        except UnusableError:  # it is not the image that was asked for
            return ()

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


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the slice folders: the folder itself if slices lie in it, and those within it.

    Parameters
    ----------
    folder : Folder
        The folder.
    masks_only : bool
        Whether every case has to have a mask.

    Yields
    ------
    CaseSource
        In natural order of names.
    """
    for holder in (folder, *folder.folders.values()):
        names = tuple(name for name in holder.files if _TIFF.search(name) and not _is_map(name))
        if names and holds_slices(holder):
            roles = {found.role for name in names if (found := _slice_name(name)) is not None}
            yield SliceFolder(
                id=holder.name,
                patient="",
                path=holder.path,
                has_image=UNNAMED in roles,
                has_mask=MASK in roles,
                mask_required=masks_only,
                names=names,
            )


def holds_slices(folder: Folder) -> bool:
    """Test whether TIFF files of a folder are slices: if one has its name and a number.

    They are also slices, of a case in the wrong folder, if names with a number belong to files of
    one page. Otherwise each TIFF file is a volume.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as parent:
    ...     for name in ("P7/P7_1.tif", "stacks/P7_1.tif"):
    ...         Path(parent, name).parent.mkdir()
    ...         Path(parent, name).touch()
    ...     [holds_slices(Folder(Path(parent, name))) for name in ("P7", "stacks")]
    [True, False]
    """
    slices = {
        name: found.case
        for name in folder.files
        if _TIFF.search(name) and (found := _slice_name(name)) is not None
    }
    return folder.name in slices.values() or (
        bool(slices) and _has_one_page(folder.path / next(iter(slices)))
    )


def _has_one_page(path: Path) -> bool:
    try:
        with open_tiff(path) as (tiff, _), library_reading():
            return len(tiff.pages) == 1
    except (UnusableError, OSError):
        return False


def identify(case: str) -> Identity | None:
    """Return the patient and the site of a case whose name has a TCGA barcode.

    All spellings, with `_`, with `-` or without a mark, give one key. What stands before or after
    the barcode, a date for example, does not count.

    Examples
    --------
    >>> identify("TCGA_CS_4941_19960909")
    Identity(patient='TCGA_CS_4941', site='CS', session='')
    >>> identify("TCGA-CS-4941_1996.09.09_copy")
    Identity(patient='TCGA_CS_4941', site='CS', session='')
    >>> identify("phantom_7")
    """
    barcode = _BARCODE.search(case)
    if barcode is None:
        return None
    site, participant = barcode["site"].upper(), barcode["participant"].upper()
    return Identity(f"TCGA_{site}_{participant}", site)


def written(folder: Path, case: str) -> list[str]:
    """Return the masks and maps of a case that lie in a folder, as `Layout.written` does."""
    kinds = "|".join((MASK, *MAPS))
    names = re.compile(rf"{re.escape(case)}_[0-9]+_({kinds})\.tif")
    return [f"{case}/{name}" for name in file_names(folder / case) if names.fullmatch(name)]


LAYOUT = Layout(
    "slice folders",
    "<case>/<case>_<n>.tif, <case>_<n>_mask.tif",
    find,
    identify=identify,
    written=written,
)


def _slice_name(name: str) -> _SliceName | None:
    """Take the name of a TIFF file apart; None if it is not that of an image or mask of a slice."""
    role, rest = split_role(_TIFF.sub("", name))
    numbered = _NUMBERED.fullmatch(rest)
    if numbered is None or role not in {UNNAMED, MASK}:
        return None
    return _SliceName(numbered["case"], numbered["number"], role)


def _is_map(name: str) -> bool:
    role, rest = split_role(_TIFF.sub("", name))
    return role in MAPS and _NUMBERED.fullmatch(rest) is not None
