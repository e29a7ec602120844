"""The formats of volumes that are known, and which of them a file has."""

from lggshape.readers import itk_file, nifti_file, slicer_file, tiff_file
from lggshape.readers.volume_format import VolumeFormat

FORMATS: tuple[VolumeFormat, ...] = (
    nifti_file.FORMAT,
    itk_file.NRRD,
    slicer_file.FORMAT,
    itk_file.META,
    tiff_file.FORMAT,
)
"""The formats, in the order in which messages list them."""

_ENDINGS = sorted(
    ((ending, one) for one in FORMATS for ending in one.endings), key=lambda pair: -len(pair[0])
)


def split_ending(name: str) -> tuple[str, VolumeFormat | None]:
    """Split the name of a file into its stem and its format.

    Parameters
    ----------
    name : str
        Name of a file.

    Returns
    -------
    stem : str
        The name without its ending; the whole name if the format is not known.
    format : VolumeFormat or None
        The format that the ending tells, in upper or lower case.

    Examples
    --------
    >>> stem, found = split_ending("P7_flair.nii.gz")
    >>> stem, found.name
    ('P7_flair', 'NIfTI')
    >>> split_ending("notes.txt")
    ('notes.txt', None)
    """
    for ending, one in _ENDINGS:
        if name.lower().endswith(ending):
            return name[: -len(ending)], one
    return name, None
