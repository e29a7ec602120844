"""Write the table of the features into docs/features.md, from the registry.

python docs/features_table.py
"""

from pathlib import Path

from lggshape.shape import FEATURES
from lggshape.shape.registry import Feature

PAGE = Path(__file__).with_name("features.md")
HEADINGS = (
    "column", "symbol", "dimension", "unit", "unit without spacing", "IBSI", "pyradiomics", "MIRP",
    "use",
)  # fmt: skip


def _use(feature: Feature) -> str:
    """Return which tests a feature takes part in."""
    if feature.is_exploratory:
        return "exploratory"
    if feature.is_count:
        return "count"
    return "default" if feature.in_default_family else "all"


def table() -> str:
    """Return the table in Markdown, a row per feature."""
    rows = [
        (
            f"`{feature.name}`",
            feature.symbol or "–",
            feature.dimension,
            feature.unit,
            feature.unit_without_spacing or "empty",
            feature.ibsi or "–",
            feature.pyradiomics or "–",
            feature.mirp or "–",
            _use(feature),
        )
        for feature in FEATURES.values()
    ]
    lines = (HEADINGS, ("---",) * len(HEADINGS), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def replace_table(page: str) -> str:
    """Return a page with the table in place of the one that starts with the same headings."""
    start = page.index(f"| {HEADINGS[0]} | {HEADINGS[1]} |")
    return page[:start] + table() + page[page.index("\n\n", start) + 1 :]


if __name__ == "__main__":
    PAGE.write_text(replace_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
