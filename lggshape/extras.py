"""Packages that only a part of the work needs, and the extras of lggshape that install them."""

from importlib.util import find_spec

from lggshape.errors import MissingPackageError

EXTRAS = {
    "distributed": "dask",
    "highdicom": "dicom",
    "imagecodecs": "formats",
    "keras": "segment",
    "numba": "fast",
    "pyarrow": "parquet",
    "pydicom": "dicom",
    "sklearn": "replicate",
    "SimpleITK": "formats",
    "statsmodels": "survival",
    "tensorflow": "segment",
}
"""The extra that installs a package, by the name under which the package is imported."""


def is_installed(package: str) -> bool:
    """Return whether a package can be imported.

    Examples
    --------
    >>> is_installed("numpy")
    True
    """
    return find_spec(package) is not None


def require(package: str, purpose: str) -> None:
    """Raise the error that names the command which installs a package, if it is not installed.

    Parameters
    ----------
    package : str
        A package of `EXTRAS`.
    purpose : str
        What it is needed for, such as "to read DICOM".

    Raises
    ------
    MissingPackageError
        If the package is not installed.

    Examples
    --------
    >>> require("pyarrow", "to read Parquet")
    """
    if not is_installed(package):
        msg = (
            f"Expected the package {package} {purpose}, found that it is not installed. Run: "
            f'pip install "lggshape[{EXTRAS[package]}]".'
        )
        raise MissingPackageError(msg)
