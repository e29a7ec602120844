"""Which features, labels and rows of a study's tables a section is about."""

from collections.abc import Callable, Iterable

import pandas as pd

from lggshape.association import Study, Test
from lggshape.names import or_list
from lggshape.report import wording
from lggshape.report.blocks import Block, Heading


def tested_features(study: Study) -> list[str]:
    """Return the features of the hypotheses, each once."""
    return list(dict.fromkeys(h.feature for h in study.family.hypotheses))


def tested_labels(study: Study) -> list[str]:
    """Return the labels of the hypotheses, each once."""
    return list(dict.fromkeys(h.label for h in study.family.hypotheses))


def labels_with_groups(study: Study) -> list[str]:
    """Return the labels of the hypotheses that divide the patients into groups."""
    return [name for name in tested_labels(study) if study.labels[name].levels]


def of_masks(table: pd.DataFrame, masks: str) -> pd.DataFrame:
    """Return the rows of a table that are about one kind of mask."""
    return table[table["masks"] == masks]


def of_pair(table: pd.DataFrame, masks: str, feature: str, label: str) -> pd.DataFrame:
    """Return the rows of a table that are about one feature and label on one kind of mask."""
    chosen = (table["masks"] == masks) & (table["feature"] == feature) & (table["label"] == label)
    return table[chosen]


def for_each_kind(study: Study, make: Callable[[str], Iterable[Block]]) -> list[Block]:
    """Return the blocks of all kinds of mask, under a heading each if there are several."""
    blocks: list[Block] = []
    for masks in study.masks:
        if len(study.masks) > 1:
            blocks.append(Heading(wording.heading(masks)))
        blocks += make(masks)
    return blocks


def decided_by(study: Study, test: Test) -> set[tuple[str, str]]:
    """Return the features and labels of the hypotheses that a test decided about."""
    hypotheses = study.family.hypotheses
    return {(one.feature, one.label) for one in hypotheses if study.test_of(one) is test}


def of_pairs(table: pd.DataFrame, pairs: set[tuple[str, str]]) -> pd.DataFrame:
    """Return the rows of a table that are about some features and labels."""
    there = zip(table["feature"], table["label"], strict=True)
    return table[[pair in pairs for pair in there]]


def test_name(study: Study) -> str:
    """Return the names of the tests that decide."""
    return or_list(test.title for test in study.tests)
