"""What happens with malicious inputs: time, memory and message of each.

    python benchmarks/hostile_inputs.py [--only WORD] [--limit GIB]

Every input is made in a temporary folder and given to a command, whose address space is limited.
Printed is a row of a Markdown table for each, with the last line that the command says. A traceback
or a control character in what it prints is an escape, and ends the script with the status 1.
"""

import argparse
import gzip
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import tifffile
from commands import PROGRAM, memory_of_group
from numpy.typing import NDArray

LONGEST = 300
"""Seconds after which a command counts as hung."""

Make = Callable[[Path], list[str]]
HYPOTHESIS = '[[hypothesis]]\nfeature = "angular_standard_deviation"\nlabel = "{}"\n'
PATIENTS = 30


# --- what commands are given


def ball(size: int) -> NDArray[np.uint8]:
    z, y, x = np.indices((size,) * 3) - size / 2
    return (z**2 + y**2 + x**2 < (size / 3) ** 2).astype(np.uint8)


def nifti(values: NDArray[np.uint8]) -> bytes:
    return nib.Nifti1Image(values, np.eye(4)).to_bytes()


def header(shape: tuple[int, ...], kind: type) -> bytes:
    made = nib.Nifti1Header()
    made.set_data_dtype(kind)
    made.set_data_shape(shape)
    made["vox_offset"], made["magic"] = 352, b"n+1"
    return made.binaryblock + bytes(4)


def one_mask(folder: Path) -> Path:
    """Write a mask that is as it should be: the harm is to be done to it as well."""
    masks = folder / "masks"
    masks.mkdir()
    (masks / "P0_mask.nii.gz").write_bytes(gzip.compress(nifti(ball(12))))
    return masks


def features_of(folder: Path) -> list[str]:
    return ["features", str(folder / "masks"), "--out", str(folder / "out.csv")]


def packed(folder: Path, parts: Iterator[bytes]) -> list[str]:
    with gzip.open(one_mask(folder) / "P1_mask.nii.gz", "wb", 1) as file:
        for part in parts:
            file.write(part)
    return features_of(folder)


def masked(folder: Path, shape: tuple[int, ...]) -> list[str]:
    noise = np.random.default_rng(0).integers(0, 2, shape, np.uint8)
    return packed(folder, iter([nifti(noise)]))


def associated(
    folder: Path, labels: Path, hypotheses: str = "", patients: int = PATIENTS
) -> list[str]:
    names = [f"P{number}" for number in range(patients)]
    table = pd.DataFrame({"case": names, "patient": names, "masks": "manual"})
    table["angular_standard_deviation"] = np.random.default_rng(0).random(patients)
    table.to_csv(folder / "features.csv", index=False)
    command = ["associate", str(folder / "features.csv"), "--labels", str(labels)]
    command += ["--out", str(folder / "out"), "--report"]
    if hypotheses:
        (folder / "family.toml").write_text(hypotheses)
        command += ["--hypotheses", str(folder / "family.toml")]
    return command


def labelled(folder: Path, values: list[str], hypotheses: str = "") -> list[str]:
    table = pd.DataFrame({"Patient": [f"P{n}" for n in range(len(values))], "label": values})
    table.to_csv(folder / "labels.csv", index=False)
    return associated(folder, folder / "labels.csv", hypotheses, len(values))


