"""Segment the 110 patients out of fold, native and disturbed, as the protocol says.

    python reports/quality-flag/disturb.py kaggle_3m WORK

An image that WORK has already is not segmented again, so the script can be stopped and resumed.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, gaussian_filter, uniform_filter1d

from lggshape.case import FLAIR, Case
from lggshape.files import write_json
from lggshape.head import find_head
from lggshape.masks import dice
from lggshape.readers import open_cases
from lggshape.segmentation import SHIPPED, Segmenter, read_ensemble
from lggshape.segmentation.preprocessing.frame import FIELD_OF_VIEW

SEED = 0
ROUNDS = 3
NATIVE = "native"
QUARTILES_TO_SD = 1.349
Rng = np.random.Generator


class Drawn(NamedTuple):
    """An image of a patient: the native one, or a disturbed one."""

    round: int
    kind: str
    strength: float
    case: Case


def head_of(case: Case) -> NDArray[np.bool_]:
    return find_head(case.image[..., case.sequences.index(FLAIR)])


def each_sequence(case: Case, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Case:
    """Return a case with every sequence changed by itself."""
    planes = [change(case.image[..., c].astype(np.float32)) for c in range(case.image.shape[3])]
    return replace(case, image=np.stack(planes, axis=-1).astype(np.float32))


def noise(case: Case, rng: Rng, strength: float) -> Case:
    head = head_of(case)

    def noisy(values):
        low, high = np.percentile(values[head], (25, 75))
        spread = strength * (high - low) / QUARTILES_TO_SD
        return values + spread * rng.standard_normal(values.shape, dtype=np.float32)

    return each_sequence(case, noisy)


def bias(case: Case, rng: Rng, strength: float) -> Case:
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in case.image.shape[:3]), indexing="ij")
    terms = (z, y, x, z * y, z * x, y * x, z * z, y * y, x * x)
    field = sum(weight * term for weight, term in zip(rng.standard_normal(9), terms, strict=True))
    field = 2 * (field - field.min()) / np.ptp(field) - 1
    return each_sequence(case, lambda values: values * np.exp(strength * field))


def blur(case: Case, rng: Rng, strength: float) -> Case:
    return each_sequence(case, lambda values: gaussian_filter(values, (0, strength, strength)))


def thick(case: Case, rng: Rng, strength: float) -> Case:
    each = round(strength)
    start = np.arange(len(case.image)) // each * each
    middle = np.minimum(start + each // 2, len(case.image) - 1)
    return each_sequence(case, lambda values: uniform_filter1d(values, each, axis=0)[middle])


def missing(case: Case, rng: Rng, strength: float) -> Case:
    others = [name for name in case.sequences if name != FLAIR]
    left_out = [others[:1], others[1:], others][int(strength)]
    kept = [name for name in case.sequences if name not in left_out]
    image = case.image[..., [case.sequences.index(name) for name in kept]]
    return replace(case, image=image, sequences=tuple(kept))


def stripped(case: Case, rng: Rng, strength: float) -> Case:
    plus = np.zeros((3, 3, 3), dtype=bool)
    plus[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    brain = binary_erosion(head_of(case), plus, iterations=round(strength))
    return each_sequence(case, lambda values: np.where(brain, values, 0))


def spacing(case: Case, rng: Rng, strength: float) -> Case:
    pixel = strength * FIELD_OF_VIEW / max(case.image.shape[1:3])
    return replace(case, geometry=replace(case.geometry, spacing=(5.0, pixel, pixel)))


def saturated(case: Case, rng: Rng, strength: float) -> Case:
    head = head_of(case)
    return each_sequence(case, lambda v: np.minimum(v, np.percentile(v[head], strength)))


def cut(case: Case, rng: Rng, strength: float) -> Case:
    columns = np.flatnonzero(head_of(case).any(axis=(0, 1)))
    rows = np.flatnonzero(head_of(case).any(axis=(0, 2)))
    for side in rng.permutation(4):
        place = rows if side < 2 else columns
        share = round(strength * len(place))
        kept = slice(place[0] + share, None) if side % 2 else slice(None, place[-1] + 1 - share)
        box = (slice(None), kept) if side < 2 else (slice(None), slice(None), kept)
        if case.mask[box].any():
            break
    return replace(case, image=case.image[box], mask=case.mask[box])


def contrast(case: Case, rng: Rng, strength: float) -> Case:
    return each_sequence(case, lambda values: (values / values.max()) ** strength)


def turned(case: Case, rng: Rng, strength: float) -> Case:
    return replace(case, image=case.image[:, ::-1], mask=case.mask[:, ::-1])


KINDS: dict[str, tuple[Callable[[Case, Rng, float], Case], Callable[[Rng], float]]] = {
    "noise": (noise, lambda rng: rng.uniform(0.1, 0.5)),
    "bias": (bias, lambda rng: rng.uniform(0.3, 0.9)),
    "blur": (blur, lambda rng: rng.uniform(1, 3)),
    "thick": (thick, lambda rng: rng.integers(2, 4)),
    "missing": (missing, lambda rng: rng.integers(3)),
    "stripped": (stripped, lambda rng: rng.uniform(8, 14)),
    "spacing": (spacing, lambda rng: rng.uniform(0.7, 1.4)),
    "saturated": (saturated, lambda rng: rng.uniform(80, 97)),
    "cut": (cut, lambda rng: rng.uniform(0.1, 0.3)),
    "contrast": (contrast, lambda rng: np.exp(rng.uniform(np.log(0.4), np.log(2.5)))),
    "turned": (turned, lambda rng: 1),
}
"""How each kind disturbs a case, and how its strength is drawn."""


def draw(case: Case, number: int) -> Drawn:
    """Return the image of a patient in a round; the native one in round 0."""
    if number == 0:
        return Drawn(0, NATIVE, 0, case)
    rng = np.random.default_rng([SEED, crc32(case.id.encode())])
    kinds = rng.choice(list(KINDS), size=ROUNDS, replace=False)
    strengths = [float(KINDS[kind][1](rng)) for kind in kinds]
    kind, strength = str(kinds[number - 1]), strengths[number - 1]
    return Drawn(
        number, kind, strength, KINDS[kind][0](case, rng.spawn(ROUNDS)[number - 1], strength)
    )


def main() -> None:
    dataset, work = map(Path, sys.argv[1:])
    work.mkdir(parents=True, exist_ok=True)
    sources = open_cases(dataset)
    segmenter = Segmenter(read_ensemble(SHIPPED))
    for number in range(ROUNDS + 1):
        for source in sources:
            name = f"{number}-{source.id}"
            if (work / f"{name}.json").exists():
                continue
            drawn = draw(source.read(), number)
            found = segmenter.segment(replace(drawn.case, mask=None))
            row = {
                "case": source.id, "patient": source.patient, "fold": found.fold,
                "round": number, "kind": drawn.kind, "strength": drawn.strength,
                "dice": dice(found.mask, drawn.case.mask), **found.measures,
            }  # fmt: skip
            write_json(work / f"{name}.json", row)
            print(name, drawn.kind, f"{drawn.strength:.2f}", f"{row['dice']:.3f}", flush=True)


if __name__ == "__main__":
    main()
