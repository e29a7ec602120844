"""NIfTI files (`.nii`, `.nii.gz`): single files, flat folders, and a folder a case.

What a file is, its name tells. The last part of the name, after `_` or `-`, is its role if it is
one of these words (upper or lower case):

========================= =========================================
role                      words
========================= =========================================
mask                      mask, seg, segmentation
FLAIR                     flair, t2f
pre-contrast              t1, t1n, pre
post-contrast             t1ce, t1c, t1gd, post
not used                  t2, t2w
========================= =========================================

A file without such a word holds the image of its case: one volume is FLAIR, three volumes along
the fourth axis are pre-contrast, FLAIR and post-contrast. Where only masks are wanted it holds the
mask, unless the case has another file with the role of mask.

The files directly in the folder belong to the case that their names give without the role
(`A_flair.nii.gz` and `A_mask.nii.gz` to case `A`; `mask.nii.gz` alone to the case named like the
folder). All NIfTI files in a sub-folder belong to the case named like the sub-folder. A case has at
most one file a role. The patient is the case.

Volumes are turned to the nearest right-anterior-superior axes and transposed, so that the array
axes are (Z, Y, X) with z towards superior, y towards anterior and x towards the right. The affine
is the sform, else the qform, in mm (the header's units count). With neither (both codes 0) the
orientation is unknown and the axes are only transposed; the pixdim sizes then count as spacing if
they are positive and the header names their unit, or one of them differs from 1, which is what
programs write that know no size. A size outside 0.001 to 1000 mm is an error. All files of a case
have to lie on the same grid.
"""

import gzip
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Case, Geometry, Spacing
from lggshape.errors import CaseError
from lggshape.readers.source import (
    SEQUENCES,
    VOXEL_SIZES,
    CaseSource,
    binary_mask,
    folder_name,
    visible_names,
)

LAYOUT = "NIfTI files (<case>.nii.gz, <case>_mask.nii.gz, <case>_flair.nii.gz, or a folder a case)"

MASK = "mask"
UNNAMED = ""
UNUSED = "unused"

_NIFTI = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_ROLES = {
    "mask": MASK,
    "seg": MASK,
    "segmentation": MASK,
    "flair": "FLAIR",
    "t2f": "FLAIR",
    "t1": "pre-contrast",
    "t1n": "pre-contrast",
    "pre": "pre-contrast",
    "t1ce": "post-contrast",
    "t1c": "post-contrast",
    "t1gd": "post-contrast",
    "post": "post-contrast",
    "t2": UNUSED,
    "t2w": UNUSED,
}
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres in the header's unit of length: not named, metre, millimetre, micrometre."""

_UNIT_OF_LENGTH = 7  # the lower three bits of xyzt_units
_GZIP_MAGIC = b"\x1f\x8b"

# Of a voxel: enough for the rounding of qform and sform, far below what shifts a mask.
_GRID_TOLERANCE = 0.01
_COSINE_TOLERANCE = 0.01


class _Volume(NamedTuple):
    """What one file holds: values (Z, Y, X) or (Z, Y, X, C), and where they lie."""

    values: NDArray[np.generic]
    geometry: Geometry
    path: Path


