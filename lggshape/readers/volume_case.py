"""A case of files that hold volumes: one file per role, or one file for all sequences.

Volumes are turned to the nearest right-anterior-superior axes and transposed, so that the array
axes are (Z, Y, X) with z towards superior, y towards anterior and x towards the right. All files of
a case are brought onto the grid of FLAIR (`lggshape.readers.one_grid`).

What is written has the format of the image and lies on its stored grid, so that each voxel has the
same place in both files.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, SEQUENCES, Case, Geometry
from lggshape.errors import CaseError
from lggshape.names import counted
from lggshape.readers.description import FileDescription, plane_of
from lggshape.readers.formats import FORMATS, split_ending
from lggshape.readers.listing import check_regular, file_names, folder_name
from lggshape.readers.mask_values import MaskRead, read_mask
from lggshape.readers.naming import IMAGE, MAPS, MASK, NOT_READ, UNNAMED
from lggshape.readers.one_grid import (
    FileGrid,
    Placed,
    as_channels,
    mask_on_grid,
    reference_of,
    sequences_on_one_grid,
)
from lggshape.readers.source import CaseSource
from lggshape.readers.unusable import UnusableError
from lggshape.readers.volume_format import FileHeader, VolumeFormat
from lggshape.regions import Values

_Result = TypeVar("_Result")


_WHOLE = (IMAGE, UNNAMED)
"""Roles of a file that holds all sequences."""

_AS_SLICES = {len(SEQUENCES): SEQUENCES}
"""The sequences of an image by the number of its volumes: the colours of slices."""


@dataclass(frozen=True, repr=False)
class VolumeCase(CaseSource):
    """A case of one or more files that hold volumes.

    Attributes
    ----------
    files : tuple of (str, Path)
        The files with their roles.
    volumes : tuple of str
        What the volumes of the file with the role `IMAGE` show, in their order: sequences, or roles
        that are left aside. By default three are all sequences, as the colours of slices are.
    labels : tuple of (str, frozenset of int)
        The names of the values of the mask, if the data set tells them; else its file may.
    """

    files: tuple[tuple[str, Path], ...] = ()
    volumes: tuple[str, ...] = ()
    labels: tuple[tuple[str, Values], ...] = ()

    @property
    def files_of_it(self) -> tuple[Path, ...]:
        """The files that it is read from, and those that are left aside."""
        return tuple(path for _, path in self.files)

    def value_names(self) -> Mapping[str, Values]:
        """Return which values of the mask have which name, as its file or the data set says."""
        path = dict(self.files).get(MASK)
        if path is None or self.labels:
            return dict(self.labels)
        names_of = self._format_of(path).names_of
        return {} if names_of is None else self._from_file(path, lambda _: names_of)

    def with_files(self, files: Iterable[tuple[str, Path]]) -> "VolumeCase":
        """Return the same case with other files."""
        kept = tuple(files)
        roles = {role for role, _ in kept}
        has_image = bool(roles - {MASK, *NOT_READ})
        return replace(self, files=kept, has_image=has_image, has_mask=MASK in roles)

    def _read(self, *, image: bool, mask: bool) -> Case:
        roles = self._files_by_role()
        named_sequences = [name for name in SEQUENCES if name in roles]
        sequences: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        voxels: NDArray[np.generic] | None = None
        grid: FileGrid | None = None
        whole = next((role for role in _WHOLE if role in roles), None)
        if image and whole is not None:
            grid, sequences = self._whole_image(self._volume(roles[whole]), whole)
            voxels = grid.values if grid.values.ndim == 4 else grid.values[..., None]
        elif image and named_sequences:
            volumes = {name: self._volume(roles[name]) for name in named_sequences}
            for volume in volumes.values():
                self._check_dimensions(volume)
            sequences, grid = tuple(named_sequences), volumes[reference_of(volumes)].without_values
            channels, notes = sequences_on_one_grid(
                volumes, case=self.id, register=self.options.register
            )
            volumes.clear()
            voxels = as_channels(channels)
        elif mask and MASK in roles:
            grid = self._image_grid(roles)
        inside: MaskRead | None = None
        if mask and MASK in roles:
            own = self._volume(roles[MASK])
            self._check_dimensions(own)
            if grid is not None:
                own, done = mask_on_grid(
                    own, grid, case=self.id, resample=self.options.resample_masks
                )
                notes += done
            inside = read_mask(
                own.values, case=self.id, path=own.path, options=self.options,
                value_names=self.value_names,
            )  # fmt: skip
            grid = own if voxels is None else grid
        return Case(
            id=self.id,
            patient=self.patient,
            image=voxels,
            mask=None if inside is None else inside.mask,
            sequences=sequences,
            geometry=Geometry() if grid is None else grid.geometry,
            regions={} if inside is None else inside.regions,
            notes=notes,
        )

    def _read_flair(self, slices: list[int]) -> NDArray[np.generic] | None:
        roles = self._files_by_role()
        if FLAIR not in roles:
            return super()._read_flair(slices) if set(_WHOLE) & roles.keys() else None
        # The other sequences would be brought onto its grid, as the mask is.
        flair = self._volume(roles[FLAIR])
        self._check_dimensions(flair)
        return flair.values[slices]

    def described(self) -> list[FileDescription]:
        """Return each file with its role and what its header says; voxels are not read."""
        try:
            self._files_by_role()
            self._check_presence()
            contradiction = ""
        except CaseError as error:
            contradiction = str(error)
        return [self._described(role, path, contradiction) for role, path in self.files]

    def _described(self, role: str, path: Path, contradiction: str) -> FileDescription:
        shown = role or " + ".join(self.options.sequences)
        if role in NOT_READ:
            return FileDescription(path, role, reason="not used")
        try:
            said = self._from_file(path, _describe)
            if role in _WHOLE:
                shown = " + ".join(self._volume_names(role, said.shape, path))
        except CaseError as error:
            return FileDescription(path, shown, reason=str(error))
        plane = plane_of(said.geometry, said.slice_axis)
        return FileDescription(path, shown, said.shape, said.geometry, plane, contradiction)

    def _files_by_role(self) -> dict[str, Path]:
        """Return the file of each role; raise CaseError where there are several."""
        roles: dict[str, Path] = {}
        for role, path in self.files:
            if role in roles and role not in NOT_READ:
                named = f"{role} file" if role else "file without a role in its name"
                place = Path(os.path.commonpath([roles[role].parent, path.parent]))
                both = " and ".join(
                    one.relative_to(place).as_posix() for one in (roles[role], path)
                )
                msg = (
                    f"Expected case {self.id} to have one {named}, found {both}: {place}. Move one "
                    "of them, or name the right one in a table with --manifest (manifest=)."
                )
                raise CaseError(msg)
            roles[role] = path
        named_sequences = [name for name in SEQUENCES if name in roles]
        whole = next((role for role in _WHOLE if role in roles), None)
        if whole is not None and named_sequences:
            msg = (
                f"Expected the image of case {self.id} to be one file or a file per sequence, "
                f"found {roles[whole].name} and {roles[named_sequences[0]].name}: {self.path}."
            )
            raise CaseError(msg)
        return roles

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        source = self._grid_file
        grid = self._from_file(source, lambda one: one.grid_of)
        self._check_grid(grid.shape, volumes)
        names = {kind: self._name(kind) for kind in volumes}
        for kind, name in names.items():
            (folder / name).parent.mkdir(exist_ok=True)
            self._format_of(source).write(folder / name, volumes[kind], grid)
        return list(names.values())

    def _places(self) -> list[str]:
        return [self.id] if self._has_folder else [self._name(kind) for kind in (MASK, *MAPS)]

    def _written(self, folder: Path) -> list[str]:
        return written(folder, self.id)

    def _name(self, kind: str) -> str:
        ending = self._format_of(self._grid_file).endings[0]
        name = f"{self.id}_{kind}{ending}"
        return f"{self.id}/{name}" if self._has_folder else name

    @property
    def _grid_file(self) -> Path:
        """The file that gives the case its geometry when it is read."""
        roles = dict(self.files)
        used = (roles[role] for role in (*_WHOLE, FLAIR, *SEQUENCES, MASK) if role in roles)
        return next(used, self.files[0][1])

    def _image_grid(self, roles: Mapping[str, Path]) -> FileGrid | None:
        """Return the grid of the image by its header; None if there is none that can be read."""
        image = next((roles[role] for role in (*_WHOLE, FLAIR, *SEQUENCES) if role in roles), None)
        try:
            header = None if image is None else self._from_file(image, _describe)
        except CaseError:  # it is not the image that was asked for
            return None
        if image is None or header is None:
            return None
        return FileGrid(header.shape[:3], header.geometry, image)

    @property
    def _has_folder(self) -> bool:
        """Whether the case is a folder, and not files of a folder that may hold others."""
        return folder_name(self.path) == self.id

    def _volume(self, path: Path) -> Placed:
        """Read one file; turn it to (Z, Y, X[, C])."""
        values, geometry = self._from_file(path, lambda one: one.load)
        return Placed(values.shape[:3], geometry, path, values)

    def _from_file(
        self, path: Path, reader_of: Callable[[VolumeFormat], Callable[[Path], _Result]]
    ) -> _Result:
        found = self._format_of(path)
        try:
            self._check_file(path)
            return reader_of(found)(path)
        except (UnusableError, OSError) as error:
            msg = (
                f"Expected a file of case {self.id} to be readable {found.name}, found: {error}: "
                f"{path}."
            )
            raise CaseError(msg) from error

    def _check_file(self, path: Path) -> None:
        """Raise UnusableError for what is no file to read, such as a pipe."""
        check_regular(path)

    def _format_of(self, path: Path) -> VolumeFormat:
        found = split_ending(path.name)[1]
        assert found is not None  # layouts take files of known formats alone
        return found

    def _whole_image(self, volume: Placed, role: str) -> tuple[Placed, tuple[str, ...]]:
        """Return the volumes of an image file that are sequences, and their names."""
        named = self._volume_names(role, volume.values.shape, volume.path)
        kept = [number for number, name in enumerate(named) if name in SEQUENCES]
        if volume.values.ndim == 4:
            volume = replace(volume, values=volume.values[..., kept])
        return volume, tuple(named[number] for number in kept)

    def _volume_names(self, role: str, shape: tuple[int, ...], path: Path) -> tuple[str, ...]:
        """Return what the volumes of an image file show; raise CaseError if nothing tells it."""
        count = shape[3] if shape[3:] else 1
        said = self.options.sequences
        named = said or self.volumes
        if role == IMAGE:
            named = self.volumes or (said if len(said) == count else _AS_SLICES.get(count, ()))
        sequences = [name for name in named if name in SEQUENCES]
        if len(named) == count and sequences and len(set(sequences)) == len(sequences):
            return named
        wanted = (
            f"{counted(len(named), 'volume')} ({', '.join(named)})" if named else "named sequences"
        )
        ways_out = "Say in which order the sequences are, with --sequences (sequences= in Python)."
        if self.volumes:
            ways_out = "Correct its channels in dataset.json."
        elif not named:
            ways_out = f"Name it {self.id}_flair if it is FLAIR. {ways_out}"
        found = f"{count} without names" if not named else str(count)
        msg = (
            f"Expected the image of case {self.id} to have {wanted}, found {found}: {path}. "
            f"{ways_out}"
        )
        raise CaseError(msg)

    def _check_dimensions(self, volume: Placed) -> None:
        if volume.values.ndim != 3:
            msg = (
                f"Expected the file of case {self.id} to hold one volume, "
                f"found {volume.values.shape[3]}: {volume.path}. Save the volume that is meant in "
                "a file of its own."
            )
            raise CaseError(msg)


def _describe(found: VolumeFormat) -> Callable[[Path], FileHeader]:
    """Return what reads the header of a format, or else the whole file."""
    if found.describe is not None:
        return found.describe

    def loaded(path: Path) -> FileHeader:
        values, geometry = found.load(path)
        return FileHeader(values.shape, geometry)

    return loaded


def volume_case(
    case: str, path: Path, files: Iterable[tuple[str, Path]], *, masks_only: bool
) -> VolumeCase:
    """Return the case of some files.

    Parameters
    ----------
    case : str
        Its name.
    path : Path
        Its folder, its only file, or the folder of all cases.
    files : iterable of (str, Path)
        Its files with their roles.
    masks_only : bool
        Whether it has to have a mask.

    Returns
    -------
    VolumeCase
        Without a patient: the name of the case tells.
    """
    case_of_none = VolumeCase(id=case, patient="", path=path, mask_required=masks_only)
    return case_of_none.with_files(files)


def written(folder: Path, case: str) -> list[str]:
    """Return the masks and maps of a case that lie in a folder, as `Layout.written` does."""
    names = [f"{case}_{kind}{one.endings[0]}" for one in FORMATS for kind in (MASK, *MAPS)]
    inside = file_names(folder / case)
    flat = [name for name in names if (folder / name).is_file()]
    return [*flat, *(f"{case}/{name}" for name in names if name in inside)]
