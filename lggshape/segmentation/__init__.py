"""Segmentation: networks, their training, and masks by them.

Nothing here imports the deep-learning library before a network is built.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
