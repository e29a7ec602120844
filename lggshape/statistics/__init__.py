"""Statistics: arrays in, named tuples out. Knows nothing of tumours."""

from lggshape.statistics.adjustment import Adjusted, adjust
from lggshape.statistics.clusters import (
    Proportion,
    cluster_bootstrap,
    clustered_auc,
    clustered_proportion,
)
from lggshape.statistics.contingency import (
    Effect,
    KruskalResult,
    cramers_v,
    epsilon_squared,
    kruskal_wallis,
)
from lggshape.statistics.discrimination import AUC, auc
from lggshape.statistics.fisher import FisherResult, fisher_exact
from lggshape.statistics.quantiles import Binned, quantile_bins

__all__ = [
    "AUC",
    "Adjusted",
    "Binned",
    "Effect",
    "FisherResult",
    "KruskalResult",
    "Proportion",
    "adjust",
    "auc",
    "cluster_bootstrap",
    "clustered_auc",
    "clustered_proportion",
    "cramers_v",
    "epsilon_squared",
    "fisher_exact",
    "kruskal_wallis",
    "quantile_bins",
]
