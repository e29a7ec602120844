"""The ten hypotheses, and the areas under the curve."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lggshape.figures import box_and_points, interval_plot
from lggshape.report import columns, wording
from lggshape.report.blocks import Column, Drawing, Section, SideBySide, Table
from lggshape.studies.buda2019.names import MANUAL
from lggshape.studies.buda2019.report.columns import (
    AUC,
    CLUSTER,
    MASKS,
    N,
    predictor,
)
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.summary import PARTS


def hypotheses(findings: Findings) -> Section:
    """Return the section on the ten hypotheses and the areas under the curve."""
    third = findings.tables["table_3"]
    blocks = [
        *PARTS["hypotheses"](findings.evidence),
        Table.of(
            third,
            "Table 3 of the paper: AUCs of one cluster against the rest. For gender, men count "
            "above women. The paper does not say which counts above the other; with women above "
            "men, the AUC is 1 minus this one.",
            "table_3",
            Column("predictor", lambda row: predictor(row.predictor), "text"), MASKS, CLUSTER, N,
            AUC, columns.number("paper", "paper"),
        ),
        _areas(findings, third[third["masks"].fillna("") != MANUAL]),
        *_groups(findings),
    ]  # fmt: skip
    return Section("tests", "The ten hypotheses", blocks)


def _areas(findings: Findings, areas: pd.DataFrame) -> Drawing:
    """Draw the areas on automatic masks beside those of the paper."""
    names = [
        f"{predictor(name)}: {level}"
        for name, level in zip(areas["predictor"], areas["level"], strict=True)
    ]
    figure = interval_plot(
        names,
        areas["auc"].tolist(),
        areas["auc_low"].tolist(),
        areas["auc_high"].tolist(),
        value_name="AUC, this cluster against the rest",
        no_effect=0.5,
        limits=(0.0, 1.0),
        references=[None if np.isnan(value) else value for value in areas["paper"]],
        reference_name="in the paper",
    )
    return findings.gallery.keep(figure, "Areas under the curve on automatic masks", "table-3")


def _groups(findings: Findings) -> Iterator[SideBySide]:
    """Draw the features in each group of the labels whose areas the paper reports."""
    kinds = findings.tables["features"].groupby("masks", sort=False)
    for name in dict.fromkeys(entry.label for entry in findings.family.reported_aucs):
        label = findings.labels[name]
        for feature in (h.feature for h in findings.family.hypotheses if h.label == name):
            symbol = wording.symbol(feature)
            drawings = []
            values = findings.tables["features"][feature]
            limits = float(values.min()), float(values.max())
            for masks, rows in kinds:
                known = rows.dropna(subset=[feature])
                levels = label.values.reindex(known["patient"]).to_numpy()
                groups = [known[levels == level] for level in label.levels]
                figure = box_and_points(
                    [group[feature] for group in groups],
                    label.levels,
                    value_name=symbol,
                    limits=limits,
                    links=[findings.targets(group["patient"]) for group in groups],
                )
                description = f"{symbol} in each group of {name}, {masks} masks"
                titles = findings.titles(feature, str(masks), name)
                drawings.append(
                    findings.gallery.keep(
                        figure, description, str(masks), symbol, name, titles=titles
                    )
                )
            yield SideBySide(drawings)
