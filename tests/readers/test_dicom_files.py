"""The silence of pydicom and highdicom: complete, ended when it should be, and cheap."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.dicom_files import phantom
from lggshape.phantoms import write_dicom
from lggshape.readers import open_cases
from lggshape.readers.dicom_files import quietly

LOGGER = logging.getLogger("pydicom")


def settings() -> tuple[int, bool]:
    return LOGGER.level, LOGGER.propagate


def test_silence_ends_with_the_last_that_asks_for_it_invariant(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = settings()
    first, second = quietly(), quietly()
    first.__enter__()
    with ThreadPoolExecutor(1) as other:
        other.submit(second.__enter__).result()
        first.__exit__(None, None, None)
        LOGGER.error("a name")
        assert (settings() == before, caplog.text) == (False, "")
        other.submit(second.__exit__, None, None, None).result()
    assert settings() == before
    LOGGER.error("no name")
    assert "no name" in caplog.text


def test_levels_are_set_a_few_times_a_file_invariant(tmp_path, monkeypatch) -> None:
    """And not for each of the hundred elements that are read of it: each time, all loggers pay."""
    changes = []
    monkeypatch.setattr(LOGGER, "setLevel", changes.append)
    write_dicom(phantom(), tmp_path)
    files = len(list(tmp_path.rglob("*.dcm")))
    (source,) = open_cases(tmp_path)
    source.read()
    assert files > 10
    assert len(changes) < 8 * files
