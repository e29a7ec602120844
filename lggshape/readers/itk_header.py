"""Headers of NRRD and MetaImage files: what they promise, and what they say about the voxels.

SimpleITK reads the values. It believes a header, so what is promised is compared with what is there
first. It also fills in what a header does not say: whether the orientation and the sizes of the
voxels were said at all, only the header shows.
"""

import math
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lggshape.readers.listing import check_regular
from lggshape.readers.source import MOST_VALUES
from lggshape.readers.unusable import UnusableError, library_reading

_MOST_BYTES = 2**20
"""Of a header, in which 3D Slicer writes a few lines per segment."""

_PIECE = 2**20  # bytes that are unpacked at once
_MOST_BEFORE = 2**24  # bytes of a file beside its values and its header
_MOST_PER_BYTE = 1100  # that deflate can make of one byte

_NRRD_TYPES = {
    1: "signed char|int8|int8_t|uchar|unsigned char|uint8|uint8_t",
    2: "short|short int|signed short|signed short int|int16|int16_t"
    "|ushort|unsigned short|unsigned short int|uint16|uint16_t",
    4: "int|signed int|int32|int32_t|uint|unsigned int|uint32|uint32_t|float",
    8: "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t"
    "|ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t|double",
}
_META_TYPES = {
    1: "CHAR|UCHAR",
    2: "SHORT|USHORT",
    4: "INT|UINT|FLOAT",
    8: "LONG_LONG|ULONG_LONG|DOUBLE",
}
_SPACES = re.compile(
    "right-anterior-superior|RAS|left-anterior-superior|LAS|left-posterior-superior|LPS",
    re.IGNORECASE,
)
"""The spaces of NRRD in which the axes of the patient are known."""

_DIRECTION = r"none|\([^()]*\)"
_NRRD_OF_SPACE = ("space", "space dimension", "space origin", "space units")
_NRRD_PER_AXIS = {"space directions": _DIRECTION, "spacings": r"\S+", "units": r'"[^"]*"'}
"""The fields of an NRRD header that say where the voxels lie, and what they have for an axis."""

_META_OF_SPACE = (
    "Offset", "Position", "Origin", "CenterOfRotation", "ElementSpacing", "ElementSize",
)  # fmt: skip
_META_IN_WORDS = ("AnatomicalOrientation", "DistanceUnits")

_MILLIMETRES = {"mm": 1.0, "millimeter": 1.0, "um": 1e-3, "µm": 1e-3, "cm": 10.0, "m": 1e3}
_META_LINE = re.compile(r"(?P<key>[^=]+?) ?= ?(?P<value>.*)")

_FAR_OFF = 1e12
"""No place or direction is as large, in mm. ITK's matrices overflow far above."""


class ItkHeader(NamedTuple):
    """What the header of a file says.

    Attributes
    ----------
    fields : dict of str to str
        Its fields by name.
    notes : dict of str to str
        The key-value pairs of an NRRD file, such as those that name the segments.
    place : tuple of str
        The lines that say where the voxels lie, as a file of one volume on the same grid has them.
    oriented : bool
        Whether it tells how the axes lie in the patient.
    unit : float
        Millimetres in its unit of length; 0 if it names none.
    """

    fields: dict[str, str]
    notes: dict[str, str]
    place: tuple[str, ...]
    oriented: bool
    unit: float


class _Promise(NamedTuple):
    """What a header promises about the values, and where it says they are."""

    sizes: tuple[int, ...]
    value_size: int
    data_file: str
    encoding: str

    @property
    def bytes(self) -> int:
        return math.prod(self.sizes) * self.value_size


def read_header(path: Path) -> ItkHeader:
    """Read the header of an NRRD or MetaImage file; raises UnusableError.

    It is refused if it does not fit what is there, or if its values are not in the file itself or
    in one other file of the same folder.
    """
    check_regular(path)
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES)
    if content.startswith(b"NRRD000"):
        header, promise, length = _nrrd(content)
    else:
        header, promise, length = _meta(content)
    _check_promise(path, promise, length)
    if promise.encoding == "zlib":
        _check_packed(path, promise, length)
    for word in re.findall(r"[^\s(),:=]+", " ".join(header.place)):
        if _is_far_off(word):  # with which ITK may compute for ever
            raise UnusableError(f"{word[:20]}, a number that no grid has")
    return header


