"""Labels from the table that a publication offers for download, as it is downloaded."""

import warnings
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import StrPath, read_bytes, read_toml, shipped_files
from lggshape.names import did_you_mean
from lggshape.tables import is_missing, read_patient_table
from lggshape.tables.workbooks import MOST_BYTES, check_packed


@dataclass(frozen=True)
class Supplement:
    """The form of a published workbook, as `supplements.toml` of a bundled study describes it.

    Attributes
    ----------
    labels : str
        What the labels are called, as idh.
    title, link : str
        The table, and where it is published.
    header : int
        The row of the column names, from 1.
    patient : str
        The column that names the patients.
    columns : dict of str to str
        The published column of each column to write.
    replace : dict of str to str
        What is replaced in the names of patients, so that they are those of the images.
    corrections : dict of str to dict of str to str
        For columns to write: values of patients that differ from the published ones.
    """

    labels: str
    title: str
    link: str
    header: int
    patient: str
    columns: dict[str, str]
    replace: dict[str, str] = field(default_factory=dict)
    corrections: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def expected(self) -> str:
        """What a message says about the form."""
        columns = dict.fromkeys((self.patient, *self.columns.values()))
        return f"a sheet with the columns {', '.join(columns)} in row {self.header}: {self.title}"


def read_supplement(path: StrPath, labels: str) -> pd.DataFrame:
    """Read the labels of patients from a published workbook as it was downloaded.

    Parameters
    ----------
    path : str or Path
        The workbook (.xlsx).
    labels : str
        What to take from it, as "idh": a name in the bundled `supplements.toml`.

    Returns
    -------
    DataFrame
        A row for each patient with a label, in the published order: `Patient`, and the columns of
        the first description whose form a sheet of the workbook has. Missing labels are empty.

    Raises
    ------
    InputError
        If there are no such labels, the file is no workbook, or no sheet has the form.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> rows = [["A title", "", "", ""],
    ...         ["Case", "IDH status", "1p/19q codeletion", "IDH/codel subtype"],
    ...         ["P-1", "WT", "non-codel", "IDHwt"], ["P-2", "NA", "NA", "NA"]]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "supplement.xlsx")
    ...     pd.DataFrame(rows).to_excel(path, header=False, index=False)
    ...     read_supplement(path, "idh").iloc[:, :3].values.tolist()
    [['P_1', 'WT', 'non-codel']]
    """
    supplements = _supplements(labels)
    sheets = _sheets(Path(path))
    for supplement in supplements:
        for rows in sheets.values():
            table = _table(rows, supplement.header)
            if {supplement.patient, *supplement.columns.values()} <= set(table.columns):
                return _labels(table, supplement)
    links = " or ".join(one.link for one in supplements)
    found = "; ".join(f"{name}: {_first_cells(rows)}" for name, rows in sheets.items())
    msg = (
        f"Expected {path} to have {' or '.join(one.expected for one in supplements)}. Found the "
        f"sheets {found}. Download the table again from {links}, and give it as it is."
    )
    raise InputError(msg)


def _supplements(labels: str) -> list[Supplement]:
    """Return the forms in which some labels are published."""
    known = [
        Supplement(**entry)
        for content in shipped_files("supplements.toml").values()
        for entry in read_toml(content)["supplement"]
    ]
    names = sorted({one.labels for one in known})
    if labels not in names:
        near = did_you_mean(labels, names)
        msg = f"Expected the labels to be {' or '.join(names)}, found {labels!r}.{near}"
        raise InputError(msg)
    return [one for one in known if one.labels == labels]


def _sheets(path: Path) -> dict[str, list[list[Any]]]:
    """Return the cells of each sheet of a workbook, as text."""
    data = read_bytes(path, "a workbook of Excel", most=MOST_BYTES)
    try:
        check_packed(data, path)
    except InputError as error:
        msg = f"{error} Download it again."
        raise InputError(msg) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of decorations that openpyxl does not know
            sheets = pd.read_excel(
                BytesIO(data),
                None,
                header=None,
                dtype=str,
                keep_default_na=False,
                engine="openpyxl",
            )
    except Exception as error:  # a damaged file makes openpyxl raise errors of any kind
        found = str(error).rstrip(".")
        msg = (
            f"Expected {path} to be a workbook of Excel (.xlsx), found: {found}. Download it again."
        )
        raise InputError(msg) from error
    return {str(name): sheet.to_numpy().tolist() for name, sheet in sheets.items()}


def _table(rows: list[list[Any]], header: int) -> pd.DataFrame:
    """Return the rows below a header, whose columns it names."""
    return pd.DataFrame(rows[header:], columns=rows[header - 1] if len(rows) >= header else None)


def _first_cells(rows: list[list[Any]]) -> str:
    """Return the first cells that are filled in each of the first rows of a sheet, for messages."""
    few = [", ".join([str(cell) for cell in row if cell][:4]) for row in rows[:3]]
    return " / ".join(filter(None, few)) or "empty"


def _labels(table: pd.DataFrame, supplement: Supplement) -> pd.DataFrame:
    """Return the labels under the names to write, of the patients who have any."""
    labels = table[[supplement.patient, *dict.fromkeys(supplement.columns.values())]]
    labels = labels.apply(lambda column: column.mask(is_missing(column), ""))
    # A note below the table has nothing in the other columns.
    labels = labels[labels.ne("").sum(axis=1) > 1]
    cells = read_patient_table(labels, patient_column=supplement.patient).cells
    for old, new in supplement.replace.items():
        cells.index = cells.index.str.replace(old, new, regex=False)
    found = pd.DataFrame({name: cells[source] for name, source in supplement.columns.items()})
    for name, values in supplement.corrections.items():
        there = {patient: value for patient, value in values.items() if patient in found.index}
        found.loc[list(there), name] = list(there.values())
    return found.rename_axis("Patient").reset_index()
