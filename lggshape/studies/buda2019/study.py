"""What a replication works on, and the tables that its steps hand on."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lggshape.association import Family
from lggshape.files import write_table
from lggshape.labels import Labels
from lggshape.readers import CaseSource, open_cases
from lggshape.studies.buda2019.roles import Roles

Tables = Mapping[str, pd.DataFrame]
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""From a description and a number of pieces of work to what is called after each."""


@dataclass(frozen=True)
class Study:
    """What a replication works on, and with.

    Attributes
    ----------
    dataset : Path
        Cases with images and manual masks.
    labels : Labels
        The labels of the patients.
    label_paths : tuple of Path
        Where they come from.
    family : Family
        The hypotheses.
    roles : Roles
        Which label is which.
    networks : Path or None
        Networks to segment with; None if there are masks.
    masks : Path or None
        Automatic masks that were made before.
    work : Path
        Folder for masks, and for the tables of the steps.
    seed : int
        Of all random numbers.
    jobs : int or None
        Number of processes; all cores by default.
    progress : callable
        Shows how far a step is.
    """

    dataset: Path
    labels: Labels
    label_paths: tuple[Path, ...]
    family: Family
    roles: Roles
    networks: Path | None
    masks: Path | None
    work: Path
    seed: int
    jobs: int | None
    progress: Progress

    @property
    def sources(self) -> list[CaseSource]:
        """The cases of the data set."""
        return open_cases(self.dataset, masks_only=True)

    @property
    def automatic(self) -> list[CaseSource]:
        """The automatic masks that there are."""
        return [s for s in open_cases(self.mask_folder, masks_only=True) if s.has_mask]

    @property
    def mask_folder(self) -> Path:
        """Where the automatic masks lie."""
        return self.masks or self.work / "masks"

    @property
    def probabilities(self) -> Path:
        """Where the probabilities of the automatic masks lie."""
        return self.work / "probabilities"

    @property
    def sites(self) -> "pd.Series[str]":
        """The institution of each patient, where it is known."""
        known = {source.patient: source.site for source in self.sources if source.site}
        return pd.Series(known, dtype=str)

    def read(self, name: str) -> pd.DataFrame:
        """Read a table that an earlier step wrote."""
        # Keys may look like numbers, and a column of reasons without any is text as well.
        text = dict.fromkeys(("case", "patient", "reason"), str)
        return pd.read_csv(self.table_path(name), dtype=text)

    def write(self, tables: Tables) -> None:
        """Write the tables of a step."""
        for name, table in tables.items():
            write_table(self.table_path(name), table)

    def table_path(self, name: str) -> Path:
        """Say where the table of a step lies."""
        return self.work / "tables" / f"{name}.csv"

    @property
    def features(self) -> pd.DataFrame:
        """The features of automatic and manual masks."""
        return self.read("features")

    def features_of(self, kind: str) -> pd.DataFrame:
        """Give the features of one kind of mask."""
        features = self.features
        return features[features["masks"] == kind].reset_index(drop=True)

    @property
    def dice(self) -> "pd.Series[float]":
        """The Dice of each patient's automatic mask."""
        scores = self.read("scores")
        return scores.set_index("patient")["dice"]
