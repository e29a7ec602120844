from .inference.case_work import Map
from .inference.detect_cases import Detection, DetectionTable, Detector, detect_cases
from .inference.effort import Effort
from .inference.segment_cases import SegmentationTable, segment_cases
from .inference.segmentation import Segmentation
from .inference.segmenter import Segmenter, segment
from .networks.configuration import NetworkConfiguration
from .networks.registry import ARCHITECTURES, Architecture
from .run.configuration import (
    FINE_TUNING,
    TrainingConfiguration,
    read_configuration,
    write_configuration,
)
from .run.folder import SHIPPED, Ensemble, read_ensemble, read_folds
from .training.cross_validation import TrainingSummary, train

__all__ = [
    "ARCHITECTURES",
    "FINE_TUNING",
    "SHIPPED",
    "Architecture",
    "Detection",
    "DetectionTable",
    "Detector",
    "Effort",
    "Ensemble",
    "Map",
    "NetworkConfiguration",
    "Segmentation",
    "SegmentationTable",
    "Segmenter",
    "TrainingConfiguration",
    "TrainingSummary",
    "detect_cases",
    "read_configuration",
    "read_ensemble",
    "read_folds",
    "segment",
    "segment_cases",
    "train",
    "write_configuration",
]
