import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.case_files import contents
from lggshape.errors import InputError
from lggshape.files import file_hash
from lggshape.phantoms import write_cohort
from lggshape.provenance import recorded
from lggshape.run_check import check_run
from lggshape.segmentation.inference.segmentation_journal import SegmentationJournal
from lggshape_cli import app


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def in_shards(count: int, folder: Path, *command: object, ending: str = "") -> list[Path]:
    """Run a command once for each shard; return the results, the last first."""
    parts = [folder / f"part{number}{ending}" for number in range(1, count + 1)]
    for number, part in enumerate(parts, start=1):
        result = run(*command, "--out", part, "--shard", f"{number}/{count}")
        assert result.exit_code in {0, 1}, result.stderr
    return parts[::-1]


def record_of(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of fourteen cases, of which one cannot be read."""
    folder = write_cohort(tmp_path_factory.mktemp("many") / "cases", patients=14, size=(4, 32, 32))
    damaged = sorted(folder.iterdir())[7]
    for path in damaged.iterdir():
        path.write_bytes(b"damaged")
    return folder


def test_twelve_shards_of_features_are_the_table_of_one_job_invariant(many, tmp_path):
    options = ("--lesions", "--spacing", 5, 1, 1, "--jobs", 1)
    result = run("features", many, "--out", tmp_path / "whole.csv", *options)
    assert result.exit_code == 1  # a case is damaged
    parts = in_shards(12, tmp_path, "features", many, *options, ending=".csv")
    result = run("merge", *parts, "--out", tmp_path / "merged.csv")
    assert (result.exit_code, result.stdout.split(":")[0]) == (0, "Merged 14 cases of 12 shards")
    for ending in ("csv", "datapackage.json"):
        merged = (tmp_path / f"merged.{ending}").read_text(encoding="utf-8")
        whole = (tmp_path / f"whole.{ending}").read_text(encoding="utf-8")
        assert merged == whole.replace("whole.csv", "merged.csv")
    # Each shard has hashed its own cases and what is of none; together they hashed everything.
    (read,) = record_of(tmp_path / "whole.run.json")["inputs"]
    assert record_of(tmp_path / "merged.run.json")["inputs_of_shards"] == [read]
    (first,) = record_of(tmp_path / "part1.run.json")["inputs"]
    assert first["files"] == 3 + 2 * 8  # three tables, and four slices with masks of two cases
    assert all(one.is_same for one in check_run(parts[0]) if one.kind == "input")


def test_shards_of_two_folders_are_merged_with_a_warning(many, tmp_path):
    """Their records cannot tell whether these are copies of one another."""
    copy = shutil.copytree(many, tmp_path / "copy" / "cases")
    parts = []
    for number, place in enumerate((many, copy), start=1):
        parts.append(tmp_path / f"part{number}.csv")
        run("features", place, "--out", parts[-1], "--shard", f"{number}/2", "--jobs", 1)
    result = run("merge", *parts, "--out", tmp_path / "merged.csv")
    assert result.exit_code == 0
    log = (tmp_path / "merged.log").read_text(encoding="utf-8")
    assert "part1.csv and part2.csv come from different folders" in log
    assert "There was a warning: see the log" in result.stderr


def test_shards_of_masks_are_the_folder_of_one_job_invariant(cohort, networks, tmp_path):
    images = shutil.copytree(cohort, tmp_path / "images")
    for path in sorted(images.iterdir())[1].iterdir():
        path.write_bytes(b"damaged")
    options = ("--networks", networks, "--probabilities")
    run("segment", images, "--out", tmp_path / "whole", *options)
    parts = in_shards(3, tmp_path, "segment", images, *options)
    out = tmp_path / "merged"
    assert run("merge", *parts, "--out", out).exit_code == 0
    merged, whole = contents(out), contents(tmp_path / "whole")
    del merged["run.json"], whole["run.json"]
    assert merged == whole
    # What was merged goes on as what one job wrote.
    again = run("segment", images, "--out", out, *options, "--resume")
    assert again.exit_code == 1
    assert "Segmented 3 of 4 cases" in again.stdout


@pytest.fixture
def tables(many, tmp_path):
    return in_shards(2, tmp_path, "features", many, "--jobs", 1, ending=".csv")


def test_shards_that_do_not_belong_together_are_refused(many, tables, tmp_path):
    first, second = tables[::-1]
    other, whole = tmp_path / "other.csv", tmp_path / "whole.csv"
    run("features", many, "--out", other, "--shard", "2/2", "--points", "centres", "--jobs", 1)
    (tmp_path / "no_shard.csv").touch()
    third = tmp_path / "third.csv"
    run("features", many, "--out", third, "--shard", "2/3", "--jobs", 1)
    run("features", many, "--out", whole, "--jobs", 1)
    for parts, found in (
        ([first], "found no shard 2/2. Give all of them"),
        ([first, first.with_name("gone.csv")], "the result of a shard, found no such file or"),
        ([first, tmp_path / "no_shard.csv"], "found no record of one"),
        ([first, other], "shards of one run, found different options"),
        ([first, third], "all shards of one run, found shards of 2 and of 3"),
        ([whole], "Expected results made with --shard, found"),
    ):
        result = run("merge", *parts, "--out", tmp_path / "out.csv")
        assert (result.exit_code, found in " ".join(result.stderr.split())) == (2, True), found
    result = run("merge", first, first, "--out", tmp_path / "out.csv")
    assert (result.exit_code, "twice" in result.stderr) == (2, True)
    second.rename(tmp_path / "aside")
    result = run("merge", *tables, "--out", tmp_path / "out.csv")
    assert "the 2 files of" in result.stderr
    (tmp_path / "aside").rename(second)
    table = record_of(first.with_name("part1.run.json"))
    table["inputs"][0]["hashes"]["labels.csv"] = "0" * 64
    first.with_name("part1.run.json").write_text(json.dumps(table))
    result = run("merge", *tables, "--out", tmp_path / "out.csv")
    assert (result.exit_code, "found different inputs" in result.stderr) == (2, True)
    second.write_text(second.read_text().replace("manual", "mine"))
    result = run("merge", *tables, "--out", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "were changed since" in result.stderr
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("shard", "found"),
    [("0/3", "found '0/3'"), ("4/3", "found '4/3'"), ("x", "found 'x'"), ("1/99", "shards (99)")],
)
def test_a_shard_that_there_is_not_is_refused(many, tmp_path, shard, found):
    result = run("features", many, "--out", tmp_path / "a.csv", "--shard", shard)
    assert result.exit_code == 2
    assert found in result.stderr


def shard_that_names(folder: Path, file: str, journal: str | None = None) -> Path:
    """Write the only shard of one, whose journal names a file."""
    folder.mkdir()
    row = {"case": "a", "patient": "a", "status": "ok", "reason": ""}
    if journal is None:
        journal = json.dumps({"row": row, "files": [file]}) + "\n"
    written = {
        "segmentation.json": "{}",
        "segmentation.csv": "case\na\n",
        "segmentation.jsonl": journal,
    }
    with recorded(folder / "run.json", command="segment", options={"shard": "1/1"}, inputs=[]):
        for name, text in written.items():
            (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    "table",
    [b"", b"\n", b"x\n1\n", b"case\n\xff\n", b'case\n"a', b"case,x\na\n", b"case,case\na,b\n",
     b"case\n" + b"a" * 200_000],
    ids=["empty", "blank", "no case", "no text", "open", "short", "twice", "long"],
)  # fmt: skip
def test_a_damaged_table_is_refused_whatever_its_record_says(tmp_path, table):
    shard = shard_that_names(tmp_path / "shard", "a.tif")
    path = shard / "segmentation.csv"
    before = file_hash(path)
    path.write_bytes(table)
    record = (shard / "run.json").read_text()
    (shard / "run.json").write_text(record.replace(before, file_hash(path)))
    result = run("merge", shard, "--out", tmp_path / "out")
    assert (result.exit_code, "segmentation.csv to be a table with" in result.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", ["../beside.txt", "a/../../beside.txt", "/tmp/beside.txt", 3])
def test_a_journal_that_names_a_file_outside_its_folder_is_refused(tmp_path, file):
    shard = shard_that_names(tmp_path / "shard", file)
    (tmp_path / "beside.txt").write_text("mine")
    place = tmp_path / "deep"
    result = run("merge", shard, "--out", place / "out")
    assert (result.exit_code, "a file outside the folder" in result.stderr) == (2, True)
    assert not list(tmp_path.rglob("deep/*"))
    with pytest.raises(InputError, match="a file outside the folder"):  # it would be removed
        SegmentationJournal.read(shard)


@pytest.mark.parametrize(("line", "found"), [('{"begun": "a"}\n', "begun only"), ("", "alone: a.")])
def test_a_journal_without_the_result_of_a_case_is_refused(tmp_path, line, found):
    shard = shard_that_names(tmp_path / "shard", "a.tif", journal=line)
    result = run("merge", shard, "--out", tmp_path / "out")
    assert (result.exit_code, found in result.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_journal_that_names_a_link_is_refused(tmp_path):
    """What it points to may be private."""
    shard = shard_that_names(tmp_path / "shard", "link.txt")
    (tmp_path / "private.txt").write_text("mine")
    (shard / "link.txt").symlink_to(tmp_path / "private.txt")
    result = run("merge", shard, "--out", tmp_path / "out")
    expected = (2, True)
    assert (result.exit_code, "its record does not list: link.txt" in result.stderr) == expected
    assert not (tmp_path / "out").exists()
