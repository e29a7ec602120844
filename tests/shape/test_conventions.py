import math

import pytest

from lggshape.errors import InputError
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions


def test_defaults_are_those_of_the_study():
    assert Conventions() == DEFAULT_CONVENTIONS
    assert (
        Conventions(
            component="largest", points="corners", slices="largest", bin_offset=0.0, window="round"
        )
        == DEFAULT_CONVENTIONS
    )


@pytest.mark.parametrize("name", ["component", "points", "slices", "window"])
def test_unknown_word_is_refused(name):
    with pytest.raises(InputError, match=f"Expected {name} to be one of .*, found: middle"):
        Conventions(**{name: "middle"})


@pytest.mark.parametrize("angle", [math.nan, math.inf])
def test_offset_that_is_no_angle_is_refused(angle):
    with pytest.raises(InputError, match="finite angle"):
        Conventions(bin_offset=angle)
