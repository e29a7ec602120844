"""Published studies, each a guest of the tool in a folder of its own.

A study imports the tool; nothing in the tool imports or names a study. A second study needs only a
second folder here. It is a package that holds

`hypotheses.toml`
    The hypotheses, with `title` and `reference` of the publication and the figures that it reports:
    what `lggshape.association.read_family` reads. Its folder is a study by this file.
`study.toml`
    In place of it, with `title` alone, if the study asks further about the hypotheses of another
    one, or is no publication that tables of any user are compared with. Such a study has to be
    named.
`codebook.toml`
    The codes of the publication's tables, if they are public: what `lggshape.labels.read_codebook`
    reads.
`supplements.toml`
    The published tables from which `lggshape labels` makes tables of labels, if there are any.
`replicate`
    A function of the package: `replicate(dataset, labels, out, *, ...)`, with those of the options
    `networks`, `masks`, `earlier`, `protocol`, `steps`, `realisations`, `title`, `authors`, `work`,
    `seed`, `jobs`, `resume`, `overwrite` and `on_progress` that the study has. It does the study
    again and returns an object with `tables` (by name), `failures` (a reason for each case),
    `report` (a path) and `summary()`.
"""

from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lggshape.errors import InputError
from lggshape.extras import require
from lggshape.files import StrPath, read_toml

if TYPE_CHECKING:
    import pandas as pd

    from lggshape.labels import Labels, LabelSource


class StudyResults(Protocol):
    """What a study's `replicate` returns."""

    @property
    def tables(self) -> "dict[str, pd.DataFrame]":
        """Every table by its name."""

    @property
    def failures(self) -> dict[str, str]:
        """The cases that could not be measured, with the reason."""

    @property
    def report(self) -> Path:
        """The report."""

    def summary(self) -> str:
        """Return what was found, in a few lines."""


class Replicate(Protocol):
    """The function of a study that does it again."""

    def __call__(self, dataset: Any, labels: Any, out: Any, **options: Any) -> StudyResults:
        """Do the study again on a data set."""


class PublishedStudy(NamedTuple):
    """A published study that can be done again.

    Attributes
    ----------
    name : str
        Name of its folder.
    title : str
        What it asks, and who published it.
    function : callable
        Does it again.
    """

    name: str
    title: str
    function: Replicate

    def replicate(self, dataset: Any, labels: Any, out: Any, **options: Any) -> StudyResults:
        """Do the study again with those of the options that it has.

        Parameters
        ----------
        dataset, labels, out, **options
            As for the function `replicate` of this module.

        Raises
        ------
        InputError
            If an option is given that the study does not have, or as the study says.
        """
        taken = set(signature(self.function).parameters)
        if unknown := [name for name, value in options.items() if value and name not in taken]:
            has = ", ".join(name for name in options if name in taken)
            msg = (
                f"Expected options that the study {self.name} has ({has}), found "
                f"{', '.join(unknown)}."
            )
            raise InputError(msg)
        own = {name: value for name, value in options.items() if name in taken}
        return self.function(dataset, labels, out, **own)


def find_studies() -> list[str]:
    """Return the names of the studies that have hypotheses of their own.

    Examples
    --------
    >>> find_studies()
    ['buda2019']
    """
    return sorted(_files("hypotheses.toml"))


def _files(name: str) -> dict[str, Path]:
    """Return the files of a name by the study that has them."""
    paths = (path for folder in __path__ for path in Path(folder).glob(f"*/{name}"))
    return {path.parent.name: path for path in paths}


def open_study(name: str | None = None) -> PublishedStudy:
    """Return a study by its name.

    Parameters
    ----------
    name : str, optional
        Name of its folder; it may be left out if only one study has hypotheses of its own.

    Raises
    ------
    InputError
        If there is no such study, or no name and several studies.

    Examples
    --------
    >>> open_study().title
    'Tumour shape and genomic clusters of lower-grade gliomas (Buda et al. 2019)'
    """
    own = _files("hypotheses.toml")
    if name is None and len(own) == 1:
        name = next(iter(own))
    files = {**_files("study.toml"), **own}
    if name not in files:
        found = "none" if name is None else repr(name)
        msg = f"Expected the name of a study, one of {', '.join(sorted(files))}, found {found}."
        raise InputError(msg)
    require("sklearn", "to replicate a study")
    package = import_module(f"{__name__}.{name}")
    title = read_toml(files[name])["title"]
    return PublishedStudy(name, str(title), package.replicate)


def replicate(
    dataset: StrPath,
    labels: "Labels | LabelSource",
    out: StrPath,
    *,
    study: str | None = None,
    **options: Any,
) -> StudyResults:
    """Do a published study again.

    Parameters
    ----------
    dataset : str or Path
        Folder of cases with images and manual masks.
    labels : Labels, or what `read_labels` takes
        Label tables with a row per patient, as CSV files or in memory.
    out : str or Path
        Folder for the results.
    study : str, optional
        Name of the study; it may be left out if only one has hypotheses of its own.
    **options
        `networks`, `masks`, `earlier`, `protocol`, `steps`, `realisations`, `title`, `authors`,
        `work`, `seed`, `jobs`, `resume`, `overwrite` and `on_progress`, as the function `replicate`
        of the study describes them.

    Returns
    -------
    StudyResults
        Every table by name, the cases that failed, the report, and a summary.

    Raises
    ------
    InputError
        If there is no such study, or as the study says.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.studies.buda2019.phantom_labels import write_phantoms
    >>> with TemporaryDirectory() as top:
    ...     data = write_phantoms(Path(top, "cases"), patients=8, seed=5, size=(6, 32, 32))
    ...     tables = [data / f"{name}.csv" for name in ("labels", "idh_1p19q", "clinical")]
    ...     out = Path(top, "out")
    ...     found = replicate(data, tables, out, masks=data, steps=["primary"], jobs=1)
    >>> sorted(found.tables)[:3]
    ['associations', 'claims', 'cohort']
    """
    return open_study(study).replicate(dataset, labels, out, **options)