def with_level(level: str) -> Make:
    return lambda folder: labelled(folder, [level, level, "other"] * (PATIENTS // 3))


# --- the inputs


def endless_device(folder: Path) -> list[str]:
    (one_mask(folder) / "P1_mask.nii.gz").symlink_to("/dev/zero")
    return features_of(folder)


def endless_labels(folder: Path) -> list[str]:
    return associated(folder, Path("/dev/zero"))


def packed_table(folder: Path) -> list[str]:
    (folder / "masks").mkdir()
    described = {"descr": "<U256", "fortran_order": False, "shape": (2**20,)}
    with zipfile.ZipFile(folder / "masks" / "masks.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("cases", "patients", "shapes", "spacings", "affines"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as out:
                np.lib.format.write_array_header_1_0(out, described)
                for _ in range(2**10):
                    out.write(bytes(2**20))
    return features_of(folder)


def many_packed(folder: Path) -> list[str]:
    (folder / "masks").mkdir()
    count = 20_000
    names = np.array([f"P{number}" for number in range(count)])
    np.savez(
        folder / "masks" / "masks.npz", cases=names, patients=names,
        shapes=np.full((count, 3), 6), spacings=np.full((count, 3), np.nan),
        affines=np.full((count, 4, 4), np.nan),
        **{str(number): np.packbits(ball(6).astype(bool)) for number in range(count)},
    )  # fmt: skip
    return ["inspect", str(folder / "masks")]


def columns(count: int, hypotheses: str) -> Make:
    def make(folder: Path) -> list[str]:
        names = [f"c{number}" for number in range(count)]
        table = pd.DataFrame(np.indices((PATIENTS, count)).sum(axis=0) % 2, columns=names)
        table.insert(0, "Patient", [f"P{number}" for number in range(PATIENTS)])
        table.to_csv(folder / "labels.csv", index=False)
        return associated(folder, folder / "labels.csv", hypotheses)

    return make


def workbook(folder: Path) -> list[str]:
    table = pd.DataFrame({"Patient": [f"P{n}" for n in range(PATIENTS)], "label": 1})
    plain, bomb = BytesIO(), folder / "labels.xlsx"
    table.to_excel(plain, index=False)
    row = b'<row r="%d"><c t="inlineStr"><is><t>x</t></is></c></row>'
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            head, end, tail = old.read(name).partition(b"</sheetData>")
            with new.open(name, "w", force_zip64=True) as out:
                out.write(head)
                for number in range(40, 3_000_000 if end else 0):
                    out.write(row % number)
                out.write(end + tail)
    return associated(folder, bomb)


def huge_cell(folder: Path) -> list[str]:
    with (folder / "labels.csv").open("w") as out:
        out.write("Patient,label\nP0,")
        for _ in range(500):
            out.write("x" * 10**6)
    return associated(folder, folder / "labels.csv")


def huge_tiff(folder: Path) -> list[str]:
    path = one_mask(folder) / "P1_mask.tif"
    tifffile.imwrite(path, np.zeros((4, 64, 64), np.uint8))
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        for name in ("ImageWidth", "ImageLength"):
            place = file.pages[0].tags[name].valueoffset
            content[place : place + 4] = (100_000).to_bytes(4, "little")
    path.write_bytes(content)
    return features_of(folder)


def nested_sidecar(folder: Path) -> list[str]:
    (folder / "case").mkdir()
    (folder / "case" / "series7.nii.gz").write_bytes(gzip.compress(nifti(ball(12))))
    (folder / "case" / "series7.json").write_text("[" * 200_000 + "]" * 200_000)
    return ["inspect", str(folder)]


def named(name: bytes) -> Make:
    def make(folder: Path) -> list[str]:
        path = one_mask(folder) / os.fsdecode(name)
        if not name.endswith(b".nii.gz"):
            path.mkdir()
            path /= "mask.nii.gz"
        path.write_bytes(gzip.compress(nifti(ball(12))))
        return features_of(folder)

    return make


def in_folder_of_no_unicode(folder: Path) -> list[str]:
    one_mask(folder)
    (folder / "masks").rename(folder / os.fsdecode(b"m\xff"))
    (folder / os.fsdecode(b"m\xff/P1_mask.nii.gz")).write_bytes(b"damaged")
    return ["features", str(folder / os.fsdecode(b"m\xff")), "--out", str(folder / "out.csv")]


def circle(folder: Path) -> list[str]:
    masks = one_mask(folder)
    (masks / "a").symlink_to(masks / "b")
    (masks / "b").symlink_to(masks / "a")
    return features_of(folder)


def zeros(count: int) -> Iterator[bytes]:
    return (bytes(2**20) for _ in range(count))


INPUTS: dict[str, Make] = {
    "3 GiB of zeros after a volume of 10 x 10 x 10": lambda folder: packed(
        folder, iter([nifti(ball(10)), *zeros(3 * 2**10)])
    ),
    "a header of 1600 x 1600 x 1600": lambda folder: packed(
        folder, iter([header((1600,) * 3, np.uint8), bytes(2**24)])
    ),
    "8 GB: 1000 x 1000 x 1000 numbers of 64 bits, all zero": lambda folder: packed(
        folder, iter([header((1000,) * 3, np.float64), *zeros(7630)])
    ),
    "2 GiB: 1024 x 512 x 512 numbers of 64 bits, all zero": lambda folder: packed(
        folder, iter([header((512, 512, 1024), np.float64), *zeros(2**11)])
    ),
    "a mask that is a link to an endless device": endless_device,
    "labels from an endless device": endless_labels,
    "packed masks whose tables unpack to 5 GiB": packed_table,
    "20,000 packed masks": many_packed,
    "noise, half of 240 x 240 x 155": lambda folder: masked(folder, (240, 240, 155)),
    "noise, half of 512 x 512 x 400": lambda folder: masked(folder, (512, 512, 400)),
    "a TIFF file that promises 100,000 x 100,000 pixels": huge_tiff,
    "100,000 columns": columns(100_000, HYPOTHESIS.format("c5")),
    "4,000 columns": columns(4_000, HYPOTHESIS.format("c5")),
    "20,000 hypotheses": columns(
        4_000, "".join(HYPOTHESIS.format(f"c{number}") for number in range(20_000))
    ),
    "33,334 levels": lambda folder: labelled(folder, [f"l{n // 3}" for n in range(100_000)]),
    "a dotted key of 100 KB in TOML": lambda folder: labelled(
        folder, ["a", "b"] * 15, ".".join(["a"] * 50_000) + " = 1"
    ),
    "100,000 brackets in TOML": lambda folder: labelled(
        folder, ["a", "b"] * 15, "a = " + "[\n" * 100_000 + "]" * 9_000
    ),
    "200,000 brackets in the JSON file beside a volume": nested_sidecar,
    "a workbook that unpacks to 170 MB": workbook,
    "a cell of 500 MB": huge_cell,
    "Fisher's test of 900 patients, 4 x 3": lambda folder: labelled(
        folder, np.random.default_rng(0).choice(list("abc"), 900).tolist()
    ),
    "the level ²": with_level("²"),
    "a level of 5,000 digits": with_level("7" * 5000),
    r"the level $\undefined$": with_level(r"$\undefined$"),
    "the level cost $5 and $6": with_level("cost $5 and $6"),
    "a level with escape codes": with_level("a\x1b[31mred\x07"),
    "the level =cmd()": with_level("=cmd()"),
    "the level <script>": with_level("<script>alert(1)</script>"),
    "a file name that is not UTF-8": named(b"P\xff_mask.nii.gz"),
    "a folder whose name is not UTF-8, and a damaged file in it": in_folder_of_no_unicode,
    "a file name with escape codes and a newline": named(b"P\x1b[2J\nX_mask.nii.gz"),
    "a file name that begins with =": named(b"=cmd()_mask.nii.gz"),
    "a case folder of 245 letters": named(b"L" * 245),
    "links in a circle": circle,
}


# --- running


def run(make: Make, limit: int) -> tuple[int, float, int, str]:
    """Run a command; return its status, seconds, largest memory in bytes, and what it printed."""
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryFile() as log:
        command = ["prlimit", f"--as={limit * 2**30}", str(PROGRAM), *make(Path(place))]
        start, peak = time.perf_counter(), 0
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        stop = threading.Timer(LONGEST, lambda: os.killpg(process.pid, 9))
        stop.start()
        while process.poll() is None:
            peak = max(peak, memory_of_group(process.pid))
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        stop.cancel()
        log.seek(0)
        said = log.read().decode("utf-8", "replace").replace(place, "")
    return process.returncode, seconds, peak, said


def escaped(status: int, said: str) -> bool:
    """Return whether an input had an effect that none may have."""
    controls = re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said.replace("\r\n", "\n"))
    return status not in {0, 1, 2} or "Traceback" in said or controls is not None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a word of the inputs to run")
    parser.add_argument("--limit", type=int, default=8, help="address space of a process, in GiB")
    options = parser.parse_args()
    print("| input | status | seconds | memory, MiB | message |")
    print("| --- | --- | --- | --- | --- |")
    escapes = []
    for name, make in INPUTS.items():
        if options.only not in name:
            continue
        status, seconds, peak, said = run(make, options.limit)
        last = (said.strip().splitlines() or ["nothing"])[-1].strip().replace("|", r"\|")
        print(
            f"| {name} | {status} | {seconds:.0f} | {peak / 2**20:.0f} | {last[:160]} |", flush=True
        )
        if escaped(status, said):
            escapes.append(name)
    if escapes:
        sys.exit(f"Escaped: {'; '.join(escapes)}.")


if __name__ == "__main__":
    main()