def _is_far_off(word: str) -> bool:
    try:
        return abs(float(word)) >= _FAR_OFF
    except ValueError:
        return False


def _nrrd(content: bytes) -> tuple[ItkHeader, _Promise, int]:
    fields: dict[str, str] = {}
    notes: dict[str, str] = {}
    text = content.decode("latin-1")
    # An empty line ends the header; a detached one may end with the file.
    end = re.search(r"\r?\n\r?\n", text)
    lines = text[: end.start() if end else len(text)].split("\n")
    for line in (line.rstrip("\r") for line in lines[1:]):
        if not line or line.startswith("#"):
            continue
        pair, field = line.partition(":="), line.partition(": ")
        if pair[1] and (not field[1] or len(pair[0]) < len(field[0])):
            notes[pair[0].strip()] = pair[2].strip().encode("latin-1").decode("utf-8", "replace")
        elif field[1]:
            _set_once(fields, field[0].strip().lower().replace("data file", "datafile"), field[2])
        else:
            msg = f"no NRRD header: the line {line[:40]!r}"
            raise UnusableError(msg)
    axes = _whole_numbers(fields, "sizes")
    spatial = _spatial_axes(fields, len(axes))
    directions = re.findall(_DIRECTION, fields.get("space directions", ""))
    place = [f"{name}: {fields[name]}" for name in _NRRD_OF_SPACE if name in fields]
    for name, each in _NRRD_PER_AXIS.items():
        found = re.findall(each, fields.get(name, ""))
        if len(found) == len(axes):
            place.append(f"{name}: {' '.join(found[axis] for axis in spatial)}")
    units = re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", "")))
    oriented = bool(directions) and bool(_SPACES.fullmatch(fields.get("space", "").strip()))
    encoding = fields.get("encoding", "").strip().lower()
    promise = _Promise(
        axes,
        _value_size(_NRRD_TYPES, fields.get("type", "")),
        fields.get("datafile", "").strip(),
        {"gz": "gzip", "txt": "text", "ascii": "text"}.get(encoding, encoding),
    )
    if not (end or promise.data_file):
        msg = "an NRRD header without an end"
        raise UnusableError(msg)
    header = ItkHeader(fields, notes, tuple(place), oriented, _unit(units))
    return header, promise, end.end() if end else len(content)


def _spatial_axes(fields: Mapping[str, str], axes: int) -> list[int]:
    """Return the three axes of an NRRD file that are of space."""
    directions = re.findall(_DIRECTION, fields.get("space directions", ""))
    kinds = fields.get("kinds", "").split()
    if directions:
        spatial = [axis for axis, found in enumerate(directions) if found != "none"]
    elif kinds:
        spatial = [axis for axis, kind in enumerate(kinds) if kind in {"domain", "space"}]
    else:
        spatial = list(range(min(axes, 3)))
    fits = all(len(found) == axes for found in (directions, kinds) if found)
    if not fits or len(spatial) != 3 or axes not in {3, 4}:
        msg = f"{axes} axes, {len(spatial)} of them of space, instead of a volume of three axes"
        raise UnusableError(msg)
    return spatial


def _meta(content: bytes) -> tuple[ItkHeader, _Promise, int]:
    fields: dict[str, str] = {}
    place = 0
    while "ElementDataFile" not in fields:
        end = content.find(b"\n", place)
        end = len(content) if end < 0 else end
        line = content[place:end].decode("latin-1").strip()
        found = _META_LINE.fullmatch(line)
        if found is None:
            msg = f"no MetaImage header: the line {line[:40]!r}"
            raise UnusableError(msg)
        _set_once(fields, found["key"], found["value"])
        place = end + 1
    sizes = _whole_numbers(fields, "DimSize")
    if len(sizes) not in {3, 4} or fields.get("NDims", "").strip() != str(len(sizes)):
        msg = f"sizes {sizes} of {fields.get('NDims', 'no')} axes instead of a volume of three axes"
        raise UnusableError(msg)
    lines, count = [], len(sizes)
    for name in ("TransformMatrix", "Rotation", "Orientation"):
        numbers = fields.get(name, "").split()
        if len(numbers) == count**2:
            kept = [numbers[row * count + column] for row in range(3) for column in range(3)]
            lines.append(f"{name} = {' '.join(kept)}")
    oriented = bool(lines)
    of_space = {name: fields[name].split() for name in _META_OF_SPACE if name in fields}
    lines += [f"{name} = {' '.join(numbers[:3])}" for name, numbers in of_space.items()]
    lines += [f"{name} = {fields[name].strip()}" for name in _META_IN_WORDS if name in fields]
    packed, binary = (
        fields.get(key, "False").strip() == "True" for key in ("CompressedData", "BinaryData")
    )
    data_file = fields["ElementDataFile"].strip()
    channels = _whole_numbers({"n": fields.get("ElementNumberOfChannels", "1")}, "n")
    promise = _Promise(
        (*sizes, *channels),
        _value_size(_META_TYPES, fields.get("ElementType", "").strip().removeprefix("MET_")),
        "" if data_file == "LOCAL" else data_file,
        "zlib" if packed else "raw" if binary else "text",
    )
    units = [fields[key].strip() for key in ("DistanceUnits",) if key in fields]
    return ItkHeader(fields, {}, tuple(lines), oriented, _unit(units)), promise, place


