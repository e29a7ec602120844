"""Cases written in the layouts that researchers hold, by libraries and not by the readers.

Slice folders, packed masks and some TIFF files know no orientation. In the others slices run
upward, rows from front to back and columns from right to left, as in `make_phantom`.
"""

import gzip
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray

from lggshape.case import FLAIR, SEQUENCES, Case
from lggshape.errors import InputError
from lggshape.files import write_json, written_whole
from lggshape.names import hashed_key
from lggshape.phantoms.dicom import write_dicom

_PRE, _, _POST = SEQUENCES


class CaseLayout(NamedTuple):
    """How cases are written.

    Attributes
    ----------
    write : callable
        Takes a case and the folder of all cases.
    finish : callable
        Takes all cases, without their images, and the folder: writes what the layout has once.
    patient : callable
        Takes the key of a patient, and returns the one that the layout gives them.
    """

    write: Callable[[Case, Path], None]
    finish: Callable[[Iterable[Case], Path], None] = lambda _cases, _folder: None
    patient: Callable[[str], str] = str


def subject(patient: str) -> str:
    """Return the key that a patient has in BIDS, whose labels have letters and digits alone.

    Examples
    --------
    >>> subject("PHANTOM_A_0001")
    'sub-PHANTOMA0001'
    """
    return f"sub-{re.sub('[^A-Za-z0-9]', '', patient)}"


def _sequences(case: Case) -> dict[str, NDArray[np.generic]]:
    assert case.image is not None
    return {name: case.image[..., channel] for channel, name in enumerate(case.sequences)}


def _mask(case: Case) -> NDArray[np.uint8]:
    assert case.mask is not None
    return case.mask.astype(np.uint8)


# --- TIFF


def _write_slices(case: Case, folder: Path) -> None:
    place = folder / case.id
    place.mkdir(parents=True)
    for kind, slices in (("", case.image), ("_mask", _mask(case) * 255)):
        assert slices is not None
        for number, one in enumerate(slices.astype(np.uint8), start=1):
            tifffile.imwrite(
                place / f"{case.id}_{number}{kind}.tif",
                one,
                photometric="minisblack" if kind else "rgb",
                compression="deflate",
                metadata=None,
            )


def _write_pages(case: Case, folder: Path) -> None:
    """Write stacks as ImageJ saves them."""
    folder.mkdir(parents=True, exist_ok=True)
    z, y, x = case.geometry.spacing or (1.0, 1.0, 1.0)
    for kind, axes, values in (("", "ZYXS", case.image), ("_mask", "ZYX", _mask(case) * 255)):
        assert values is not None
        tifffile.imwrite(
            folder / f"{case.id}{kind}.tif",
            values.astype(np.uint8),
            photometric="minisblack" if kind else "rgb",
            imagej=True,
            resolution=(1 / x, 1 / y),
            metadata={"axes": axes, "spacing": z, "unit": "mm"},
        )


# --- NIfTI


def _save_nifti(path: Path, values: NDArray[np.generic], case: Case) -> None:
    import nibabel as nib

    z, y, x = case.geometry.spacing or (1.0, 1.0, 1.0)
    affine = np.diag([-x, -y, z, 1.0])
    image = nib.Nifti1Image(values.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0))


def _nifti_writer(
    image: str, mask: str, words: dict[str, str], patient: Callable[[str], str] = str
) -> Callable[[Case, Path], None]:
    """Return a function that writes a file per sequence, and the mask, under certain names."""

    def write(case: Case, folder: Path) -> None:
        name = patient(case.id)
        for sequence, values in _sequences(case).items():
            _save_nifti(folder / image.format(case=name, role=words[sequence]), values, case)
        _save_nifti(folder / mask.format(case=name), _mask(case), case)

    return write


_WORDS = {_PRE: "t1", FLAIR: "flair", _POST: "t1ce"}
_SUFFIXES = {_PRE: "T1w", FLAIR: "FLAIR", _POST: "ce-gd_T1w"}
_CHANNELS = {_PRE: "0000", FLAIR: "0001", _POST: "0002"}


