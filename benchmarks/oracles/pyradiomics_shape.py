"""Hold the features of the solid against pyradiomics, on real masks.

Run it from the repository: ``python benchmarks/oracles/pyradiomics_shape.py MASKS --python PYTHON
[--cases 10] [--regions brats] [--smooth 3]``. PYTHON is the interpreter of an environment of its
own in which pyradiomics is installed, because it needs other versions of the libraries. The whole
masks are measured, of the union of all regions. Smoothed masks have few ambiguous cells, or none.
"""

import argparse
import json
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

import lggshape
from lggshape.case import Case
from lggshape.masks import Mask, bounding_box, find_components

NAMES = [name for name, feature in lggshape.FEATURES.items() if feature.pyradiomics]
OF_MESH = {"mesh_volume", "surface_area", "sphericity", "maximum_3d_diameter"}

RADIOMICS = """
import json, sys
import numpy as np, SimpleITK as sitk
from radiomics.shape import RadiomicsShape
found = []
for path in sys.argv[1:]:
    with np.load(path) as file:
        mask = sitk.GetImageFromArray(file["mask"].astype(np.uint8))
        mask.SetSpacing([float(step) for step in file["spacing"][::-1]])
    shape = RadiomicsShape(mask, mask, label=1)
    shape.enableAllFeatures()
    found.append({name: float(value) for name, value in shape.execute().items()})
print(json.dumps(found))
"""


def ambiguous_cells(mask: Mask) -> int:
    """Count the cells of eight voxels in which inside or outside is not connected by faces."""
    padded = np.pad(mask[bounding_box(mask)], 1).astype(int)
    z, y, x = (slice(size - 1) for size in padded.shape)
    code = np.zeros([size - 1 for size in padded.shape], dtype=int)
    for bit, corner in enumerate(np.ndindex(2, 2, 2)):
        shifted = tuple(
            slice(step, one.stop + step) for step, one in zip(corner, (z, y, x), strict=True)
        )
        code += padded[shifted] << bit
    apart = np.zeros(256, dtype=bool)
    for number in range(256):
        cell = np.array([number >> bit & 1 for bit in range(8)], dtype=bool).reshape(2, 2, 2)
        apart[number] = max(find_components(part).number for part in (cell, ~cell)) > 1
    return int(apart[code].sum())


def smoothed(case: Case, sigma: float) -> Case:
    """Return the case with a mask that a Gaussian has smoothed, of so many voxels."""
    assert case.mask is not None
    return replace(case, mask=gaussian_filter(case.mask.astype(np.float32), sigma) >= 0.5)


def radiomics_of(cases: list[Case], python: Path) -> list[dict[str, float]]:
    """Return the shape features of pyradiomics."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, case in enumerate(cases):
            assert case.mask is not None
            paths.append(Path(folder, f"{number}.npz"))
            inside = np.pad(case.mask[bounding_box(case.mask)], 2)
            np.savez(paths[-1], mask=inside, spacing=np.array(case.geometry.spacing))
        command = [str(python), "-c", RADIOMICS, *map(str, paths)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: list[dict[str, float]] = json.loads(output.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("masks", type=Path, help="masks with known spacing")
    parser.add_argument("--python", type=Path, required=True, help="Python with pyradiomics")
    parser.add_argument("--cases", type=int, default=10, help="so many, evenly from all")
    parser.add_argument("--regions", help="regions of masks of several values")
    parser.add_argument("--smooth", type=float, default=0.0, help="sigma of a Gaussian, in voxels")
    options = parser.parse_args()
    sources = lggshape.open_cases(options.masks, masks_only=True, regions=options.regions)
    chosen = np.linspace(0, len(sources) - 1, options.cases).round().astype(int)
    cases = [sources[place].read(image=False) for place in chosen]
    if options.smooth:
        cases = [smoothed(case, options.smooth) for case in cases]
    whole = lggshape.Conventions(component="all")
    rows = []
    for case, oracle in zip(cases, radiomics_of(cases, options.python), strict=True):
        assert case.mask is not None
        own = lggshape.extract_features(case, conventions=whole).values
        differences = {
            name: own[name] / oracle[lggshape.FEATURES[name].pyradiomics] - 1 for name in NAMES
        }
        cells = ambiguous_cells(case.mask)
        rows.append({"voxels": int(case.mask.sum()), "ambiguous cells": cells, **differences})
    table = pd.DataFrame(rows)
    print("Relative differences from pyradiomics, a row per mask.")
    print(table.to_string(index=False, float_format="{:.1e}".format))
    for name in NAMES:
        largest = table[name].abs().max()
        where = "on the mesh" if name in OF_MESH else "on the voxels"
        print(f"{name}, {where}: largest difference {largest:.1e}")
    clear = table[table["ambiguous cells"] == 0]
    if len(clear):
        print(f"Largest of {len(clear)} masks without: {clear[NAMES].abs().max().max():.1e}")


if __name__ == "__main__":
    main()
