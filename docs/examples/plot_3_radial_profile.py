"""
The radial profile behind ASD and MF
====================================

ASD and MF are computed from the contour of one slice, seen from its centroid.
"""

# %%
# A lobulated disc, its contour, and the ten sectors of ASD.

import matplotlib.pyplot as plt
import numpy as np

from lggshape.phantoms import lobulated_disc
from lggshape.shape import angular_standard_deviation, margin_fluctuation, trace_contour

disc = lobulated_disc(30, lobes=3, depth=0.2)
contour = trace_contour(disc)
edges = np.arange(-180, 181, 36)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.imshow(disc, cmap="Greys", alpha=0.3)
left.plot(contour.points[:, 1], contour.points[:, 0], linewidth=1)
row, column = contour.centroid
for edge in np.deg2rad(edges[:-1]):
    ends = [column, column + 42 * np.cos(edge)], [row, row + 42 * np.sin(edge)]
    left.plot(*ends, "k:", linewidth=0.7)
left.set_axis_off()
order = np.argsort(contour.angles())
right.plot(contour.angles()[order], contour.distances()[order], linewidth=1)
for edge in edges:
    right.axvline(edge, color="black", linestyle=":", linewidth=0.7)
right.set(xlabel="angle in degrees", ylabel="distance from the centroid / mean")

# %%
# ASD is the mean of the standard deviations of the distances within the sectors. By hand, and by
# lggshape (which counts a point that lies exactly between two sectors half in each):

sector = np.digitize(contour.angles(), edges[1:-1])
by_hand = np.mean([contour.distances()[sector == number].std() for number in range(10)])
print(f"{by_hand:.4f}, {angular_standard_deviation(contour).value:.4f}")

# %%
# MF is the standard deviation of what remains when the moving average over a tenth of the contour
# is subtracted. Three wide lobes leave little; the steps of the pixel grid are a part of it.

print(f"{margin_fluctuation(contour):.4f}")
