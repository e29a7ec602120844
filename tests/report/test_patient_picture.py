"""The paths of a patient's drawings."""

import re

import numpy as np
from matplotlib.path import Path as Polygon

from helpers.svg_paths import rings
from lggshape.case import Case
from lggshape.report.patient_picture import draw_portrait
from lggshape.shape.portrait import portray

TWO_PARTS_AND_A_HOLE = np.zeros((3, 24, 30), bool)
TWO_PARTS_AND_A_HOLE[1, 4:16, 3:17] = True
TWO_PARTS_AND_A_HOLE[1, 8:12, 7:12] = False
TWO_PARTS_AND_A_HOLE[1, 6:10, 20:27] = True


def test_every_part_and_hole_of_a_slice_is_where_the_mask_is_analytic() -> None:
    portrait = portray({"manual": Case("c", "p", mask=TWO_PARTS_AND_A_HOLE)})
    assert portrait is not None
    picture = draw_portrait(portrait)
    ((_, path),) = picture.outlines
    found = rings(path)
    assert len(found) == 3
    assert re.fullmatch(r"(M\S+?l[^zMl]+z)+", path)
    # The centre of a pixel lies at its number.
    rows, columns = np.indices((24, 30))
    centres = np.column_stack([columns.ravel(), rows.ravel()])
    inside = sum(Polygon(ring).contains_points(centres) for ring in found) % 2 == 1
    assert (inside.reshape(24, 30) == TWO_PARTS_AND_A_HOLE[1]).all()
