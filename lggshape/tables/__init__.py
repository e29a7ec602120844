"""Tables as people keep them: text files, workbooks of Excel, Parquet, and tables in memory."""

from lggshape.tables.missing import MISSING_WORDS, is_missing, missing_line, missing_words
from lggshape.tables.numerals import (
    DecimalMarks,
    dates,
    decimal_marks,
    is_numeral,
    plain_number,
    plain_numbers,
    plain_numerals,
)
from lggshape.tables.patients import find_patient_column, patient_keys, read_patient_table
from lggshape.tables.schema_version import (
    DATA_PACKAGE,
    SCHEMA_VERSION,
    VERSION_KEY,
    package_beside,
)
from lggshape.tables.sources import TableSource, check_path, table_file, table_name, table_title
from lggshape.tables.spellings import merge_spellings, same_spelling
from lggshape.tables.text_table import TextTable, read_table, read_text_table

__all__ = [
    "DATA_PACKAGE",
    "MISSING_WORDS",
    "SCHEMA_VERSION",
    "VERSION_KEY",
    "DecimalMarks",
    "TableSource",
    "TextTable",
    "check_path",
    "dates",
    "decimal_marks",
    "find_patient_column",
    "is_missing",
    "is_numeral",
    "merge_spellings",
    "missing_line",
    "missing_words",
    "package_beside",
    "patient_keys",
    "plain_number",
    "plain_numbers",
    "plain_numerals",
    "read_patient_table",
    "read_table",
    "read_text_table",
    "same_spelling",
    "table_file",
    "table_name",
    "table_title",
]
