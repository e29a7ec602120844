import hashlib
import json
from pathlib import Path

import pytest

from lggshape.provenance import describe_input, recorded


def test_the_hash_of_a_file_is_that_of_its_bytes_analytic(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"abc")
    # SHA-256 of "abc": the first example of FIPS 180-2.
    assert describe_input(path).sha256.startswith("ba7816bf8f01cfea414140de5dae2223")
    assert describe_input(path).sha256 == hashlib.sha256(b"abc").hexdigest()


def test_the_hash_of_a_folder_follows_names_and_contents_only_invariant(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "sub"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text("x")
        (tmp_path / name / ".hidden").write_text(name)
    one, two = describe_input(tmp_path / "one"), describe_input(tmp_path / "two")
    assert one.sha256 == two.sha256
    assert one.files == 1
    (tmp_path / "two" / "sub" / "a.txt").write_text("y")
    assert describe_input(tmp_path / "two").sha256 != one.sha256


def test_a_record_says_how_a_result_was_made(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("x")
    options = {"n": 3, "path": source, "several": [source, 1], "none": None}
    with recorded(tmp_path / "run.json", command="c", options=options, inputs=[source]) as details:
        details["outputs"] = ["out.csv"]
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["command"] == "c"
    assert record["options"] == {
        "n": 3,
        "path": str(source),
        "several": [str(source), 1],
        "none": None,
    }
    assert record["inputs"][0]["files"] == 1
    assert record["outputs"] == ["out.csv"]
    assert {"python", "numpy", "lggshape"} <= set(record["versions"])
    assert record["seconds"] >= 0


def test_nothing_is_recorded_of_a_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with recorded(tmp_path / "run.json", command="c", options={}, inputs=[]):
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert list(tmp_path.iterdir()) == []
