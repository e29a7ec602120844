"""Tumour shape and IDH at another hospital (UCSF-PDGM), and the same beside two cohorts of TCGA.

`protocol.md` and `ucsf.toml` hold what was decided before the results. `populations` repeats the
hypotheses without some of the patients, and `cohorts` and `cohorts_figure` describe the three
cohorts side by side. The results are in `reports/ucsf/`.
"""
