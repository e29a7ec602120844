"""Shape of gliomas on MR images, and whether it is associated with labels of the patients.

The steps, each a function; the names are loaded when they are first used:

==================  ================================================================
read                `open_cases`, `read_labels`, `read_features`; `verify` checks
segment             `segment` (one case), `segment_cases`, `train`
measure             `feature_table` (many cases), `extract_features` (one mask)
score masks         `evaluate`
test                `associate`; `choose_family` names the hypotheses
report              `write_report`
replicate a study   `replicate`
==================  ================================================================

`Case`, `Segmentation`, `Evaluation` and `Study` show themselves in a notebook, and `.plot()` draws
them; `.plots()` draws the figures of an evaluation. What is more special is in the parts:
`lggshape.shape`, `lggshape.association`, `lggshape.statistics`, `lggshape.segmentation`,
`lggshape.visualisation`.
"""

import logging
from importlib.metadata import version

import lazy_loader

from lggshape.names import as_unicode

__version__ = version("lggshape")


def _write_out(record: logging.LogRecord) -> bool:
    """Write a message out as text that every log file can hold, whatever file it names."""
    record.msg, record.args = as_unicode(record.getMessage()), ()
    return True


logging.getLogger("lggshape").addFilter(_write_out)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
