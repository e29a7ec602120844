"""Valid inputs with images: every layout and format, and how each is read."""

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from helpers.dicom_files import structure_set
from lggshape.case import Case
from lggshape.errors import CaseError
from lggshape.files import write_json, write_table
from lggshape.phantoms import make_phantom, write_cohort, write_dicom
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.readers import open_cases
from lggshape.shape import extract_features

SIZE = (3, 16, 14)


def phantom(name: str = "P1") -> Case:
    return make_phantom(np.random.default_rng(1), size=SIZE, name=name)


def read_cases(folder: Path, *, path: str = "", used: bool = False, **options: Any) -> bool:
    """Read all cases of a folder; return whether every one was read.

    `used` says that they are also measured and written again, which takes longer than to read them.
    """
    failed = False
    for source in open_cases(folder / path, **options):
        try:
            source.described()
            case = source.read()
            if used and case.mask is not None:
                extract_features(case)
                if source.has_image:
                    source.write(tempfile.mkdtemp(dir=folder.parent), {"mask": case.mask})
        except CaseError:
            failed = True
    return not failed


def _in_layout(layout: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write_cohort(folder, patients=1, size=SIZE, layout=layout, hypotheses=None)
        for table in ("labels.csv", "clinical.csv"):
            (folder / table).unlink()

    return make


def _volumes(ending: str) -> Callable[[Path], object]:
    """Return what writes a case as files of SimpleITK, whatever the layout."""

    def make(folder: Path) -> None:
        import SimpleITK

        case = phantom()
        assert case.image is not None
        assert case.mask is not None
        folder.mkdir()
        for name, values in (
            ("flair", case.image[..., 1]),
            ("mask", case.mask.astype(np.uint8)),
        ):
            image = SimpleITK.GetImageFromArray(np.ascontiguousarray(values))
            image.SetSpacing((1.0, 1.5, 3.0))
            SimpleITK.WriteImage(image, folder / f"P1_{name}.{ending}", useCompression=False)

    return make


def _by_pattern(folder: Path) -> None:
    CASE_LAYOUTS["brats"].write(phantom(), folder)
    for file in (folder / "P1").iterdir():
        place = folder / "P1" / "2001" / file.name.removeprefix("P1_")
        place.parent.mkdir(exist_ok=True)
        file.rename(place)


def _by_manifest(folder: Path) -> None:
    import pandas as pd

    names = ["P1", "P2"]
    for name in names:
        CASE_LAYOUTS["nifti"].write(phantom(name), folder / "data")
    rows = {"case": ["one", "two"], "patient": names, "site": ["A", "B"], "age": [40, 50]}
    files = {word: [f"data/{name}_{word}.nii.gz" for name in names] for word in ("flair", "mask")}
    write_table(folder / "manifest.csv", pd.DataFrame(rows | files))


def _with_sidecars(folder: Path) -> None:
    CASE_LAYOUTS["nifti"].write(phantom(), folder)
    for number, (word, said) in enumerate(
        {"flair": "AX T2 FLAIR", "t1": "AX T1", "t1ce": "AX T1 POST"}.items(), start=1
    ):
        (folder / f"P1_{word}.nii.gz").rename(folder / f"P1_series{number}.nii.gz")
        times = {"EchoTime": 0.12, "RepetitionTime": 9, "InversionTime": 2.5}
        header = {"SeriesDescription": said, "PatientID": "P1", **times}
        write_json(folder / f"P1_series{number}.json", header)


def _with_structures(folder: Path) -> None:
    case = phantom()
    write_dicom(case, folder / "P1")
    for series in (1, 3):
        shutil.rmtree(folder / "P1" / f"series_{series}")
    square = np.array([[-30, -30, 0], [30, -30, 0], [30, 30, 0], [-30, 30, 0]], dtype=float)
    first = sorted((folder / "P1" / "series_2").iterdir())
    structure_set(folder / "P1" / "structures.dcm", first, {1: [square]})


_ALSO_USED = {"slices", "nifti", "packed", "multipage-tiff"}

CASE_INPUTS: dict[str, tuple[Callable[[Path], object], Callable[[Path], bool]]] = {
    **{
        layout: (_in_layout(layout), partial(read_cases, used=layout in _ALSO_USED))
        for layout in CASE_LAYOUTS
    },
    "nii, not compressed": (_volumes("nii"), read_cases),
    "mha": (_volumes("mha"), partial(read_cases, used=True)),
    "mhd and raw": (_volumes("mhd"), read_cases),
    "nrrd, not compressed": (_volumes("nrrd"), read_cases),
    "regions of brats": (_in_layout("brats"), partial(read_cases, regions="brats")),
    "regions that files name": (_in_layout("nnunet"), partial(read_cases, regions="names")),
    "masks alone": (_in_layout("nifti"), partial(read_cases, masks_only=True, threshold=0.5)),
    "pattern": (
        _by_pattern,
        partial(read_cases, pattern="{patient}/{session}/{role}.nii.gz"),
    ),
    "manifest": (_by_manifest, partial(read_cases, path="manifest.csv")),
    "json beside volumes": (_with_sidecars, read_cases),
    "dicom structure set": (_with_structures, read_cases),
}
"""By name: what writes a folder, and what reads it and returns whether nothing was refused."""
