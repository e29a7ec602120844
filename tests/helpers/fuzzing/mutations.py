"""What is done to valid files: bytes, fields of headers, cells, and the files of a folder."""

import gzip
import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Files = dict[str, bytes]
"""The files of a folder: contents by path."""

Rng = np.random.Generator

NUMBERS = (
    "0", "-1", "1", "255", "256", "65535", "2147483647", "2147483648", "4294967295", "1e38",
    "-1e308", "1e-320", "1e999", "nan", "inf", "-inf", "0x10", "1_000", "1,5", "9" * 400, "",
    "-0", "0.1", "½",
)  # fmt: skip

TEXTS = (
    "=cmd()", "\0", "\x1b[31m", "\n", "\r", "\t", ",", ";", '"', "'", "../../x", "/", "\\", "NA",
    "ä", "\ufeff", "\u202e", "²", "{role}", "%s", "$x$", "<b>", "x" * 300, "[" * 200, "a.b.c",
    "None", "",
)  # fmt: skip

_WHOLE = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, -1)
_FRACTIONS = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), float("-inf"))

_NAMES = (
    "..", "a\nb", "=x", "CON", "x" * 250, "é", "\udcff", "run.json", "features.csv", ".hidden",
    "{case}", "t1", "mask", "flair_mask", "segmentation.csv", "dataset.json", " ",
)  # fmt: skip

_NAMED_BY_USERS = (".csv", ".tsv", ".xlsx", ".parquet", ".toml")


