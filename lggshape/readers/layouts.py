"""The layouts that are known, and the one key of a patient that all of them share."""

from lggshape.readers import bids, dicom, nnunet, packed, slice_folders, volume_files
from lggshape.readers.naming import Identity, identify

LAYOUTS = (
    slice_folders.LAYOUT,
    bids.LAYOUT,
    nnunet.LAYOUT,
    volume_files.LAYOUT,
    dicom.LAYOUT,
    packed.LAYOUT,
)
"""The layouts that are known, in the order in which messages list them."""


def whose(case: str) -> Identity:
    """Return whose a case of this name is, by the naming rules of all layouts.

    A converted copy of a case is thus of the same patient.

    Examples
    --------
    >>> whose("P7_ses-2")
    Identity(patient='P7', site='', session='2')
    """
    return identify(case, (layout.identify for layout in LAYOUTS if layout.identify))


def patient_key(name: str) -> str:
    """Return the key of a patient, whatever way it is spelled.

    Parameters
    ----------
    name : str
        The key as it stands in a table, a path or the header of a file, or the name of a case.

    Returns
    -------
    str
        The patient that a naming rule of a layout finds in the name; else the name itself.

    Examples
    --------
    >>> patient_key("P-07")
    'P-07'
    """
    found = (layout.identify(name) for layout in LAYOUTS if layout.identify)
    return next((one.patient for one in found if one is not None), name)
