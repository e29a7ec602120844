"""Compare the record of a run with the inputs, the results and the versions as they are now."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from lggshape.errors import InputError
from lggshape.files import StrPath, file_hash
from lggshape.provenance import input_hash, package_versions
from lggshape.results import RECORD, read_record, record_beside

CRATE = "ro-crate-metadata.json"


class Checked(NamedTuple):
    """A file or a version that a record names.

    Attributes
    ----------
    kind : {"input", "output", "version"}
        What it is.
    name : str
        The path of the file or the name of the package.
    found : str
        "as recorded", or what is different.
    """

    kind: str
    name: str
    found: str

    @property
    def is_same(self) -> bool:
        """Whether it is as recorded."""
        return self.found == "as recorded"


def check_run(place: StrPath) -> list[Checked]:
    """Compare the record of a run with the files and the versions as they are now.

    Parameters
    ----------
    place : str or Path
        The folder of the results, or the table that has its record beside it.

    Returns
    -------
    list of Checked
        The inputs, the outputs and the versions. Relative paths of inputs are taken from the
        working folder, as when the command ran.

    Raises
    ------
    InputError
        If there is no record of a finished run.
    """
    folder, record = _read(Path(place))
    checked = []
    for one in record["inputs"]:
        now = input_hash(one["path"], one.get("hashes", ()))
        found = "as recorded" if now == one["sha256"] else "changed" if now else "missing"
        if not one["sha256"]:
            found = "not recorded, because it could not be read"
        checked.append(Checked("input", one["path"], found))
    for one in record["outputs"]:
        path = folder / one["path"]
        found = "as recorded" if path.is_file() else "missing"
        if path.is_file() and file_hash(path) != one["sha256"]:
            found = "changed"
        checked.append(Checked("output", one["path"], found))
    here = package_versions()
    for name, number in record["versions"].items():
        now = here.get(name, "")
        found = "as recorded" if now == number else f"now {now}" if now else "not installed"
        checked.append(Checked("version", f"{name} {number}", found))
    return checked


def run_crate(place: StrPath) -> dict[str, Any]:
    """Describe a run as the metadata of an RO-Crate.

    Parameters
    ----------
    place : str or Path
        As for `check_run`.

    Returns
    -------
    dict
        JSON-LD by RO-Crate 1.1 and its profile for runs of processes (`CreateAction` with the
        command as the instrument, inputs as objects and outputs as results), for the file
        `ro-crate-metadata.json` beside the results.

    Raises
    ------
    InputError
        If there is no record of a finished run.

    References
    ----------
    Leo S, Crusoe MR, Rodríguez-Navas L, et al. Recording provenance of workflow runs with RO-Crate.
    PLoS ONE 2024; 19(9): e0309210.
    """
    _, record = _read(Path(place))
    tool = f"lggshape {record['command']}"
    outputs = [
        {"@id": one["path"], "@type": "File", "sha256": one["sha256"]} for one in record["outputs"]
    ]
    inputs = [
        {"@id": f"#input-{number}", "@type": "CreativeWork", "name": Path(one["path"]).name,
         "sha256": one["sha256"]}
        for number, one in enumerate(record["inputs"])
    ]  # fmt: skip
    options = [
        {"@id": f"#option-{name}", "@type": "PropertyValue", "name": name,
         "value": value if isinstance(value, str) else json.dumps(value)}
        for name, value in record["options"].items()
    ]  # fmt: skip
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [
            {
                "@id": CRATE,
                "@type": "CreativeWork",
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
                "about": {"@id": "./"},
            },
            {
                "@id": "./",
                "@type": "Dataset",
                "name": f"Results of {tool}",
                "description": f"Results of the command {tool}, and what they were made from.",
                "datePublished": record["started"],
                "license": "not stated",
                "conformsTo": {"@id": "https://w3id.org/ro/wfrun/process/0.5"},
                "hasPart": [{"@id": one["@id"]} for one in outputs],
                "mentions": {"@id": "#run"},
            },
            {"@id": "https://w3id.org/ro/wfrun/process/0.5", "@type": "CreativeWork",
             "name": "Process Run Crate", "version": "0.5"},
            {"@id": "#lggshape", "@type": "SoftwareApplication", "name": "lggshape",
             "version": record["versions"]["lggshape"]},
            {
                "@id": "#run",
                "@type": "CreateAction",
                "name": tool,
                "startTime": record["started"],
                "instrument": {"@id": "#lggshape"},
                "object": [{"@id": one["@id"]} for one in (*inputs, *options)],
                "result": [{"@id": one["@id"]} for one in outputs],
            },
            *inputs, *options, *outputs,
        ],
    }  # fmt: skip


def _read(place: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the results, and their record."""
    path = place / RECORD if place.is_dir() else place.with_name(record_beside(place))
    if not path.exists():
        msg = (
            f"Expected {place} to be the results of a run, found no record of one: {path}. Give "
            "the folder or the table that a command wrote."
        )
        raise InputError(msg)
    return path.parent, read_record(path)