def _set_once(fields: dict[str, str], name: str, value: str) -> None:
    if name in fields:
        msg = f"a header that says {name} twice"
        raise UnusableError(msg)
    fields[name] = value


def _whole_numbers(fields: Mapping[str, str], name: str) -> tuple[int, ...]:
    found = fields.get(name, "").split()
    if not found or not all(re.fullmatch("[0-9]{1,12}", number) for number in found):
        msg = f"{fields.get(name, 'nothing')} as {name}"
        raise UnusableError(msg)
    return tuple(map(int, found))


def _value_size(types: Mapping[int, str], name: str) -> int:
    for size, names in types.items():
        if name.strip() in names.split("|"):
            return size
    msg = f"values of the type {name.strip() or 'unknown'!r}"
    raise UnusableError(msg)


def _unit(names: list[str]) -> float:
    """Return the millimetres in a unit of length; 0 if none is named."""
    named = {name.strip() for name in names} - {""}
    if not named:
        return 0.0
    if len(named) > 1 or not named <= _MILLIMETRES.keys():
        msg = f"sizes in {', '.join(sorted(named))} instead of mm"
        raise UnusableError(msg)
    return _MILLIMETRES[named.pop()]


def _check_promise(path: Path, promise: _Promise, length: int) -> None:
    """Compare what a header promises with the size of the file of the values."""
    values = math.prod(promise.sizes)
    if not 0 < values <= MOST_VALUES:
        msg = f"sizes {promise.sizes}, at most {MOST_VALUES} values expected"
        raise UnusableError(msg)
    if promise.data_file:
        if Path(promise.data_file).name != promise.data_file or "\\" in promise.data_file:
            msg = f"values in {promise.data_file!r} instead of a file of the same folder"
            raise UnusableError(msg)
        place = path.with_name(promise.data_file)
        if not place.exists():
            msg = f"no file {promise.data_file!r} beside it, which should hold the values"
            raise UnusableError(msg)
        check_regular(place)
        there = place.stat().st_size
    else:
        there = path.stat().st_size - length
    promised = promise.bytes
    fits = {
        "raw": promised <= there <= promised + _MOST_BEFORE,
        "gzip": 0 < promised <= there * _MOST_PER_BYTE,
        "zlib": 0 < promised <= there * _MOST_PER_BYTE,
        "text": there >= 2 * values - 1,
    }
    if promise.encoding not in fits:
        msg = f"the encoding {promise.encoding!r} instead of raw, gzip or text"
        raise UnusableError(msg)
    if not fits[promise.encoding]:
        msg = f"{there} bytes ({promise.encoding}) for the {promised} that the header promises"
        raise UnusableError(msg)


def _check_packed(path: Path, promise: _Promise, length: int) -> None:
    """Unpack the values of a MetaImage file: ITK does not compare their checksum."""
    place = path.with_name(promise.data_file) if promise.data_file else path
    unpacking, count = zlib.decompressobj(), 0
    with place.open("rb") as file, library_reading():
        file.seek(0 if promise.data_file else length)
        while (piece := file.read(_PIECE)) and not unpacking.eof and count <= promise.bytes:
            while piece and count <= promise.bytes:
                count += len(unpacking.decompress(piece, _PIECE))
                piece = unpacking.unconsumed_tail
    if count != promise.bytes or not unpacking.eof:
        msg = f"{count} bytes instead of the {promise.bytes} that the header promises"
        raise UnusableError(msg)
