"""NIfTI files (`.nii`, `.nii.gz`): single files, flat folders, and folders of cases.

The last part of a file's name says what it is: see `lggshape.readers.naming` for the words. A file
without such a word holds the image of its case: one volume is FLAIR, three volumes along the fourth
axis are pre-contrast, FLAIR and post-contrast. Where only masks are wanted it holds the mask,
unless the case has another file with the role of mask.

The files directly in the folder belong to the case that their names give without the role
(`A_flair.nii.gz` and `A_mask.nii.gz` to case `A`; `mask.nii.gz` alone to the case named like the
folder). All NIfTI files in a sub-folder belong to the case named like the sub-folder. A case has at
most one file per role.

Volumes are turned to the nearest right-anterior-superior axes and transposed, so that the array
axes are (Z, Y, X) with z towards superior, y towards anterior and x towards the right. The affine
is the sform, else the qform, in mm (the header's units count). With neither (both codes 0) the
orientation is unknown and the axes are only transposed; the pixdim sizes then count as spacing if
they are positive and the header names their unit, or one of them differs from 1. Programs that know
no size write 1. A size outside 0.001 to 1000 mm is an error. All files of a case
have to lie on the same grid.

What is written lies on the stored grid of the image, with the orientation and the transforms of its
header, so that each voxel has the same place in both files.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, SEQUENCES, Case, Geometry
from lggshape.errors import CaseError
from lggshape.readers import nifti_file
from lggshape.readers.folder import Folder
from lggshape.readers.layout import Layout
from lggshape.readers.listing import file_names, folder_name
from lggshape.readers.naming import MAPS, MASK, NOT_READ, UNNAMED, split_role
from lggshape.readers.source import CaseSource, binary_mask
from lggshape.readers.unusable import UnusableError

_NIFTI = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)

_Result = TypeVar("_Result")


class _Volume(NamedTuple):
    """What one file holds: values (Z, Y, X) or (Z, Y, X, C), and where they lie."""

    values: NDArray[np.generic]
    geometry: Geometry
    path: Path


@dataclass(frozen=True, repr=False)
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
            if role in roles and role not in NOT_READ:
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
                f"Expected the image of case {self.id} to be one file or a file per sequence, "
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

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        roles = dict(self.files)
        # The file that gives the case its geometry when it is read.
        source = next(roles[role] for role in (UNNAMED, *SEQUENCES, MASK) if role in roles)
        grid = self._from_file(source, nifti_file.grid_of)
        self._check_grid(grid.shape, volumes)
        names = {kind: self._name(kind) for kind in volumes}
        for kind, name in names.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(nifti_file.encode(volumes[kind], grid))
        return list(names.values())

    def _places(self) -> list[str]:
        return [self.id] if self._has_folder else [self._name(kind) for kind in (MASK, *MAPS)]

    def _written(self, folder: Path) -> list[str]:
        return written(folder, self.id)

    def _name(self, kind: str) -> str:
        name = _written_name(self.id, kind)
        return f"{self.id}/{name}" if self._has_folder else name

    @property
    def _has_folder(self) -> bool:
        """Whether the case is a folder, and not files of a folder that may hold others."""
        return folder_name(self.path) == self.id

    def _volume(self, path: Path) -> _Volume:
        """Read one file; turn it to (Z, Y, X[, C])."""
        return _Volume(*self._from_file(path, nifti_file.load), path)

    def _from_file(self, path: Path, read: Callable[[Path], _Result]) -> _Result:
        try:
            return read(path)
        except (UnusableError, OSError) as error:
            msg = f"Expected a file of case {self.id} to be readable NIfTI, found: {error}: {path}."
            raise CaseError(msg) from error

    def _sequences_of(self, volume: _Volume) -> tuple[str, ...]:
        """Return the sequences of an image whose file name does not name one."""
        if volume.values.ndim == 3:
            return (FLAIR,)
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


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the cases of a folder: of the NIfTI files in it, and of its sub-folders.

    Parameters
    ----------
    folder : Folder
        The folder.
    masks_only : bool
        Whether a file whose name does not tell is a mask, and every case has to have one.

    Returns
    -------
    iterable of CaseSource
        In natural order of names, the cases of the folder itself first.
    """
    found: dict[str, list[tuple[str, Path]]] = {}
    for name in filter(_NIFTI.search, folder.files):
        role, case = _role(name)
        found.setdefault(case or folder.name, []).append((role, folder.path / name))
    for case, inner in folder.folders.items():
        for name in filter(_NIFTI.search, inner.files):
            found.setdefault(case, []).append((_role(name)[0], inner.path / name))
    return [
        _source(case, _place(folder.path, group), group, masks_only=masks_only)
        for case, group in found.items()
    ]


def open_file(path: Path, *, masks_only: bool) -> CaseSource | None:
    """Return the case of one file, whatever lies beside it; None if it is no NIfTI file."""
    if not _NIFTI.search(path.name):
        return None
    role, case = _role(path.name)
    return _source(case or _stem(path.name), path, [(role, path)], masks_only=masks_only)


def written(folder: Path, case: str) -> list[str]:
    """Return the masks and maps of a case that lie in a folder, as `Layout.written` does."""
    names = [_written_name(case, kind) for kind in (MASK, *MAPS)]
    inside = file_names(folder / case)
    flat = [name for name in names if (folder / name).is_file()]
    return [*flat, *(f"{case}/{name}" for name in names if name in inside)]


LAYOUT = Layout(
    "NIfTI files",
    "<case>.nii.gz, <case>_mask.nii.gz, <case>_flair.nii.gz, or a folder per case",
    find,
    open_file=open_file,
    written=written,
)


def _source(
    case: str, path: Path, files: Sequence[tuple[str, Path]], *, masks_only: bool
) -> CaseSource:
    roles = {role for role, _ in files}
    if masks_only and MASK not in roles:
        files = [(MASK if role == UNNAMED else role, file) for role, file in files]
        roles = {role for role, _ in files}
    return NiftiCase(
        id=case,
        patient="",
        path=path,
        has_image=bool(roles - {MASK, *NOT_READ}),
        has_mask=MASK in roles,
        mask_required=masks_only,
        files=tuple(files),
    )


def _written_name(case: str, kind: str) -> str:
    return f"{case}_{kind}.nii.gz"


def _place(path: Path, files: Sequence[tuple[str, Path]]) -> Path:
    """Return the path of a case: its only file, its folder, or the folder of all cases."""
    folders = {file.parent for _, file in files}
    if folders == {path} and len(files) == 1:
        return files[0][1]
    return folders.pop() if len(folders) == 1 else path


def _stem(name: str) -> str:
    return _NIFTI.sub("", name)


def _role(name: str) -> tuple[str, str]:
    """Split a file name into its role and the name of the case, which may be empty."""
    return split_role(_stem(name))


def _same_place(one: Geometry, other: Geometry, shape: tuple[int, ...]) -> bool:
    """Test whether two grids lie in the same place, and as much is known of either."""
    known = [(grid.affine is None, grid.spacing is None) for grid in (one, other)]
    return known[0] == known[1] and not one.difference(other, shape)
