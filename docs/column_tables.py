"""Write the tables of columns into the pages of docs/, from lggshape/columns.toml.

python docs/column_tables.py

Each follows a line such as <!-- columns of segment.slices -->.
"""

import re
from pathlib import Path

from lggshape.data_package import ColumnMeaning, own_columns

PAGES = [
    Path(__file__).with_name(f"{name}.md")
    for name in ("tables", "evaluation", "comparison", "show")
]
_TABLE = re.compile(
    r"(?P<mark><!-- columns of (?P<command>\w+)\.(?P<table>\w+) -->\n\n)(\|.*\n)*", re.MULTILINE
)


def table(command: str, name: str) -> str:
    """Return the columns of a table in Markdown, a row per column or several of one meaning."""
    rows = [
        (", ".join(f"`{one}`" for one in names.split(", ")), _with_unit(column))
        for names, column in own_columns(command, name).items()
    ]
    lines = (("column", "meaning"), ("---", "---"), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _with_unit(column: ColumnMeaning) -> str:
    return f"{column.meaning}, in {column.unit}" if column.unit not in {"", "1"} else column.meaning


def replace_tables(page: str) -> str:
    """Return a page with every table of columns as it should be."""
    return _TABLE.sub(lambda found: found["mark"] + table(found["command"], found["table"]), page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(replace_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
