"""
From images to a report
=======================

The whole way in fifteen lines, on a synthetic cohort in which irregular tumours are more often of
wild type.
"""

# %%
# A cohort of 24 patients, with masks and a table of labels. Your own folder and table take their
# place.

from tempfile import mkdtemp

import lggshape
from lggshape.phantoms import write_cohort

folder = write_cohort(f"{mkdtemp()}/cohort", patients=24, size=(12, 64, 64), seed=0)
cases = lggshape.open_cases(folder)
cases[0].read().plot()

# %%
# The bundled networks outline the tumour in the image. Here they do so for one patient, by the
# fast way.

found = lggshape.segment(cases[0].read(), effort="fast")
found.plot()

# %%
# Each mask is measured. (Here these are the true masks; a folder of automatic masks would do as
# well.)

features = lggshape.feature_table(folder, jobs=1)
features.table[["patient", "bounding_ellipsoid_volume_ratio", "margin_fluctuation"]].head()

# %%
# The features are tested against the labels. The plan of the cohort names five hypotheses.

labels = lggshape.read_labels(folder / "labels.csv")
family = lggshape.choose_family(folder / "hypotheses.toml", features, labels)
study = lggshape.associate(features, labels, family, jobs=1)
print(study.summary())

# %%
# Every hypothesis with its effect and its 95 % interval:

study.plot()

# %%
# The report is one HTML file, with a CSV table beside it for every table in it.

report = lggshape.write_report(study, folder.parent / "results")
sorted(path.name for path in (folder.parent / "results").glob("*.html"))