@dataclass(frozen=True)
class NiftiCase(CaseSource):
    """A case of one or more NIfTI files.

    Attributes
    ----------
    files : tuple of (str, Path)
        The files with their roles.
    """

    files: tuple[tuple[str, Path], ...] = ()

    def _read(self, *, image: bool, mask: bool) -> Case:
        roles: dict[str, Path] = {}
        for role, path in self.files:
            if role in roles and role != UNUSED:
                named = f"{role} file" if role else "file without a role in its name"
                msg = (
                    f"Expected case {self.id} to have one {named}, "
                    f"found {roles[role].name} and {path.name}: {path.parent}."
                )
                raise CaseError(msg)
            roles[role] = path
        named_sequences = [name for name in SEQUENCES if name in roles]
        if UNNAMED in roles and named_sequences:
            msg = (
                f"Expected the image of case {self.id} to be one file or a file a sequence, "
                f"found {roles[UNNAMED].name} and {roles[named_sequences[0]].name}: {self.path}."
            )
            raise CaseError(msg)

        volumes = []
        sequences: tuple[str, ...] = ()
        if image and UNNAMED in roles:
            volumes.append(self._volume(roles[UNNAMED]))
            sequences = self._sequences_of(volumes[0])
        elif image and named_sequences:
            volumes += [self._volume(roles[name]) for name in named_sequences]
            sequences = tuple(named_sequences)
            for volume in volumes:
                self._check_dimensions(volume)
        channels = len(volumes)
        if mask and MASK in roles:
            volumes.append(self._volume(roles[MASK]))
            self._check_dimensions(volumes[-1])
        for volume in volumes[1:]:
            self._check_same_grid(volumes[0], volume)

        voxels = None
        if channels:
            joined = [v.values if v.values.ndim == 4 else v.values[..., None] for v in volumes]
            voxels = np.concatenate(joined[:channels], axis=3)
        inside = None
        if len(volumes) > channels:
            inside = binary_mask(volumes[-1].values, case=self.id, path=volumes[-1].path)
        return Case(
            id=self.id,
            patient=self.patient,
            image=voxels,
            mask=inside,
            sequences=sequences,
            geometry=volumes[0].geometry if volumes else Geometry(),
        )

    def _volume(self, path: Path) -> _Volume:
        """Read one file; turn it to (Z, Y, X[, C])."""
        try:
            values, geometry = _load(path)
        # A damaged file makes gzip, zlib and nibabel raise nearly anything, MemoryError for absurd
        # dimensions included.
        except Exception as error:
            msg = (
                f"Expected a file of case {self.id} to be readable NIfTI, "
                f"found: {str(error) or type(error).__name__}: {path}."
            )
            raise CaseError(msg) from error
        return _Volume(values, geometry, path)

    def _sequences_of(self, volume: _Volume) -> tuple[str, ...]:
        """Name the sequences of an image whose file name does not."""
        if volume.values.ndim == 3:
            return ("FLAIR",)
        if volume.values.shape[3] == len(SEQUENCES):
            return SEQUENCES
        msg = (
            f"Expected the image of case {self.id} to have one volume (FLAIR) or three "
            f"({', '.join(SEQUENCES)}), found {volume.values.shape[3]}: {volume.path}."
        )
        raise CaseError(msg)

    def _check_dimensions(self, volume: _Volume) -> None:
        if volume.values.ndim != 3:
            msg = (
                f"Expected the file of case {self.id} to hold one volume, "
                f"found {volume.values.shape[3]}: {volume.path}."
            )
            raise CaseError(msg)

    def _check_same_grid(self, one: _Volume, other: _Volume) -> None:
        shapes = one.values.shape[:3], other.values.shape[:3]
        if shapes[0] != shapes[1]:
            found = f"shapes {shapes[0]} and {shapes[1]}"
        elif not _same_place(one.geometry, other.geometry, shapes[0]):
            found = "different affines or voxel sizes"
        else:
            return
        msg = (
            f"Expected the files of case {self.id} to lie on one grid, found {found}: "
            f"{one.path}, {other.path}."
        )
        raise CaseError(msg)


def is_nifti(name: str) -> bool:
    """Tell whether a file name is that of a NIfTI file."""
    return _NIFTI.search(name) is not None


def single_file(path: Path, *, masks_only: bool) -> CaseSource:
    """Give the case of one file, whatever lies beside it."""
    role, case = _role(path.name)
    return _source(case or _stem(path.name), path, [(role, path)], masks_only=masks_only)


def find(path: Path, *, masks_only: bool) -> list[CaseSource]:
    """Find the cases of a folder: of the NIfTI files in it, and of its sub-folders.

    Parameters
    ----------
    path : Path
        A folder.
    masks_only : bool
        Whether a file whose name does not tell is a mask, and every case has to have one.

    Returns
    -------
    list of CaseSource
        In natural order of names, the cases of the folder itself first.
    """
    found: dict[str, list[tuple[str, Path]]] = {}
    files, folders = visible_names(path)
    for name in filter(is_nifti, files):
        role, case = _role(name)
        found.setdefault(case or folder_name(path), []).append((role, path / name))
    for folder in folders:
        for name in filter(is_nifti, visible_names(path / folder)[0]):
            found.setdefault(folder, []).append((_role(name)[0], path / folder / name))
    return [
        _source(case, _place(path, group), group, masks_only=masks_only)
        for case, group in found.items()
    ]


def _source(
    case: str, path: Path, files: Sequence[tuple[str, Path]], *, masks_only: bool
) -> CaseSource:
    roles = {role for role, _ in files}
    if masks_only and MASK not in roles:
        files = [(MASK if role == UNNAMED else role, file) for role, file in files]
        roles = {role for role, _ in files}
    return NiftiCase(
        id=case,
        patient=case,
        path=path,
        has_image=bool(roles - {MASK, UNUSED}),
        has_mask=MASK in roles,
        mask_required=masks_only,
        files=tuple(files),
    )


def _place(path: Path, files: Sequence[tuple[str, Path]]) -> Path:
    """Give the path of a case: its only file, its folder, or the folder of all cases."""
    folders = {file.parent for _, file in files}
    if folders == {path} and len(files) == 1:
        return files[0][1]
    return folders.pop() if len(folders) == 1 else path


def _stem(name: str) -> str:
    return _NIFTI.sub("", name)


def _role(name: str) -> tuple[str, str]:
    """Split a file name into its role and the name of the case, which may be empty."""
    stem = _stem(name)
    word = re.split(r"[_-]", stem)[-1]
    role = _ROLES.get(word.lower())
    return (UNNAMED, stem) if role is None else (role, stem[: -len(word) - 1])


