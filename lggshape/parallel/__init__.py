"""Map a function over cases: on the cores of this machine, or on a Dask cluster."""

from lggshape.parallel.mapping import in_workers, map_all, map_cases, on_cluster
from lggshape.parallel.outcomes import Outcome, outcome_of
from lggshape.parallel.processes import end_processes

__all__ = [
    "Outcome", "end_processes", "in_workers", "map_all", "map_cases", "on_cluster", "outcome_of",
]  # fmt: skip
