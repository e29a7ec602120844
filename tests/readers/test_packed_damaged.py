"""Archives that were damaged, or made to do harm."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases, packed

MASK = np.zeros((24, 24, 24), dtype=bool)
MASK[8:16, 8:16, 8:16] = True
NAN = np.full((1, 3), np.nan)


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def declared(shape, dtype, content=b""):
    """Return an array's file that declares a shape, whatever follows."""
    stream = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


@pytest.fixture
def pack(tmp_path):
    """Return a function that writes an archive of one mask, some arrays of it replaced."""

    def write(**replaced):
        arrays = {
            "cases": np.array(["A"]),
            "patients": np.array(["P"]),
            "shapes": np.array([MASK.shape]),
            "spacings": NAN,
            "affines": np.full((1, 4, 4), np.nan),
            "0": np.packbits(MASK),
        } | replaced
        with zipfile.ZipFile(tmp_path / "masks.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                if array is not None:
                    content = array if isinstance(array, bytes) else npy(np.asarray(array))
                    archive.writestr(f"{name}.npy", content)
        return tmp_path

    return write


def test_what_the_fixture_packs_is_read_invariant(pack):
    (source,) = open_cases(pack())
    np.testing.assert_array_equal(source.read().mask, MASK)


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"shapes": [[1200, 1200, 1000]]}, r"the shape \(1200, 1200, 1000\)"),
        ({"shapes": [[1000, 1000, 200]]}, "instead of the bits of the shape"),
        ({"shapes": [[24, 24, 25]]}, "instead of the bits of the shape"),
        ({"shapes": [[24, 24, 23]]}, "instead of the bits of the shape"),
        ({"shapes": [[1, 1, 13817]], "0": np.full(1728, 255, np.uint8)}, "more voxels than"),
        ({"shapes": [[-24, -24, 24]]}, r"the shape \(-24, -24, 24\)"),
        ({"shapes": [[24, 0, 24]]}, "the shape"),
        ({"shapes": [[2**40, 2**40, 2**40]]}, "the shape"),
        ({"0": None}, "no item named '0.npy'"),
        ({"0": np.packbits(MASK).view(np.int8)}, "int8 of shape"),
        ({"0": np.packbits(MASK).reshape(2, -1)}, "uint8 of shape"),
        ({"0": declared((2**50,), "|u1")}, "instead of uint8 of shape"),
        ({"0": declared((-8, -216), "|u1", bytes(1728))}, "instead of uint8 of shape"),
        ({"0": declared((1728,), "|O", bytes(1728))}, "instead of object of shape"),
        ({"0": np.zeros(2**20, np.uint8)}, "instead of at most"),
        ({"0": b"no array"}, "magic string"),
        ({"spacings": [[1.0, np.nan, 1.0]]}, "voxel sizes"),
        ({"spacings": [[1.0, -1.0, 1.0]]}, "voxel sizes"),
        ({"spacings": [[1.0, 1e9, 1.0]]}, "voxel sizes"),
        ({"spacings": [[1.0, 1.0, 1.0]], "affines": [np.diag([2.0, 1, 1, 1])]}, "an affine that"),
        ({"affines": [np.diag([1.0, 1, 1, 1])]}, "an affine that does not fit"),
    ],
)
def test_a_mask_that_is_not_what_is_declared_fails_analytic(pack, arrays, found):
    (source,) = open_cases(pack(**arrays))
    with pytest.raises(CaseError, match=found) as caught:
        source.read()
    assert "case A" in str(caught.value)


@pytest.mark.parametrize(
    "arrays",
    [
        {"cases": None},
        {"cases": np.array([1])},
        {"cases": np.array(["A", "B"])},
        {"cases": np.array("A")},
        {"cases": declared((1,), "<U1", b"\xff\xff\xff\xff")},
        {"cases": np.array(["A"], dtype=object)},
        {"cases": declared((2**40,), "<U1")},
        {"cases": declared((1,), "<U100000000")},
        {"patients": np.array(["P", "Q"])},
        {"shapes": np.array([[24.0, 24.0, 24.0]])},
        {"shapes": np.array([[24, 24]])},
        {"spacings": np.array([["a", "b", "c"]])},
        {"affines": np.full((1, 3, 3), np.nan)},
    ],
)
def test_tables_that_do_not_fit_are_refused_analytic(pack, arrays):
    with pytest.raises(InputError, match=r"masks\.npz to be an archive of packed masks, found: "):
        open_cases(pack(**arrays))


