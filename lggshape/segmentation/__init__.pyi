from .batch import Map, SegmentationTable, segment_cases
from .configuration import (
    NetworkConfiguration,
    TrainingConfiguration,
    read_configuration,
    write_configuration,
)
from .detection import Detection, DetectionTable, Detector, detect_cases
from .fold_training import Step
from .inference import Segmentation, Segmenter, segment
from .runs import SHIPPED, Ensemble, read_ensemble, read_folds
from .training import TrainingSummary, train

__all__ = [
    "SHIPPED",
    "Detection",
    "DetectionTable",
    "Detector",
    "Ensemble",
    "Map",
    "NetworkConfiguration",
    "Segmentation",
    "SegmentationTable",
    "Segmenter",
    "Step",
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
