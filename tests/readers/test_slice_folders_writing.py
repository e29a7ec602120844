import pickle
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from lggshape.errors import InputError
from lggshape.readers import open_cases

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (12, 16, 20, 3), dtype=np.uint8)
MASK = RNG.random((12, 16, 20)) < 0.3


KINDS = ("mask", "entropy")


MAP = RNG.random(MASK.shape).astype(np.float32)


def written(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("options", [{}, {"image": None}, {"mask": None}])
def test_what_is_written_is_read_in_the_same_layout_invariant(tmp_path, options, write_slices):
    write_slices(tmp_path / "in", **options)
    (source,) = open_cases(tmp_path / "in")
    files = source.write(tmp_path / "new" / "out", {"mask": MASK, "entropy": MAP})
    out = tmp_path / "new" / "out"
    assert written(out) == {f"A/A_{n}_{kind}.tif" for n in range(1, 13) for kind in KINDS}
    assert sorted(files) == sorted(out / name for name in written(out))
    (found,) = open_cases(out, masks_only=True)
    assert (found.id, found.has_image, found.has_mask) == ("A", False, True)
    np.testing.assert_array_equal(found.read().mask, MASK)
    np.testing.assert_array_equal(tifffile.imread(out / "A/A_10_entropy.tif"), MAP[9])


def test_masks_are_bytes_of_0_and_255_and_compressed(tmp_path, write_slices):
    write_slices(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK})
    with tifffile.TiffFile(tmp_path / "out/A/A_3_mask.tif") as tiff:
        page = tiff.pages.first
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert page.dtype == np.uint8
        np.testing.assert_array_equal(page.asarray(), MASK[2] * 255)


def test_numbers_are_spelled_as_in_the_input(tmp_path, write_slices, read_only):
    case = write_slices(tmp_path / "in")
    for file in list(case.iterdir()):
        number = file.stem.split("_")[1]
        file.rename(case / file.name.replace(f"_{number}", f"_{int(number):03d}"))
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK})
    assert (tmp_path / "out/A/A_003_mask.tif").is_file()
    np.testing.assert_array_equal(read_only(tmp_path / "out").mask, MASK)


def test_the_same_volumes_give_the_same_bytes_invariant(tmp_path, write_slices):
    write_slices(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    for out in ("one", "two"):
        source.write(tmp_path / out, {"mask": MASK, "probability": MAP})
    for name in written(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_earlier_output_is_replaced_whole(tmp_path, write_slices, read_only):
    write_slices(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK, "probability": MAP})
    source.write(tmp_path / "out", {"mask": ~MASK})
    assert written(tmp_path / "out") == {f"A/A_{n}_mask.tif" for n in range(1, 13)}
    np.testing.assert_array_equal(read_only(tmp_path / "out").mask, ~MASK)


def test_a_case_that_cannot_be_written_whole_leaves_the_earlier_one(
    tmp_path, monkeypatch, write_slices, read_only
):
    write_slices(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK})
    imwrite, calls = tifffile.imwrite, []

    def full(path, *arguments, **options):
        calls.append(path)
        if len(calls) > 5:
            raise OSError(28, "No space left on device")
        # What a kill would leave by now is no case.
        assert [one.id for one in open_cases(tmp_path / "out")] == ["A"]
        return imwrite(path, *arguments, **options)

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(InputError, match="writable folder, found: No space left on device"):
        source.write(tmp_path / "out", {"mask": ~MASK})
    np.testing.assert_array_equal(read_only(tmp_path / "out").mask, MASK)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["A"]


def test_a_killed_writer_leaves_nothing_that_is_read(tmp_path, write_slices):
    write_slices(tmp_path / "in", "A")
    write_slices(tmp_path / "in", "B")
    one, other = open_cases(tmp_path / "in")
    code = (
        "import os, pickle, sys, tifffile\n"
        "source, folder, mask = pickle.load(sys.stdin.buffer)\n"
        "imwrite, left = tifffile.imwrite, [5]\n"
        "def kill(*arguments, **options):\n"
        "    left[0] -= 1\n"
        "    return imwrite(*arguments, **options) if left[0] else os.kill(os.getpid(), 9)\n"
        "tifffile.imwrite = kill\n"
        "source.write(folder, {'mask': mask})\n"
    )
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps((one, out, MASK)), check=False
    )
    assert done.returncode == -9
    assert len(written(out)) == 4
    other.write(out, {"mask": MASK})
    assert [case.id for case in open_cases(out)] == ["B"]
    one.write(out, {"mask": MASK})
    assert [case.id for case in open_cases(out)] == ["A", "B"]
    assert sorted(path.name for path in out.iterdir()) == ["A", "B"]


def test_the_input_is_never_written_over(tmp_path, write_slices, read_only):
    case = write_slices(tmp_path / "in")
    before = written(tmp_path)
    for source in (*open_cases(tmp_path / "in"), *open_cases(case)):
        for folder in (tmp_path / "in", case):
            with pytest.raises(InputError, match="another folder than case A is read from"):
                source.write(folder, {"mask": MASK})
    # Nor is another case's image of the same name.
    write_slices(tmp_path / "elsewhere")
    (source,) = open_cases(tmp_path / "elsewhere")
    write_slices(tmp_path / "out")
    with pytest.raises(InputError, match="found something else"):
        source.write(tmp_path / "out", {"mask": MASK})
    assert before <= written(tmp_path)
    np.testing.assert_array_equal(read_only(tmp_path / "out").image, IMAGE)


@pytest.mark.parametrize(
    ("volumes", "message"),
    [
        ({"mask": MASK[1:]}, r"mask of case A to be \(12, 16, 20\), found \(11, 16, 20\)"),
        ({"probability": MAP[..., 0]}, r"found \(12, 16\)"),
        ({"masks": MASK}, r"found: \['masks'\]"),
    ],
)
def test_volumes_that_are_none_of_the_case(tmp_path, volumes, message, write_slices):
    write_slices(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    with pytest.raises(ValueError, match=message):
        source.write(tmp_path / "out", volumes)
    assert written(tmp_path / "out") == set()


def test_a_folder_that_cannot_be_written(tmp_path, write_slices):
    write_slices(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="to be a writable folder"):
        source.write(tmp_path / "file", {"mask": MASK})