@pytest.mark.parametrize("name", ["../../x", "/x", "a/b", "..", "a\nb", "x" * 129, "", "CON"])
def test_names_that_are_not_those_of_files_are_refused_analytic(pack, name):
    folder = pack(cases=np.array([name]))
    with pytest.raises(InputError, match=r"masks\.npz.* as the name of a case") as caught:
        open_cases(folder)
    assert repr(name) in str(caught.value)


def test_two_cases_of_one_name_are_refused_analytic(pack):
    twice = {
        name: np.repeat(np.asarray(array), 2, axis=0)
        for name, array in {
            "cases": ["A"],
            "patients": ["P"],
            "shapes": [MASK.shape],
            "spacings": NAN,
            "affines": np.full((1, 4, 4), np.nan),
        }.items()
    }
    with pytest.raises(InputError, match="a second one as the name of a case, 'A'"):
        open_cases(pack(**twice))


@pytest.mark.parametrize(
    ("offset", "value"),
    [(10, 0x63), (6, 0xFF), (8, 0x20), (8, 0x01)],
    ids=["compression", "version", "patched data", "encrypted"],
)
def test_archives_of_other_kinds_are_refused_analytic(pack, offset, value):
    """By the fields of the first entry of the central directory (APPNOTE 4.3.12)."""
    path = pack() / "masks.npz"
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + offset] = value
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"masks\.npz to be an archive of packed masks, found: "):
        open_cases(path.parent)


@pytest.mark.parametrize(
    ("offset", "value"),
    [(10, 0x63), (6, 0xFF), (8, 0x20), (8, 0x01)],
    ids=["compression", "version", "patched data", "encrypted"],
)
def test_a_mask_of_another_kind_is_refused_analytic(pack, offset, value):
    """By the fields of the last entry of the central directory, which is that of the mask."""
    path = pack() / "masks.npz"
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + offset] = value
    path.write_bytes(bytes(content))
    with pytest.raises((CaseError, InputError), match=r"masks\.npz to "):
        _ = [source.read() for source in open_cases(path.parent)]


def test_an_archive_that_was_cut_or_changed_anywhere_is_refused_or_right_invariant(pack):
    """Nothing but the two errors escapes, and no wrong mask is read."""
    path = pack() / "masks.npz"
    content = path.read_bytes()
    damaged = [content[:length] for length in range(0, len(content), 7)]
    for place in range(0, len(content), 5):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        damaged.append(bytes(changed))
    refused = 0
    for one in damaged:
        path.write_bytes(one)
        try:
            (case,) = (source.read() for source in open_cases(path.parent))
        except (CaseError, InputError):
            refused += 1
        else:
            np.testing.assert_array_equal(case.mask, MASK)
    assert refused > len(damaged) / 2


def test_a_zip_bomb_is_not_unpacked_analytic(pack):
    """A member of 256 MB of zeros, 260 kB packed, which claims to be as long as it should be."""
    path = pack() / "masks.npz"
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("1.npy", "w") as member:
            for _ in range(256):
                member.write(bytes(2**20))
        bomb = archive.getinfo("1.npy")
    content = bytearray(path.read_bytes())
    # The name of the mask is given to the bomb, and the size of the mask.
    for place in (bomb.header_offset + 30, content.rindex(b"1.npy")):
        content[place : place + 5] = b"0.npy"
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (1728 + 128).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    (source,) = open_cases(path.parent)
    tracemalloc.start()
    with pytest.raises(CaseError, match=r"case A, found: "):
        source.read()
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_a_bug_is_not_taken_for_damage(pack, monkeypatch):
    monkeypatch.setattr(packed, "_geometry", lambda *_: 1 / 0)
    (source,) = open_cases(pack())
    with pytest.raises(ZeroDivisionError):
        source.read()
