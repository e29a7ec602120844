import numpy as np
import pytest

from lggshape.evaluation import evaluate
from lggshape.evaluation.drawing import draw
from lggshape.figures import write_figures


@pytest.fixture
def found(tmp_path, write_case):
    mask = np.zeros((3, 12, 12), dtype=bool)
    mask[:2, 3:9, 3:9] = True
    for index in range(3):
        name = f"TCGA_A{index % 2}_000{index}_20000101"
        write_case(tmp_path / "predicted", name, np.roll(mask, 2 * index, axis=1))
        write_case(tmp_path / "reference", name, mask)
    return evaluate(tmp_path / "predicted", tmp_path / "reference", jobs=1)


def test_the_figures_show_the_tables(found):
    figures = dict(draw(found))
    assert list(figures) == ["dice", "dice_by_group", "detection", "volumes_voxels"]
    texts = [text.get_text() for text in figures["dice"].axes[0].texts]
    assert "TCGA_A0_0002  0.33" in texts
    names = [text.get_text() for text in figures["dice_by_group"].axes[0].get_yticklabels()]
    assert names == ["site: A0 (n = 2)", "A1 (n = 1)"]
    assert figures["detection"].axes[0].get_title().startswith("AUC 1.000 (")


def test_only_what_there_are_data_for(tmp_path, write_case):
    full = np.ones((1, 4, 4), dtype=bool)
    for name in ("predicted", "reference"):
        write_case(tmp_path / name, "a", full)
    found = evaluate(tmp_path / "predicted", tmp_path / "reference", jobs=1)
    assert [name for name, _ in draw(found)] == ["dice", "volumes_voxels"]


def test_nothing_was_compared(tmp_path, write_case):
    write_case(tmp_path / "predicted", "a", np.ones((1, 4, 4), dtype=bool))
    write_case(tmp_path / "reference", "a", np.ones((2, 4, 4), dtype=bool))
    found = evaluate(tmp_path / "predicted", tmp_path / "reference", jobs=1)
    assert not list(draw(found))


def test_files(found, tmp_path):
    write_figures(dict(draw(found)), tmp_path / "figures")
    written = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert written[:4] == ["detection.png", "detection.svg", "dice.png", "dice.svg"]
    assert len(written) == 8
