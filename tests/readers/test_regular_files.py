"""What is no file is refused before it is opened: reading a pipe or a device never ends."""

import os
import socket

import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "elsewhere" / "pipe"
    path.parent.mkdir()
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("name", ["A_flair.nii.gz", "A_flair.nii"])
@pytest.mark.parametrize("linked", [False, True])
def test_a_volume_behind_a_pipe_is_refused(tmp_path, pipe, name, linked):
    path = tmp_path / name
    path.symlink_to(pipe) if linked else os.mkfifo(path)
    (source,) = open_cases(path)
    with pytest.raises(CaseError, match=f"found: a named pipe instead of a file: .*{name}"):
        source.read()


def test_links_to_pipes_in_a_folder_are_refused_in_every_layout(tmp_path, pipe):
    volumes, slices, packed = (tmp_path / name for name in ("volumes", "slices", "packed"))
    for path in (volumes / "A_flair.nii.gz", slices / "A" / "A_1.tif", packed / "masks.npz"):
        path.parent.mkdir(parents=True)
        path.symlink_to(pipe)
    for folder in (volumes, slices):
        (source,) = open_cases(folder)
        with pytest.raises(CaseError, match="found: a named pipe instead of a file"):
            source.read()
    with pytest.raises(InputError, match="found: a named pipe instead of a file"):
        open_cases(packed, masks_only=True)


def test_devices_and_sockets_are_refused(tmp_path, monkeypatch):
    (tmp_path / "A_flair.nii").symlink_to("/dev/zero")
    (source,) = open_cases(tmp_path)
    with pytest.raises(CaseError, match="found: a device instead of a file"):
        source.read()
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("B_flair.nii")
        (tmp_path / "A_flair.nii").unlink()
        (tmp_path / "C_flair.nii").symlink_to(tmp_path / "B_flair.nii")
        with pytest.raises(CaseError, match="found: a socket instead of a file"):
            open_cases(tmp_path)[0].read()


def test_a_link_to_a_file_is_read(tmp_path, save_nifti, read_only):
    path = save_nifti(tmp_path / "elsewhere" / "A_flair.nii.gz")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "A_flair.nii.gz").symlink_to(path)
    assert read_only(tmp_path / "cases").image is not None


def test_inspecting_slices_does_not_wait_for_a_pipe(tmp_path, pipe):
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "A_1.tif").symlink_to(pipe)
    (said,) = open_cases(tmp_path)[0].described()
    assert "no readable TIFF file" in said.reason
