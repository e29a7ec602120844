"""Statistics: arrays in, named tuples out. Knows nothing of tumours."""

from lggshape.statistics.adjustment import Adjusted, adjust
from lggshape.statistics.agreement import (
    LimitsOfAgreement,
    RankCorrelation,
    concordance,
    intraclass_correlation,
    limits_of_agreement,
    rank_correlation,
)
from lggshape.statistics.clusters import (
    Proportion,
    cluster_bootstrap,
    clustered_auc,
    clustered_auc_difference,
    clustered_proportion,
)
from lggshape.statistics.contingency import (
    Effect,
    KruskalResult,
    cramers_v,
    epsilon_squared,
    kruskal_wallis,
)
from lggshape.statistics.detectable import (
    detectable_epsilon_squared,
    detectable_hazard_ratio,
    detectable_rank_correlation,
    detectable_somers_d,
    detectable_v,
    power_of_v,
)
from lggshape.statistics.discrimination import AUC, AUCDifference, auc, auc_difference
from lggshape.statistics.fisher import FisherResult, fisher_exact
from lggshape.statistics.fisher_power import SimulatedPower, fisher_power, shrunk_table
from lggshape.statistics.independent_estimates import difference_of_estimates
from lggshape.statistics.kaplan_meier import SurvivalCurve, kaplan_meier
from lggshape.statistics.paired_effects import PairedEffects, paired_effects
from lggshape.statistics.partial_ranks import (
    normal_scores,
    partial_rank_correlation,
    variance_inflation,
)
from lggshape.statistics.permutation import FreedmanLaneResult, freedman_lane
from lggshape.statistics.quantiles import Binned, QuantileRule, quantile_bins
from lggshape.statistics.trend import TrendResult, jonckheere_terpstra, somers_d

__all__ = [
    "AUC",
    "AUCDifference",
    "Adjusted",
    "Binned",
    "Effect",
    "FisherResult",
    "FreedmanLaneResult",
    "KruskalResult",
    "LimitsOfAgreement",
    "PairedEffects",
    "Proportion",
    "QuantileRule",
    "RankCorrelation",
    "SimulatedPower",
    "SurvivalCurve",
    "TrendResult",
    "adjust",
    "auc",
    "auc_difference",
    "cluster_bootstrap",
    "clustered_auc",
    "clustered_auc_difference",
    "clustered_proportion",
    "concordance",
    "cramers_v",
    "detectable_epsilon_squared",
    "detectable_hazard_ratio",
    "detectable_rank_correlation",
    "detectable_somers_d",
    "detectable_v",
    "difference_of_estimates",
    "epsilon_squared",
    "fisher_exact",
    "fisher_power",
    "freedman_lane",
    "intraclass_correlation",
    "jonckheere_terpstra",
    "kaplan_meier",
    "kruskal_wallis",
    "limits_of_agreement",
    "normal_scores",
    "paired_effects",
    "partial_rank_correlation",
    "power_of_v",
    "quantile_bins",
    "rank_correlation",
    "shrunk_table",
    "somers_d",
    "variance_inflation",
]
