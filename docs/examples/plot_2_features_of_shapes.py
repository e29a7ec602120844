"""
What the shape features see
===========================

Four solids of similar size: a ball, an ellipsoid, a lobulated and a spiculated one. BEVR, ASD and
MF measure different things, which is why they are not interchangeable.
"""

# %%
# BEVR is the volume of the solid over that of the smallest ellipsoid that encloses it. ASD
# (angular standard deviation) and MF (margin fluctuation) are measured in the slice of the largest
# area, from the distances of the margin to the centroid: how much they vary within sectors of 36
# degrees, and how much they depart from their moving average.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from lggshape import extract_features
from lggshape.phantoms import ball, ellipsoid, lobulated, spiculated

RADIUS = 24
shapes = {
    "ball": ball(RADIUS),
    "ellipsoid": ellipsoid((RADIUS, RADIUS * 0.7, RADIUS / 0.7)),
    "lobulated": lobulated(RADIUS, lobes=5, depth=0.25),
    "spiculated": spiculated(RADIUS, spikes=12, length=12),
}
NAMES = {
    "bounding_ellipsoid_volume_ratio": "BEVR",
    "angular_standard_deviation": "ASD",
    "margin_fluctuation": "MF",
}
values = {
    name: extract_features(mask, spacing=(1.0, 1.0, 1.0)).values for name, mask in shapes.items()
}
table = pd.DataFrame(values).T[list(NAMES)].rename(columns=NAMES)
table.round(3)

# %%
# The slice of the largest area of each:

figure, axes = plt.subplots(1, len(shapes), figsize=(12, 3), layout="constrained")
for ax, (name, mask) in zip(axes, shapes.items(), strict=True):
    ax.imshow(mask[np.argmax(mask.sum(axis=(1, 2)))], cmap="Greys")
    row = table.loc[name]
    ax.set_title(f"{name}\nBEVR {row['BEVR']:.2f}, ASD {row['ASD']:.2f}, MF {row['MF']:.3f}")
    ax.set_axis_off()
