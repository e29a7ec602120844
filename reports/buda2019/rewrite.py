"""Write the report, its figures, replication.json and the README's numbers from the tables here.

    python reports/buda2019/rewrite.py kaggle_3m/data.csv idh_1p19q.csv clinical.csv

The arguments are the label tables of the study, which the figures need. Without any, only the
README is written. Nothing is measured or tested: that is done by `lggshape replicate`. The outlines
of patients are those of the automatic masks, as the manual masks are not ours to publish.
"""

import sys
from pathlib import Path

from lggshape.association import read_study_family
from lggshape.files import to_records, write_json
from lggshape.labels import read_labels
from lggshape.shape.portrait import read_portraits
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.buda2019.replication import read_tables
from lggshape.studies.buda2019.report import write_report_files
from lggshape.studies.buda2019.report.evidence import StudyEvidence
from lggshape.studies.buda2019.report.readme import fill, readme_parts

HERE = Path(__file__).parent
README, FRONT = HERE / "README.md", HERE.parents[1] / "README.md"


def evidence() -> StudyEvidence:
    """Return the results of both runs, and those of the outlines of other raters."""
    reports = HERE.parent
    earlier = read_tables(reports / "earlier" / "buda2019")
    second = read_tables(reports / "second-outlines")
    return StudyEvidence(read_tables(HERE), read_study_family("buda2019"), earlier, second)


def main(label_tables: list[str]) -> None:
    found = evidence()
    parts = readme_parts(found)
    for document in (README, FRONT):
        document.write_text(fill(document.read_text(encoding="utf-8"), parts), encoding="utf-8")
    if label_tables:
        records = {name: to_records(table) for name, table in found.tables.items()}
        write_json(HERE / "replication.json", records)
        masks = {AUTOMATIC: HERE.parent / "segmentation" / "masks"}
        write_report_files(
            found.tables, found.family, read_labels(label_tables), HERE,
            earlier=found.earlier, second=found.second, portraits=read_portraits(masks),
        )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
