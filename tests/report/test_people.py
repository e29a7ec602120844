import re

import numpy as np
import pandas as pd
import pytest

from helpers.svg_paths import rings
from lggshape.case import Case
from lggshape.labels import read_labels
from lggshape.report.blocks import PatientPanels
from lggshape.report.patient_picture import draw_portrait
from lggshape.report.people import People
from lggshape.shape.portrait import Portrait, portray

NAMES = ["p1", "p 1", "p-1", "</style>", "p10"]
FEATURES = pd.DataFrame(
    {
        "case": NAMES, "patient": NAMES, "masks": "manual", "reason": "",
        "volume": [5.0, 4.0, 3.0, 2.0, np.nan], "components": [1, 1, 1, 3, 1],
    }
)  # fmt: skip
LABELS = read_labels(pd.DataFrame({"patient": NAMES[:4], "idh": ["mutant", "wild type"] * 2}))


def portrait(dice: float) -> Portrait:
    mask = np.zeros((3, 12, 12), dtype=bool)
    mask[1, 3:9, 2:7] = True
    found = portray({"manual": Case("a", "a", mask=mask)})
    assert found is not None
    return found._replace(dice=dice)


def patients(people: People) -> PatientPanels:
    block = people.section().blocks[-1]
    assert isinstance(block, PatientPanels)
    return block


def test_anchors_differ_and_need_no_escaping_invariant() -> None:
    anchors = People(FEATURES, LABELS, ["volume"]).anchors
    assert len(set(anchors.values())) == len(NAMES)
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", anchor) for anchor in anchors.values())
    assert anchors["p1"] == "patient-p1"


def test_the_most_doubtful_come_first_with_the_reasons_analytic() -> None:
    drawn = {name: portrait(dice) for name, dice in (("p1", 0.9), ("p-1", 0.5))}
    checks = {"p10": {"expected_dice": "0.6", "check": "look", "check_reason": "a faint tumour"}}
    block = patients(People(FEATURES, LABELS, ["volume"], drawn, checks))
    assert [panel.name for panel in block.panels] == ["p10", "p-1", "p1", "</style>", "p 1"]
    assert [panel.doubt for panel in block.panels] == [
        "a faint tumour", "Dice 0.50 between two masks", "", "3 components", "",
    ]  # fmt: skip
    assert (block.is_drawn, block.is_checked, block.is_compared) == (True, True, True)


def test_a_known_dice_decides_the_order_analytic() -> None:
    scores = FEATURES.assign(Dice=[0.9, 0.4, 0.7, np.nan, 0.95])
    checks = {"p10": {"expected_dice": "0.6", "check": "look", "check_reason": "a faint tumour"}}
    people = People(scores, LABELS, ["Dice"], checks=checks, dice=["Dice"], key="case")
    block = patients(people)
    assert [panel.name for panel in block.panels] == ["p 1", "p-1", "p1", "p10", "</style>"]
    assert [panel.doubt for panel in block.panels][:2] == ["Dice 0.40", "Dice 0.70"]
    assert block.key == "case"
    assert "The lowest Dice come first." in str(people.section().blocks[0])


def test_of_many_patients_the_most_doubtful_are_shown_analytic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lggshape.report.people.MOST_PANELS", 2)
    people = People(FEATURES, LABELS, ["volume"])
    # Three components first, then the smallest volume.
    assert [panel.name for panel in patients(people).panels] == ["</style>", "p10"]
    assert set(people.targets) == {"</style>", "p10"}
    assert set(people.titles("volume", "manual")) == {f"#{one}" for one in people.anchors.values()}
    assert "the first 2 of 5" in str(people.section().blocks[0])
    places = {panel.name: panel.values[0].place for panel in patients(people).panels}
    assert places["</style>"] == "1 of 4"  # of all patients


def test_values_have_their_place_in_the_cohort_analytic() -> None:
    block = patients(People(FEATURES, LABELS, ["volume"]))
    places = {panel.name: panel.values[0] for panel in block.panels}
    assert places["p1"][2:] == ("5", "4 of 4", "100")
    assert places["</style>"][2:] == ("2", "1 of 4", "0")
    assert places["p10"][2:] == ("—", "—", "")
    assert block.features == [
        ("volume", "volume", "manual"),
        ("components", "components", "manual"),
    ]
    assert (block.is_drawn, block.is_checked, block.is_compared) == (False, False, False)


def test_a_point_tells_patient_value_and_level() -> None:
    titles = People(FEATURES, LABELS, ["volume"]).titles("volume", "manual", "idh")
    assert titles["#patient-p1"] == "p1: volume 5, idh mutant"
    assert titles["#patient-p10"] == "p10: volume —, idh not known"
    # Also of a feature that no panel shows, as in a sensitivity analysis.
    table = FEATURES.assign(solidity=[0.5, 0.6, 0.7, 0.8, 0.9])
    titles = People(table, LABELS, ["volume"]).titles("solidity", "manual")
    assert titles["#patient-p1"].endswith("0.5")


@pytest.mark.parametrize("images", [False, True])
def test_a_page_with_images_says_so(images: bool) -> None:
    shown = portrait(0.9)
    if images:
        shown = shown._replace(image=np.zeros((4, 4), dtype=np.uint8))
    text = str(People(FEATURES, LABELS, ["volume"], {"p1": shown}).section().blocks[0])
    assert ("no pixels of images" in text) is not images
    assert ("licence" in text) is images


def test_paths_lead_through_the_points_of_the_outline_analytic() -> None:
    shown = portrait(0.9)
    picture = draw_portrait(shown)
    ((kind, path),) = picture.outlines
    assert kind == "manual"
    np.testing.assert_allclose(rings(path)[0], shown.outlines["manual"][0], atol=0.051)
    assert picture.slice == 2
    assert picture.construction is not None
    assert len(picture.construction.bars) == 10
    assert len(picture.construction.sides) == 3
