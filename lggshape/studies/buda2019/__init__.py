"""The replication of Buda et al. 2019: what its results depend on, and why others failed at it.

`hypotheses.toml` holds the ten hypotheses and the figures that the paper reports, `codebook.toml`
the codes of the public tables, and `roles.toml` which label plays which part. `analyses` computes
the tables of each step, and `report` makes the report.
"""

from lggshape.studies.buda2019.replicate_study import ReplicationResults, replicate

__all__ = ["ReplicationResults", "replicate"]
