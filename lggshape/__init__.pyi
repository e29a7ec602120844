from .association import Family, Study, associate, choose_family, read_features
from .case import Case
from .errors import CaseError, InputError, LggshapeError
from .evaluation import Evaluation, evaluate
from .inspection import inspect
from .labels import Labels, read_labels
from .readers import open_cases
from .report import write_report
from .segmentation import Segmentation, segment, segment_cases, train
from .shape import FEATURES, Conventions, FeatureTable, extract_features, feature_table
from .studies import replicate
from .verification import verify

__all__ = [
    "FEATURES",
    "Case",
    "CaseError",
    "Conventions",
    "Evaluation",
    "Family",
    "FeatureTable",
    "InputError",
    "Labels",
    "LggshapeError",
    "Segmentation",
    "Study",
    "__version__",
    "associate",
    "choose_family",
    "evaluate",
    "extract_features",
    "feature_table",
    "inspect",
    "open_cases",
    "read_features",
    "read_labels",
    "replicate",
    "segment",
    "segment_cases",
    "train",
    "verify",
    "write_report",
]

__version__: str