def _load(path: Path) -> tuple[NDArray[np.generic], Geometry]:
    """Read values (Z, Y, X[, C]) and geometry; raises anything for a damaged file."""
    # Imported here because it takes longer than the rest of the readers together.
    import nibabel as nib

    content = path.read_bytes()
    if content.startswith(_GZIP_MAGIC):
        # The whole stream at once, because only its end holds the checksum.
        content = gzip.decompress(content)
    # The first field of the header is its own size, in either byte order.
    size = {int.from_bytes(content[:4], "little"), int.from_bytes(content[:4], "big")}
    if nib.Nifti1Header.sizeof_hdr in size:
        kind = nib.Nifti1Image
    elif nib.Nifti2Header.sizeof_hdr in size:
        kind = nib.Nifti2Image
    else:
        msg = "no NIfTI header"
        raise ValueError(msg)
    # nibabel repairs a bad pixdim with a guess, so the sizes are taken from the header as it is.
    header = content[: kind.header_class.sizeof_hdr]
    raw = kind.header_class(header, check=False)  # type: ignore[no-untyped-call]
    pixdim = np.asarray(raw["pixdim"][1:4], dtype=np.float64)
    with _quiet_nibabel():
        image = kind.from_bytes(content)
        unit = int(image.header["xyzt_units"]) & _UNIT_OF_LENGTH
        by_sform, by_qform = (int(image.header[f"{form}_code"]) > 0 for form in ("sform", "qform"))
        if by_qform and not by_sform and not _positive(pixdim):
            msg = f"pixdim {pixdim.tolist()} instead of positive voxel sizes"
            raise ValueError(msg)
        if by_sform or by_qform:
            _check_affine(image.affine)
            image = nib.as_closest_canonical(image)  # type: ignore[no-untyped-call]
        values = np.asanyarray(image.dataobj)
    values = _zyx_values(values)
    scale = _MILLIMETRES.get(unit, 1.0)
    if by_sform or by_qform:
        affine = np.diag([scale, scale, scale, 1.0]) @ image.affine[:, [2, 1, 0, 3]]
        return values, Geometry(_spacing(np.linalg.norm(affine[:3, :3], axis=0)), affine)
    if _positive(pixdim) and (unit or np.any(pixdim != 1)):
        return values, Geometry(_spacing(pixdim[::-1] * scale))
    return values, Geometry()


def _zyx_values(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Bring stored (X, Y, Z[, C]) to (Z, Y, X[, C]); drop empty axes at the end."""
    shape = values.shape
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim not in {3, 4} or values.size == 0:
        msg = f"shape {shape} instead of a volume of three axes"
        raise ValueError(msg)
    if values.dtype.kind not in "biuf":
        msg = f"{values.dtype} instead of plain numbers"
        raise ValueError(msg)
    return np.ascontiguousarray(values.transpose(2, 1, 0, *range(3, values.ndim)))


def _spacing(sizes: NDArray[np.float64]) -> Spacing:
    # Headers hold 32-bit numbers: 1.2 is what was meant by 1.2000000477.
    with np.errstate(over="ignore"):
        z, y, x = (float(str(size)) for size in sizes.astype(np.float32))
    low, high = VOXEL_SIZES
    if not all(low <= size <= high for size in (z, y, x)):
        found = ", ".join(f"{size:g}" for size in sizes)
        msg = f"voxel sizes {found} (z, y, x) instead of {low:g} to {high:g} mm"
        raise ValueError(msg)
    return z, y, x


def _positive(sizes: NDArray[np.float64]) -> bool:
    return bool(np.all(np.isfinite(sizes) & (sizes > 0)))


def _check_affine(affine: NDArray[np.float64]) -> None:
    """Refuse an affine that has no voxel sizes, or whose axes are not at right angles."""
    axes = affine[:3, :3]
    sizes = np.linalg.norm(axes, axis=0)
    if not (np.all(np.isfinite(affine)) and _positive(sizes)):
        msg = f"an affine without voxel sizes, {affine.tolist()}"
        raise ValueError(msg)
    cosines = (axes / sizes).T @ (axes / sizes) - np.eye(3)
    if np.abs(cosines).max() > _COSINE_TOLERANCE:
        msg = f"an affine whose axes are not at right angles, {affine.tolist()}"
        raise ValueError(msg)


def _same_place(one: Geometry, other: Geometry, shape: tuple[int, ...]) -> bool:
    """Tell whether the corner voxels of two grids of one shape lie at the same places."""
    if one.affine is not None and other.affine is not None:
        corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)], dtype=np.float64)
        corners[:, :3] *= np.array(shape) - 1
        shift = np.linalg.norm(corners @ (one.affine - other.affine).T, axis=1).max()
        return bool(shift <= _GRID_TOLERANCE * min(one.spacing or (1.0,)))
    if one.affine is not None or other.affine is not None:
        return False
    if one.spacing is None or other.spacing is None:
        return one.spacing == other.spacing
    return bool(np.allclose(one.spacing, other.spacing, rtol=_GRID_TOLERANCE, atol=0))


@contextmanager
def _quiet_nibabel() -> Iterator[None]:
    """Keep nibabel from writing its findings on the header to stderr."""
    logger = logging.getLogger("nibabel.global")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.disabled = disabled
