"""How far the pixel grid shows in the features: smooth and lobulated discs of several sizes.

    python benchmarks/shape_scale.py

A disc has an ASD and an MF of zero, so what is found is the floor that the staircase of the pixels
sets. A lobulated disc r(angle) = R (1 + depth cos(lobes angle)) has values that do not depend on R.
The same is printed for the exploratory features of the contour and, of smooth and lobulated balls
of isotropic voxels and of slices that are 5 voxels apart, for the dimension of the surface.
"""

import numpy as np

from lggshape.shape import (
    FEATURES,
    angular_standard_deviation,
    extract_features,
    margin_fluctuation,
    trace_contour,
)

RADII = (5, 10, 20, 40, 50, 80)
DEPTHS = (0.15, 0.2, 0.25, 0.3, 0.4)
LOBES = (4, 5, 6, 7, 8, 9)
PHANTOM = (0.2, 7)
EXPLORATORY = [
    name
    for name, feature in FEATURES.items()
    if feature.is_exploratory and not feature.needs_spacing
]
SURFACE = "surface_fractal_dimension"
BALLS = (10, 20, 30, 40)
SLICES = ((1.0, 1.0, 1.0), (5.0, 1.0, 1.0))
LOBULATED = 0.07  # margin fluctuation of a phantom that counts as lobulated


def lobulated_disc(radius, depth, lobes):
    reach = int(radius * (1 + depth)) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.hypot(y, x) <= radius * (1 + depth * np.cos(lobes * np.arctan2(y, x)))


def lobulated_ball(radius, depth, spacing):
    reaches = [int(radius * (1 + depth) / step) + 2 for step in spacing]
    axes = (np.arange(-n, n + 1) * step for n, step in zip(reaches, spacing, strict=True))
    z, y, x = np.meshgrid(*axes, indexing="ij")
    lobes = np.cos(5 * np.arctan2(y, x)) * np.cos(4 * np.arctan2(z, np.hypot(y, x)))
    return np.sqrt(z**2 + y**2 + x**2) <= radius * (1 + depth * lobes)


def measure(mask):
    contour = trace_contour(mask)
    return np.array([angular_standard_deviation(contour).value, margin_fluctuation(contour)])


def main():
    print("radius   disc ASD   disc MF   lobulated ASD   lobulated MF")
    for radius in RADII:
        smooth = measure(lobulated_disc(radius, 0, 1))
        wavy = measure(lobulated_disc(radius, *PHANTOM))
        print(f"{radius:6d} {smooth[0]:10.3f} {smooth[1]:9.3f} {wavy[0]:15.4f} {wavy[1]:14.4f}")

    for kind, shape in (("disc", (0, 1)), ("lobulated", PHANTOM)):
        print(f"\n{kind}, radius: {', '.join(EXPLORATORY)}")
        for radius in RADII:
            values = extract_features(lobulated_disc(radius, *shape)[None]).values
            print(f"{radius:6d}", *(f"{values[name]:8.3f}" for name in EXPLORATORY))

    print(f"\nradius: {SURFACE} of a ball and a lobulated ball, for slices 1 and 5 apart")
    for radius in BALLS:
        values = [
            extract_features(lobulated_ball(radius, depth, spacing), spacing=spacing).values
            for depth in (0, 0.2)
            for spacing in SLICES
        ]
        print(f"{radius:6d}", *(f"{one[SURFACE]:8.3f}" for one in values))

    print(f"\nradius 20 to 80, depth {PHANTOM[0]}, {PHANTOM[1]} lobes:", change(*PHANTOM)[1])
    changes = [change(depth, lobes) for depth in DEPTHS for lobes in LOBES]
    for name, column in (("ASD", 0), ("MF", 1)):
        shifts = [abs(shift[column]) for before, shift in changes if before[1] > LOBULATED]
        print(
            f"{name} of {len(shifts)} phantoms with MF above {LOBULATED} at radius 20: "
            f"changes by {100 * np.median(shifts):.1f} % in the median, "
            f"{100 * max(shifts):.1f} % at most, by over 5 % in {sum(s > 0.05 for s in shifts)}"
        )


def change(depth, lobes):
    """ASD and MF at radius 20, and by how much they change to radius 80."""
    small, large = (measure(lobulated_disc(radius, depth, lobes)) for radius in (20, 80))
    return small, np.round(large / small - 1, 4)


if __name__ == "__main__":
    main()
