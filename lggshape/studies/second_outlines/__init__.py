"""The same tumours outlined by a second group: how far features and associations agree.

The hypotheses are those of `buda2019`; this study asks what becomes of them, and of the features,
when the masks come from other people. Its protocol and its results are in
`reports/second-outlines`.

`measure` reads three outlines of each patient and measures them in many ways, `reliability` holds
the statistics of pairs, `agreement`, `explanations` and `associations` make the tables, `figures`
and `report` show them, and `compare_outlines` puts it all together.
"""

from lggshape.studies.second_outlines.compare_outlines import OutlineResults, replicate

__all__ = ["OutlineResults", "replicate"]
