"""How much the masks of the networks depend on the geometry of the images.

    python benchmarks/field_of_view.py CASE ... [--networks RUN] [--every 4] [--only 512 1:2]

Each case is a phantom (`phantom:SEED`) or a folder with NIfTI files of FLAIR, T1 after contrast and
a mask (names with `flair`, `t1c` and `otmulti` or `seg`) with voxels of 1 mm. It is resampled to
other fields of view, pixels and planes, with its mask, and segmented by the networks that have not
seen the patient. Printed are the Dice on each grid and its difference from that of the image as it
is. To save time, `--every` keeps every so many slices of files, `--members-every` every so many
networks, and `--effort` is that of `lggshape segment`. `--plain` leaves out the spacing, as if it
were unknown.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError
from lggshape.masks import dice
from lggshape.phantoms import make_phantom
from lggshape.segmentation import SHIPPED, Segmenter, read_ensemble

AS_IT_IS = "as it is"
FIELDS = (200, 240, 300, 360, 420, 512)
PIXELS = (1.25, 1.5, 2.0)
APART = (2.0, 2.5, 3.0)
MATRIX = 256
PHANTOM = (27, 240, 240)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--networks", type=Path, default=SHIPPED)
    parser.add_argument("--members-every", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--effort", choices=("fast", "usual", "thorough"), default="thorough")
    parser.add_argument("--only", nargs="*", default=[""])
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    ensemble = read_ensemble(options.networks)
    ensemble = replace(ensemble, members=ensemble.members[:: options.members_every])
    segmenter = Segmenter(ensemble, effort=options.effort)
    rows = []
    for name in options.cases:
        case = read(name, options.every)
        for row, resized in geometries(case):
            if row != AS_IT_IS and not any(word in row for word in options.only):
                continue
            changed = replace(resized, geometry=Geometry()) if options.plain else resized
            start = time.monotonic()
            rows.append({"geometry": row, "case": case.id, "dice": score(segmenter, changed)})
            print(*rows[-1].values(), f"{time.monotonic() - start:.0f} s", flush=True)
    table = pd.DataFrame(rows).pivot_table("dice", "geometry", "case", sort=False)
    change = table.sub(table.iloc[0]).add_suffix(" change")
    print(table.join(change).to_string(float_format="%.3f"))


def read(name: str, every: int) -> Case:
    """Return a phantom or a case of files, with every so many of its slices."""
    if name.startswith("phantom:"):
        seed = name.removeprefix("phantom:")
        case = make_phantom(np.random.default_rng(int(seed)), size=PHANTOM, name=name)
        assert case.geometry.spacing is not None
        return replace(case, geometry=oriented(case.geometry.spacing))
    files = {path.name.lower(): path for path in Path(name).iterdir() if ".nii" in path.name}
    words = {"FLAIR": ("flair",), "post-contrast": ("t1c",), "mask": ("otmulti", "seg")}
    volumes, spacing = {}, (1.0, 1.0, 1.0)
    for role, known in words.items():
        (path,) = (path for low, path in files.items() if any(word in low for word in known))
        image = nibabel.as_closest_canonical(nibabel.load(path))
        volumes[role] = np.asanyarray(image.dataobj).transpose(2, 1, 0)[every // 2 :: every]
        x, y, z = map(float, image.header.get_zooms()[:3])
        spacing = (z * every, y, x)
    return Case(
        id=Path(name).name,
        patient=Path(name).name,
        image=np.stack([volumes["FLAIR"], volumes["post-contrast"]], axis=-1).astype(np.float32),
        mask=volumes["mask"] > 0,
        sequences=("FLAIR", "post-contrast"),
        geometry=oriented(spacing),
    )


def geometries(case: Case) -> Iterator[tuple[str, Case]]:
    """Yield a case as it is, and resampled to other fields of view, pixels and planes."""
    assert case.geometry.spacing is not None
    z, y, x = case.geometry.spacing
    yield AS_IT_IS, case
    for field in FIELDS:
        pixel = field / MATRIX
        yield f"field of view {field} mm", resampled(case, (z, pixel, pixel), (MATRIX, MATRIX))
    for ratio in PIXELS:
        yield f"pixels 1:{ratio:g}", resampled(case, (z, y, ratio * x))
    # Slices one voxel apart would be the case as it is.
    for apart in APART:
        yield f"sagittal, {apart:g} mm apart", resampled(case, (z, y, apart))
        yield f"coronal, {apart:g} mm apart", resampled(case, (z, apart, x))


def resampled(
    case: Case, spacing: tuple[float, float, float], shape: tuple[int, int] | None = None
) -> Case:
    """Resample the slices of a case to other pixels, about the same centre.

    Without a shape (Y, X) they keep their field of view.
    """
    old = case.geometry.spacing
    assert case.image is not None
    assert case.mask is not None
    assert old is not None
    kept = [round(n * a / b) for n, a, b in zip(case.mask.shape, old, spacing, strict=True)]
    sizes = (len(case.mask), *(shape or kept[1:]))
    channels = [on_grid(channel, old, spacing, sizes) for channel in np.moveaxis(case.image, -1, 0)]
    mask = on_grid(case.mask, old, spacing, sizes) >= 0.5
    image = np.stack(channels, axis=-1)
    return replace(case, image=image, mask=mask, geometry=oriented(spacing))


def on_grid(
    volume: NDArray[np.generic],
    old: tuple[float, ...],
    new: tuple[float, ...],
    sizes: tuple[int, ...],
) -> NDArray[np.float32]:
    """Interpolate by cubic splines, after a blur where the new voxels are larger."""
    values = volume.astype(np.float32)
    places = []
    for axis, (before, after, size) in enumerate(zip(old, new, sizes, strict=True)):
        if after > before:
            values = gaussian_filter1d(values, (after / before - 1) / 2, axis=axis)
        middle = (values.shape[axis] - 1) / 2
        places.append((np.arange(size) - (size - 1) / 2) * after / before + middle)
    grid = np.meshgrid(*places, indexing="ij")
    outside = float(volume[0, 0, 0])
    return map_coordinates(values, grid, order=3, mode="constant", cval=outside)


def oriented(spacing: tuple[float, ...]) -> Geometry:
    """Return a geometry whose axes are those of the patient."""
    z, y, x = spacing
    return Geometry((z, y, x), np.diag([z, y, x, 1.0])[[2, 1, 0, 3]])


def score(segmenter: Segmenter, case: Case) -> float:
    """Return the Dice of the mask of a case; NaN if it is refused."""
    try:
        found = segmenter.segment(case)
    except CaseError as error:
        print(error)
        return float("nan")
    assert case.mask is not None
    return dice(found.mask, case.mask)


if __name__ == "__main__":
    main()