def _finish_bids(cases: Iterable[Case], folder: Path) -> None:
    version = {"BIDSVersion": "1.9.0"}
    write_json(folder / "dataset_description.json", {"Name": "Phantoms", **version})
    derived = {"Name": "Outlines", **version, "DatasetType": "derivative"}
    place = folder / "derivatives" / "outlines"
    write_json(
        place / "dataset_description.json", derived | {"GeneratedBy": [{"Name": "lggshape"}]}
    )
    lines = ["participant_id", *(subject(case.patient) for case in cases)]
    with written_whole(folder / "participants.tsv") as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _finish_nnunet(cases: Iterable[Case], folder: Path) -> None:
    write_json(
        folder / "dataset.json",
        {
            "channel_names": {"0": "T1", "1": "FLAIR", "2": "T1ce"},
            "labels": {"background": 0, "tumour": 1},
            "numTraining": len(list(cases)),
            "file_ending": ".nii.gz",
        },
    )


# --- NRRD


def _write_nrrd(case: Case, folder: Path) -> None:
    """Write files as 3D Slicer saves them."""
    import SimpleITK

    folder.mkdir(parents=True, exist_ok=True)
    z, y, x = case.geometry.spacing or (1.0, 1.0, 1.0)
    names = {f"{case.id}_{_WORDS[name]}.nrrd": one for name, one in _sequences(case).items()}
    for name, values in (names | {f"{case.id}.seg.nrrd": _mask(case)}).items():
        image = SimpleITK.GetImageFromArray(np.ascontiguousarray(values))
        image.SetSpacing((x, y, z))
        if name.endswith(".seg.nrrd"):
            for field, said in (("ID", "1"), ("Name", "tumour"), ("LabelValue", "1")):
                image.SetMetaData(f"Segment0_{field}", said)
            image.SetMetaData("Segment0_Layer", "0")
        SimpleITK.WriteImage(image, folder / name, useCompression=True)


# --- packed masks


def _finish_packed(cases: Iterable[Case], folder: Path) -> None:
    found = list(cases)
    unknown = (np.nan,) * 3
    tables = {
        "cases": np.array([case.id for case in found]),
        "patients": np.array([case.patient for case in found]),
        "shapes": np.array([_mask(case).shape for case in found]),
        "spacings": np.array([case.geometry.spacing or unknown for case in found]),
        "affines": np.full((len(found), 4, 4), np.nan),
    }
    bits = {str(number): np.packbits(_mask(case)) for number, case in enumerate(found)}
    np.savez_compressed(folder / "masks.npz", **tables, **bits)  # type: ignore[arg-type]


def _write_nothing(_case: Case, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


# --- DICOM


def _write_dicom(case: Case, folder: Path) -> None:
    write_dicom(case, folder / case.id, mask=True)


def _write_enhanced(case: Case, folder: Path) -> None:
    write_dicom(case, folder / case.id, enhanced=True, mask=True)


_BIDS_MASK = "derivatives/outlines/{case}/anat/{case}_label-lesion_mask.nii.gz"

CASE_LAYOUTS = {
    "slices": CaseLayout(_write_slices),
    "nifti": CaseLayout(_nifti_writer("{case}_{role}.nii.gz", "{case}_mask.nii.gz", _WORDS)),
    "bids": CaseLayout(
        _nifti_writer("{case}/anat/{case}_{role}.nii.gz", _BIDS_MASK, _SUFFIXES, subject),
        _finish_bids,
        subject,
    ),
    "brats": CaseLayout(
        _nifti_writer("{case}/{case}_{role}.nii.gz", "{case}/{case}_seg.nii.gz", _WORDS)
    ),
    "nnunet": CaseLayout(
        _nifti_writer("imagesTr/{case}_{role}.nii.gz", "labelsTr/{case}.nii.gz", _CHANNELS),
        _finish_nnunet,
    ),
    "nrrd": CaseLayout(_write_nrrd),
    "packed": CaseLayout(_write_nothing, _finish_packed),
    "multipage-tiff": CaseLayout(_write_pages),
    "dicom": CaseLayout(_write_dicom, patient=hashed_key),
    "dicom-enhanced": CaseLayout(_write_enhanced, patient=hashed_key),
}
"""The layouts by name."""


def case_layout(name: str) -> CaseLayout:
    """Return the layout of a name; raise InputError if there is none.

    Examples
    --------
    >>> case_layout("bids").patient("P_7")
    'sub-P7'
    """
    if name not in CASE_LAYOUTS:
        msg = f"Expected a layout among {', '.join(CASE_LAYOUTS)}, found: {name}."
        raise InputError(msg)
    return CASE_LAYOUTS[name]
