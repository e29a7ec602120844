"""Tumour shape and genomics of lower-grade gliomas.

From masks of tumours on MR images to shape features, to tested associations with labels, to a
report. The names below are loaded when they are first used.
"""

from importlib.metadata import version

import lazy_loader

__version__ = version("lggshape")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