def _pick(rng: Rng, choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _place(rng: Rng, content: bytes) -> int:
    """Return a place in a file: half of them in its first 400 bytes, where headers are."""
    most = len(content) if rng.random() < 0.5 else min(len(content), 400)
    return int(rng.integers(most + 1))


# --- bytes


def flip(rng: Rng, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9)) if content else 0):
        changed[min(_place(rng, content), len(content) - 1)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def cut(rng: Rng, content: bytes) -> bytes:
    return content[: _place(rng, content)]


def double(rng: Rng, content: bytes) -> bytes:
    start, end = sorted((_place(rng, content), _place(rng, content)))
    return content[:end] + content[start:end] + content[end:]


def swap(rng: Rng, content: bytes) -> bytes:
    a, b, c = sorted(_place(rng, content) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def leave_out(rng: Rng, content: bytes) -> bytes:
    start, end = sorted((_place(rng, content), _place(rng, content)))
    return content[:start] + content[end:]


def blank(rng: Rng, content: bytes) -> bytes:
    start, end = sorted((_place(rng, content), _place(rng, content)))
    return content[:start] + bytes([_pick(rng, (0, 255, 32))]) * (end - start) + content[end:]


def append(rng: Rng, content: bytes) -> bytes:
    return content + rng.bytes(int(rng.integers(1, 5000)))


def number_in_bytes(rng: Rng, content: bytes) -> bytes:
    """Put a number at a place where a header may have one."""
    order = _pick(rng, "<>")
    if rng.random() < 0.7:
        size, kind = _pick(rng, ((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
        value: Any = _pick(rng, _WHOLE) % (1 << 8 * size)
    else:
        size, kind = _pick(rng, ((4, "f"), (8, "d")))
        value = _pick(rng, _FRACTIONS)
    place = _place(rng, content) // 2 * 2
    return content[:place] + struct.pack(order + kind, value) + content[place + size :]


BYTES = (flip, cut, double, swap, leave_out, blank, append, number_in_bytes)
"""What can be done to any file."""


# --- text


def token(rng: Rng, content: bytes) -> bytes:
    """Put something else in place of a number or a word."""
    found = list(re.finditer(rb"-?\d[\d.]*|[A-Za-z_]+", content))
    if not found:
        return content
    one = _pick(rng, found)
    new = _pick(rng, NUMBERS if one[0][-1:].isdigit() else (*TEXTS, *NUMBERS))
    return content[: one.start()] + new.encode() + content[one.end() :]


def line(rng: Rng, content: bytes) -> bytes:
    """Take a line away, or put one in another place, or twice."""
    lines = content.split(b"\n")
    one = lines.pop(int(rng.integers(len(lines))))
    for _ in range(int(rng.integers(3))):
        lines.insert(int(rng.integers(len(lines) + 1)), one)
    return b"\n".join(lines)


def recode(rng: Rng, content: bytes) -> bytes:
    """Write a text in another encoding."""
    text = content.decode("utf-8", "replace") + _pick(rng, ("", "é", "中"))
    return text.encode(_pick(rng, ("utf-16", "utf-8-sig", "cp1252", "utf-32")), "replace")


TEXT = (token, token, token, line, recode)


# --- formats


def json_value(rng: Rng, content: bytes) -> bytes:
    """Put something else in place of a value, whatever its depth."""
    try:
        values = json.loads(content)
    except ValueError:
        return content
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)):
            places.append((value, key))
            if isinstance(value[key], dict | list):
                walk(value[key])

    walk(values)
    holder, key = _pick(rng, places)
    others = (None, True, -1, 0, 1.5, 2**70, 1e308, "", "x", [], {}, [[]], {"a": 1}, *TEXTS)
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = _pick(rng, others)
    return json.dumps(values).encode()


def tiff_entry(rng: Rng, content: bytes) -> bytes:
    """Change an entry of the first directory of a TIFF file."""
    start = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[start : start + 2], "little")
    entry = start + 2 + 12 * int(rng.integers(max(count, 1)))
    place, size = _pick(rng, ((entry, 2), (entry + 2, 2), (entry + 4, 4), (entry + 8, 4)))
    value = _pick(rng, _WHOLE) % (1 << 8 * size)
    return content[:place] + value.to_bytes(size, "little") + content[place + size :]


def dicom_element(rng: Rng, content: bytes) -> bytes:
    """Change, take away or add an element of a DICOM file."""
    import pydicom
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    dataset = pydicom.dcmread(io.BytesIO(content))
    holders = [dataset, *(item for one in dataset if one.VR == "SQ" for item in one.value)]
    holder = _pick(rng, [one for one in holders if len(one)])
    tag = _pick(rng, list(holder.keys()))
    raw = holder.get_item(tag)
    if rng.random() < 0.25 or not isinstance(raw, RawDataElement):
        del holder[tag]
    else:
        value = _pick(rng, (*NUMBERS, *TEXTS)).encode()
        if raw.value and rng.random() < 0.5:
            value = _pick(rng, BYTES)(rng, raw.value)
        value = value[:60_000] + b" " * (len(value[:60_000]) % 2)
        holder._dict[Tag(tag)] = raw._replace(value=value, length=len(value))
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def packed(rng: Rng, content: bytes) -> bytes:
    """Change what is packed in a file, and pack it again."""
    if content[:2] == b"\x1f\x8b":
        return gzip.compress(_pick(rng, BYTES)(rng, gzip.decompress(content)), 1)
    head, _, body = content.partition(b"\n\n")
    if content[:4] == b"NRRD" and body[:2] != b"\x1f\x8b":
        return token(rng, head) + b"\n\n" + body
    if content[:4] == b"NRRD":
        return head + b"\n\n" + gzip.compress(_pick(rng, BYTES)(rng, gzip.decompress(body)), 1)
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = _pick(rng, list(parts))
    if rng.random() < 0.1:
        del parts[name]
    else:
        parts[name] = _pick(rng, (*BYTES, *TEXT))(rng, parts[name])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for part, value in parts.items():
            new.writestr(part, value)
    return out.getvalue()


def changes_for(name: str, content: bytes) -> tuple[Callable[[Rng, bytes], bytes], ...]:
    """Return what can be done to a file: half of it to any file, the other half to its format."""
    if content[:4] in {b"PK\3\4", b"NRRD"} or content[:2] == b"\x1f\x8b":
        own: tuple[Any, ...] = (packed, token) if content[:4] == b"NRRD" else (packed,)
    elif content[:4] == b"II*\0":
        own = (tiff_entry,)
    elif content[128:132] == b"DICM":
        own = (dicom_element,)
    elif name.endswith(".json"):
        own = (json_value, json_value, *TEXT)
    elif name.endswith((".csv", ".tsv", ".toml", ".jsonl", ".mhd")):
        own = TEXT
    else:
        own = (number_in_bytes,)
    return BYTES + tuple(own) * max(1, len(BYTES) // len(own))


# --- the files of a folder


def change_folder(rng: Rng, folder: Path, files: Files) -> None:
    """Rename, take away, exchange or replace a file that was written."""
    name = _pick(rng, list(files))
    path, other = folder / name, folder / _pick(rng, list(files))
    kind = int(rng.integers(7))
    if kind == 0:
        path.unlink()
    elif kind == 1:
        path.write_bytes(b"")
    elif kind == 2:
        ending = "".join(path.suffixes[-2:])
        path.rename(path.with_name(_pick(rng, _NAMES)[: 255 - len(ending)] + ending))
    elif kind == 3:
        path.unlink()
        path.mkdir()
    elif kind == 4:
        path.unlink()
        path.symlink_to(_pick(rng, (path, folder, folder / "nowhere", "/dev/zero", "/dev/full")))
    elif kind == 5:
        path.write_bytes(other.read_bytes())
    else:
        path.unlink()
        if not name.endswith(_NAMED_BY_USERS):  # who may mean the pipe, and is waited for
            os.mkfifo(path)


def broken(rng: Rng, name: str, content: bytes) -> bytes:
    """Return a file to which one to three things were done, the first perhaps to its format."""
    content = _pick(rng, changes_for(name, content))(rng, content)
    for _ in range(int(rng.choice([0, 0, 0, 1, 2]))):
        content = _pick(rng, BYTES)(rng, content)
    return content
