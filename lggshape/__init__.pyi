from .association import associate, choose_family, read_features
from .case import Case
from .errors import CaseError, InputError, LggshapeError
from .labels import read_labels
from .readers import open_cases
from .report import write_report
from .segmentation import segment
from .shape import extract_features, feature_table
from .verification import verify

__all__ = [
    "Case",
    "CaseError",
    "InputError",
    "LggshapeError",
    "__version__",
    "associate",
    "choose_family",
    "extract_features",
    "feature_table",
    "open_cases",
    "read_features",
    "read_labels",
    "segment",
    "verify",
    "write_report",
]

__version__: str
