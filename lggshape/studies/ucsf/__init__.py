"""Tumour shape and IDH at another hospital (UCSF-PDGM), and the same beside two cohorts of TCGA.

`protocol.md` and `ucsf.toml` hold what was decided before the results, which are in
`reports/ucsf/`. `conclusions` holds the tests that decide, `populations` repeats the hypotheses
without some of the patients, `cohorts` and `cohorts_figure` describe the three cohorts side by
side, `stand_ins` asks what the features of UCSF-PDGM say about those that it lacks, `report` shows
them, and `replicate_study` puts it all together.
"""

from lggshape.studies.ucsf.replicate_study import HospitalResults, replicate

__all__ = ["HospitalResults", "replicate"]
