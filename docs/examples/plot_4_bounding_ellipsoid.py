"""
The bounding ellipsoid
======================

BEVR asks how much of the smallest enclosing ellipsoid the tumour fills.
"""

# %%
# The ellipsoid is computed from the corners of the voxels, and carries a certificate: the smallest
# possible volume is at most this share below its own.

import matplotlib.pyplot as plt
import numpy as np

from lggshape.phantoms import spiculated
from lggshape.shape import minimum_volume_ellipsoid

solid = np.pad(spiculated(16, spikes=8, length=8, width=0.5), 2)
corners = np.argwhere(solid)[:, None] + np.array(np.meshgrid(*[[-0.5, 0.5]] * 3)).reshape(3, -1).T
smallest = minimum_volume_ellipsoid(np.unique(corners.reshape(-1, 3), axis=0))
print(f"BEVR {solid.sum() / smallest.volume:.3f}, certified to {smallest.gap:.0e}")

# %%
# Its sections through the centre:

middle = np.round(smallest.centre).astype(int)
figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
for axis, (ax, name) in enumerate(zip(axes, ("axial", "coronal", "sagittal"), strict=True)):
    ax.imshow(np.take(solid, middle[axis], axis=axis), cmap="Greys", alpha=0.5)
    kept = [other for other in range(3) if other != axis]
    rows, columns = np.indices([solid.shape[other] for other in kept])
    points = np.zeros((*rows.shape, 3))
    points[..., axis] = middle[axis]
    points[..., kept[0]], points[..., kept[1]] = rows, columns
    away = points - smallest.centre
    inside = np.einsum("...i,ij,...j->...", away, smallest.matrix, away)
    ax.contour(columns, rows, inside, levels=[1], colors="tab:blue")
    ax.set_title(name)
    ax.set_axis_off()
