from pathlib import Path

import numpy as np
import pandas as pd

from lggshape.readers import CaseSource, open_cases
from lggshape.studies.buda2019.analyses.outlines import SHOWN, outline_table


def test_a_square_has_the_known_outline_analytic(replicated, tmp_path: Path) -> None:
    # Pixels 3 to 6 by 2 to 9, so the level 0.5 runs half a pixel outside their centres.
    source = replicated.manual_sources[0]
    mask = np.zeros_like(source.read(image=False).mask)
    mask[1, 3:7, 2:10] = True
    mask[2, 3, 2] = True
    own = mask.copy()
    own[1, 20, 20] = True
    automatic_source = _written(source, tmp_path / "automatic", own)
    manual_source = _written(source, tmp_path / "manual", mask)
    found = outline_table([automatic_source], [manual_source], pd.Series({source.id: 0.9}))
    assert set(found["patient"]) == {source.patient}
    assert set(found["slice"]) == {1}
    assert set(found["dice"]) == {0.9}
    automatic, manual = (found[found["masks"] == kind] for kind in ("automatic", "manual"))
    assert (set(automatic["part"]), set(manual["part"])) == ({1, 2}, {1})
    assert manual[["row", "column"]].agg(["min", "max"]).to_numpy().tolist() == [
        [2.5, 1.5],
        [6.5, 9.5],
    ]
    first, last = manual[["row", "column"]].to_numpy()[[0, -1]]
    np.testing.assert_array_equal(first, last)


def test_patients_are_from_the_worst_to_the_best(replicated) -> None:
    names = [source.id for source in replicated.manual_sources]
    dice = pd.Series(np.linspace(0.2, 0.9, len(names)), index=names)[::-1]
    dice.iloc[-1] = np.nan
    found = outline_table(replicated.automatic_sources, replicated.manual_sources, dice)
    shown = found.drop_duplicates("patient")["dice"].tolist()
    assert len(shown) == SHOWN
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (dice.iloc[-2], 0.9)


def test_nobody_to_show(replicated) -> None:
    none = pd.Series({replicated.manual_sources[0].id: np.nan})
    assert outline_table([], replicated.manual_sources, none).empty


def _written(source: CaseSource, folder: Path, mask: np.ndarray) -> CaseSource:
    source.write(folder, {"mask": mask})
    (found,) = open_cases(folder, masks_only=True)
    return found
