from .configuration import (
    NetworkConfiguration,
    TrainingConfiguration,
    read_configuration,
    write_configuration,
)
from .training import Step, TrainingSummary, train

__all__ = [
    "NetworkConfiguration",
    "Step",
    "TrainingConfiguration",
    "TrainingSummary",
    "read_configuration",
    "train",
    "write_configuration",
]
