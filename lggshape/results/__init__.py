"""Results of runs: where they go, how they are written completely, and what may be removed."""

from lggshape.results.alone import alone_in
from lggshape.results.folders import (
    fresh_folder,
    results_file,
    results_folder,
)
from lggshape.results.in_place import recorded_in_place
from lggshape.results.places import check_file, check_folder, check_place
from lggshape.results.records import (
    MARKS,
    RECORD,
    Output,
    end_recording,
    is_inside,
    is_results_folder,
    outputs_in,
    outputs_in_place,
    read_record,
    record_beside,
    record_file,
    recorded_outputs,
)
from lggshape.results.removal import remove_recorded, unchanged_files

__all__ = [
    "MARKS",
    "RECORD",
    "Output",
    "alone_in",
    "check_file",
    "check_folder",
    "check_place",
    "end_recording",
    "fresh_folder",
    "is_inside",
    "is_results_folder",
    "outputs_in",
    "outputs_in_place",
    "read_record",
    "record_beside",
    "record_file",
    "recorded_in_place",
    "recorded_outputs",
    "remove_recorded",
    "results_file",
    "results_folder",
    "unchanged_files",
]
