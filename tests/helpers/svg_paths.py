"""Paths of SVG read back."""

import re

import numpy as np


def rings(path: str) -> list[np.ndarray]:
    """Return the corners of the closed parts of a path, as the grammar of SVG has them."""
    found = []
    for first, steps in re.findall(r"M(\S+?)l([^z]+)z", path):
        points = [list(map(float, pair.split(","))) for pair in [first, *steps.split()]]
        found.append(np.cumsum(points, axis=0))
    return found
