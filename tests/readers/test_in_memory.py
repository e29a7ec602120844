import numpy as np
import pytest

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.readers.in_memory import sources_of

MASK = np.ones((2, 3, 4), dtype=np.uint8)


def test_a_path_and_what_it_opens_are_the_same_cases_invariant(tmp_path):
    folder = write_cohort(tmp_path / "cohort", patients=2, size=(6, 24, 24))
    opened = open_cases(folder, masks_only=True)
    assert sources_of(str(folder), masks_only=True) == opened
    assert sources_of(opened, masks_only=True) == opened


def test_what_is_not_asked_for_is_left_out():
    case = Case("a", "p", image=np.zeros((2, 3, 4, 1)), mask=MASK > 0, sequences=("FLAIR",))
    (source,) = sources_of([case])
    assert source.read(image=False).image is None
    assert source.read(mask=False).mask is None
    assert source.read().image is case.image


def test_a_mask_in_memory_is_read_as_one_from_a_file():
    (source,) = sources_of([Case("a", "p", mask=MASK * 255)])
    assert source.read().mask.dtype == bool
    (source,) = sources_of([Case("a", "p", mask=np.arange(4).reshape(1, 2, 2))])
    with pytest.raises(CaseError, match="Case a in memory: Expected the mask to have two values"):
        source.read()


def test_the_spacing_in_memory_is_checked():
    (source,) = sources_of([Case("a", "p", mask=MASK, geometry=Geometry(spacing=(0.0, 1.0, 1.0)))])
    with pytest.raises(CaseError, match="Case a in memory: Expected spacing to be three positive"):
        source.read()


def test_a_mask_is_required_where_masks_alone_count():
    case = Case("a", "p", image=np.zeros((2, 3, 4, 1)), sequences=("FLAIR",))
    (source,) = sources_of([case], masks_only=True)
    with pytest.raises(CaseError, match="Expected case a to have a mask, found none: in memory"):
        source.read()


def test_two_cases_of_one_name_are_refused():
    with pytest.raises(InputError, match="every case once, found a twice: in memory, in memory"):
        sources_of([Case("a", "p", mask=MASK), Case("a", "q", mask=MASK)])


def test_a_case_in_memory_has_no_layout_to_be_written_in(tmp_path):
    (source,) = sources_of([Case("a", "p", mask=MASK)])
    with pytest.raises(CaseError, match="found it in memory"):
        source.write(tmp_path, {"mask": MASK})


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((2, 3, 4), r"a channel per sequence, found \(2, 3, 4\)"),
        ((2, 3, 4, 2), r"shape \(Z, Y, X, 1\), a channel per sequence, found \(2, 3, 4, 2\)"),
        ((2, 0, 4, 1), "a channel per sequence"),
        ((9, 3, 4, 1), r"the same shape, found \(9, 3, 4\) and"),
    ],
)
def test_an_image_in_memory_that_contradicts_itself_is_refused_analytic(shape, found):
    case = Case("a", "p", image=np.zeros(shape), mask=MASK, sequences=("FLAIR",))
    (source,) = sources_of([case])
    with pytest.raises(CaseError, match=found):
        source.read()
