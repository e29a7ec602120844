"""Draw contour.svg for docs/features.md: a synthetic mask, its contour, its bins and its distances.

python docs/figures/draw_contour.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lggshape.figures.style import ACCENT, CONTRAST, INK, MUTED, house_style, render
from lggshape.shape.radial import trace_contour, window_length

HERE = Path(__file__).parent


def synthetic_slice():
    """Make a lobed part with a hole, a pixel joined to it by a corner, and a part on its own."""
    y, x = np.mgrid[:23, :27]
    angle = np.arctan2(y - 11, x - 11)
    mask = np.hypot(y - 11, x - 11) <= 7.4 * (
        1 + 0.17 * np.cos(3 * angle) + 0.08 * np.sin(5 * angle)
    )
    mask[10, 13] = False
    edge = np.flatnonzero(mask[4])[-1]
    mask[3, edge + 1] = True
    mask[17:20, 22:24] = True
    return mask


def draw():
    """Draw the slice with its contour, and the distances with their moving average."""
    mask = synthetic_slice()
    contour = trace_contour(mask)
    distances, angles = contour.distances(), contour.angles()
    with house_style():
        figure = Figure(figsize=(9.5, 4.4), layout="constrained")
        plane, signature = figure.subplots(1, 2, width_ratios=(1, 1.15))

        plane.imshow(mask, cmap="Greys", vmin=0, vmax=4, interpolation="nearest")
        row, column = contour.centroid
        for edge in np.radians(np.arange(-180, 180, 36)):
            plane.plot(
                [column, column + 11.5 * np.cos(edge)], [row, row + 11.5 * np.sin(edge)],
                color=MUTED, linewidth=0.7,
            )  # fmt: skip
        ring = np.vstack([contour.points, contour.points[:1]])
        plane.plot(ring[:, 1], ring[:, 0], color=ACCENT, linewidth=1.2)
        plane.plot(ring[:, 1], ring[:, 0], ".", color=ACCENT, markersize=4, label="contour")
        plane.plot(column, row, "+", color=CONTRAST, markersize=9, label="centroid")
        plane.set(xlabel="column (pixels)", ylabel="row (pixels)")
        plane.set_title("Contour at level 0.5, ten bins of 36°")
        plane.legend(loc="lower left", frameon=False)

        steps = np.arange(len(distances))
        window = window_length(len(distances))
        reach = np.arange(window) - window // 2
        smooth = distances[(steps[:, None] + reach) % len(steps)].mean(axis=1)
        # Along the ring, cut where the angle jumps from one end of the axis to the other.
        jump = np.abs(np.diff(angles, append=angles[0])).argmax() + 1
        along = np.roll(steps, -jump)
        signature.plot(angles, distances, ".", color=ACCENT, markersize=4)
        signature.plot(
            angles[along],
            smooth[along],
            color=INK,
            linewidth=1,
            label=f"average of {window} points",
        )
        for edge in np.arange(-180, 181, 36):
            signature.axvline(edge, color=MUTED, linewidth=0.5)
        signature.set(xlabel="angle (degrees)", ylabel="distance / mean distance", xlim=(-180, 180))
        signature.set_xticks(np.arange(-180, 181, 72))
        signature.set_title("ASD: spread within bins. MF: spread about the average")
        signature.legend(loc="upper right", frameon=False)
    return figure


if __name__ == "__main__":
    (HERE / "contour.svg").write_text(render(draw()).svg, encoding="utf-8")
