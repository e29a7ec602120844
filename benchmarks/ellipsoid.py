"""Certificate, containment and time of the minimum-volume ellipsoid.

    python benchmarks/ellipsoid.py DATASET

DATASET is a folder of cases with masks. For the largest 6-connected component of each mask this
prints the largest gap of the certificate, computed anew from the weights; how far out the farthest
of all voxel corners lies (1 is on the ellipsoid); how much the volume ratio changes when the
vertices of the hull go through an affine map; and the time for the hull and from there to the
ellipsoid, each run five times. Without DATASET it measures a cube and balls alone.
"""

import itertools
import math
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

from lggshape.masks import largest_component
from lggshape.readers import open_cases
from lggshape.shape.ellipsoid import minimum_volume_ellipsoid
from lggshape.shape.solid import convex_hull

REPEATS = 5
AFFINE_MAP = np.array([[3.0, 0.2, -1.0], [0.5, 0.8, 0.1], [-0.3, 1.5, 0.02]])


def all_corners(mask):
    steps = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
    return (np.argwhere(mask)[:, None] + steps).reshape(-1, 3)


def reach(points, centre, matrix):
    offsets = points - centre
    return np.einsum("ij,jk,ik->i", offsets, matrix, offsets).max()


def gap(ellipsoid, points):
    """By weak duality, from nothing but the weights."""
    carrying = points[ellipsoid.support]
    centre = ellipsoid.weights @ carrying
    scatter = ((carrying - centre).T * ellipsoid.weights) @ (carrying - centre)
    return (reach(points, centre, np.linalg.inv(scatter)) / 3) ** 1.5 - 1


def timed(function):
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        result = function()
        times.append(perf_counter() - start)
    return result, times


def measure(mask):
    hull, hull_times = timed(lambda: convex_hull(mask))
    ellipsoid, ellipsoid_times = timed(lambda: minimum_volume_ellipsoid(hull.vertices))
    mapped = minimum_volume_ellipsoid(hull.vertices @ AFFINE_MAP.T)
    expected = ellipsoid.volume * abs(np.linalg.det(AFFINE_MAP))
    return {
        "ratio": mask.sum() / ellipsoid.volume,
        "gap": gap(ellipsoid, hull.vertices),
        "reach": reach(all_corners(mask), ellipsoid.centre, ellipsoid.matrix),
        "affine": abs(mapped.volume / expected - 1),
        "hull": hull_times,
        "ellipsoid": ellipsoid_times,
    }


def main(arguments):
    cube = measure(np.ones((1, 1, 1), dtype=bool))["ratio"]
    print(f"cube: ratio {cube:.10f}, 2 / (pi sqrt 3) = {2 / (math.pi * math.sqrt(3)):.10f}")
    for radius in (5, 10, 20, 30, 40):
        z, y, x = np.mgrid[(slice(-radius, radius + 1),) * 3]
        ball = measure(z**2 + y**2 + x**2 <= radius**2)
        print(f"ball of radius {radius}: ratio {ball['ratio']:.4f}")
    if not arguments:
        return
    results = []
    for source in open_cases(Path(arguments[0]), masks_only=True):
        mask = source.read(image=False).mask
        if mask.any():
            results.append(measure(largest_component(mask)))
    columns = {name: np.array([result[name] for result in results]) for name in results[0]}
    print(f"{len(results)} masks")
    print(f"largest relative gap: {columns['gap'].max():.2g}")
    print(f"farthest corner: 1 + {columns['reach'].max() - 1:.2g}")
    print(f"largest relative change under an affine map: {columns['affine'].max():.2g}")
    for name in ("hull", "ellipsoid"):
        times = 1000 * columns[name]
        print(f"{name}: median {np.median(times):.1f} ms, longest {times.max():.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
