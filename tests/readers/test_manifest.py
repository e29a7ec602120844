from pathlib import Path

import pytest

from lggshape.errors import InputError
from lggshape.readers import assign_patients
from lggshape.readers.source import UnreadableCase


def source(name, site=""):
    return UnreadableCase(name, name, Path(name), has_image=False, has_mask=False, site=site)


def write(folder, text):
    path = folder / "manifest.csv"
    path.write_text(text)
    return path


def test_patients_are_those_of_the_table(tmp_path):
    manifest = write(tmp_path, "patient,case,site\nP1,b,x\nP1,a,y\nP2,other,z\n")
    assigned = assign_patients([source("a"), source("b")], manifest)
    assert [(one.id, one.patient) for one in assigned] == [("a", "P1"), ("b", "P1")]


def test_sites_are_those_of_the_table_where_it_has_any(tmp_path):
    manifest = write(tmp_path, "case,patient,site\na,P1,x\nb,P2,\n")
    assigned = assign_patients([source("a", "old"), source("b", "kept")], manifest)
    assert [one.site for one in assigned] == ["x", "kept"]
    manifest = write(tmp_path, "case,patient\na,P1\n")
    assert assign_patients([source("a", "kept")], manifest)[0].site == "kept"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,patient\na,P1\n", "found none for b"),
        ("case,patient\na,P1\nb,\n", "found none for b"),
        ("case,patient\na,P1\na,P2\nb,P1\n", "several for a"),
        ("case,subject\na,P1\nb,P2\n", r"to have the columns \['patient'\]"),
    ],
)
def test_a_table_that_does_not_tell(tmp_path, text, message):
    manifest = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        assign_patients([source("a"), source("b")], manifest)
    assert str(manifest) in str(caught.value)
