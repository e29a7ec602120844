"""The slices of one DICOM file: where each lies, and where its values are.

A classic file holds one slice, whose place stands at the top of its header. An enhanced file holds
many frames, whose places stand in groups, those of a frame or those that all share.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lggshape.readers.dicom_files import numbers_of, pydicom, pydicom_reading, text_of
from lggshape.readers.unusable import UnusableError

if TYPE_CHECKING:
    from pydicom import Dataset

Vector = tuple[float, ...]


@dataclass(frozen=True)
class DicomFrame:
    """A slice: where it lies, and where its values are.

    Attributes
    ----------
    path : Path
        Its file.
    index : int or None
        Its number within a multi-frame file, from 0; None in a file of one slice.
    position : tuple of float
        The centre of its first pixel, in mm: left, posterior, superior.
    orientation : tuple of float
        The direction along a row, and that along a column: six cosines.
    spacing : tuple of float
        The distance of rows, and of columns, in mm.
    shape : tuple of int
        How many rows, and columns.
    scale : tuple of float
        Rescale slope and intercept.
    thickness : float or None
        The distance to the next slice as the header names it, or else the thickness.
    uid : str
        The SOP instance UID of its file.
    padding : tuple of float or None
        The lowest and the highest stored value of pixels that show nothing, if there are such.
    """

    path: Path
    index: int | None
    position: Vector
    orientation: Vector
    spacing: Vector
    shape: tuple[int, int]
    scale: tuple[float, float]
    thickness: float | None
    uid: str
    padding: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        number = "" if self.index is None else f" frame {self.index + 1}"
        return f"{self.path.name}{number}"


def frames_of(path: Path, header: "Dataset") -> list[DicomFrame]:
    """Return the slices of a file; raises UnusableError if their places are not known."""
    count = numbers_of(header, "NumberOfFrames", 1)
    with pydicom_reading():
        groups = list(header.get("PerFrameFunctionalGroupsSequence") or [])
        shared = list(header.get("SharedFunctionalGroupsSequence") or [])[:1]
    if not groups:
        if count is not None and count[0] > 1:
            msg = f"{count[0]:.0f} frames without their places in {path.name}"
            raise UnusableError(msg)
        return [_frame(path, None, [header], header)]
    if count is not None and count[0] != len(groups):
        msg = f"places of {len(groups)} frames instead of {count[0]:.0f} in {path.name}"
        raise UnusableError(msg)
    return [_frame(path, index, [group, *shared], header) for index, group in enumerate(groups)]


# Where an enhanced header has what a classic one has at its top.
_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
}


def _frame(
    path: Path, index: int | None, places: Sequence["Dataset"], header: "Dataset"
) -> DicomFrame:
    def found(name: str, count: int) -> Vector | None:
        for place in places:
            with pydicom_reading():
                inner = [place] if index is None else list(place.get(_GROUPS[name]) or [])
            for one in inner:
                if (numbers := numbers_of(one, name, count)) is not None:
                    return numbers
        return None

    wanted = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
    place = {name: found(name, count) for name, count in wanted.items()}
    size = [numbers_of(header, name, 1) for name in ("Rows", "Columns")]
    without = [name for name, value in place.items() if value is None or not _finite(value)]
    if without or None in size:
        number = "" if index is None else f" frame {index + 1}"
        msg = f"no {' and no '.join(without) or 'size'} in {path.name}{number}"
        raise UnusableError(msg)
    slope, intercept = (found(name, 1) for name in ("RescaleSlope", "RescaleIntercept"))
    scale = (slope[0] if slope else 1.0, intercept[0] if intercept else 0.0)
    if not _finite(scale) or not scale[0]:
        msg = f"rescale slope {scale[0]:g} and intercept {scale[1]:g} in {path.name}"
        raise UnusableError(msg)
    apart = found("SpacingBetweenSlices", 1) or found("SliceThickness", 1)
    return DicomFrame(
        path,
        index,
        position=place["ImagePositionPatient"] or (),
        orientation=place["ImageOrientationPatient"] or (),
        spacing=place["PixelSpacing"] or (),
        shape=(int(size[0][0]), int(size[1][0])),  # type: ignore[index]
        scale=scale,
        thickness=abs(apart[0]) if apart and apart[0] else None,
        uid=text_of(header, "SOPInstanceUID"),
        padding=_padding(header),
    )


def _padding(header: "Dataset") -> tuple[float, float] | None:
    value = numbers_of(header, "PixelPaddingValue", 1)
    limit = numbers_of(header, "PixelPaddingRangeLimit", 1) or value
    return None if not value or not limit else (min(value + limit), max(value + limit))


def check_kind(path: Path, header: "Dataset") -> None:
    """Refuse images in colour, those in which white is the lowest value, and tables of values."""
    samples = numbers_of(header, "SamplesPerPixel", 1) or (1.0,)
    kind = text_of(header, "PhotometricInterpretation") or "MONOCHROME2"
    if samples[0] != 1 or kind != "MONOCHROME2":
        shown = kind if re.fullmatch(r"[A-Z0-9_ ]+", kind) else "?"
        msg = f"pixels of the kind {shown} instead of MONOCHROME2 in {path.name}"
        raise UnusableError(msg)
    with pydicom_reading():
        if header.get("ModalityLUTSequence"):
            msg = f"values that a table turns into others (ModalityLUTSequence) in {path.name}"
            raise UnusableError(msg)


def _finite(values: Sequence[float]) -> bool:
    return bool(np.all(np.isfinite(values)))


def decoded_pixels(path: Path) -> NDArray[np.integer]:
    """Decode the pixels of a file; raises UnusableError if no decoder for them is installed."""
    reader = pydicom()
    with pydicom_reading(f"damaged DICOM in {path.name}"):
        dataset = reader.dcmread(path, force=True)
        if not dataset.file_meta.get("TransferSyntaxUID"):
            # A file without such a header, as old archives have them, is not compressed.
            is_implicit, _ = dataset.original_encoding
            names = reader.uid.ExplicitVRLittleEndian, reader.uid.ImplicitVRLittleEndian
            dataset.file_meta.TransferSyntaxUID = names[bool(is_implicit)]
        syntax = dataset.file_meta.TransferSyntaxUID
        is_known = bool(syntax.is_transfer_syntax)
        compressed = is_known and bool(syntax.is_compressed)
        can_decode = is_known and (not compressed or _has_decoder(syntax))
        name = (
            str(syntax.name) if is_known and not syntax.is_private else "what is no syntax of DICOM"
        )
    if not can_decode:
        msg = (
            f"{path.name} compressed as {name}, for which no decoder is installed. Install one "
            "(pip install 'pylibjpeg[all]'), or decompress the files"
        )
        raise UnusableError(msg)
    with pydicom_reading(f"damaged DICOM pixels in {path.name}"):
        pixels: NDArray[np.integer] = dataset.pixel_array
    return pixels


def _has_decoder(syntax: str) -> bool:
    from pydicom.pixels.decoders.base import get_decoder

    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False
