"""What a replication works on, and the tables that its steps pass on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lggshape.association import Family, read_features
from lggshape.files import write_table
from lggshape.labels import Labels
from lggshape.progress import OnProgress, Progress
from lggshape.readers import CaseSource, open_cases
from lggshape.results import recorded_in_place
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.roles import Roles
from lggshape.tables import TableSource

Tables = Mapping[str, pd.DataFrame]


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of results, by name, but for the checklists."""
    paths = sorted(folder.glob("*.csv"))
    return {path.stem: _read(path) for path in paths if path.stem != "checklists"}


def masks_in(folder: Path) -> list[CaseSource]:
    """Return the cases of a folder of masks, without those that could not be segmented."""
    return [source for source in open_cases(folder, masks_only=True) if source.has_mask]


def _read(path: Path) -> pd.DataFrame:
    # Keys may look like numbers or be called NA, and a column without reasons is text as well.
    text = dict.fromkeys(("case", "patient", "reason"), str)
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


@dataclass(frozen=True)
class Replication:
    """What a replication works on, and with.

    Attributes
    ----------
    dataset : Path
        Cases with images and manual masks.
    labels : Labels
        The labels of the patients.
    label_tables : tuple of Path or DataFrame
        The tables that they come from.
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
    earlier : Path or None
        Results of an earlier replication to compare with.
    realisations : int
        How often noise of each standard deviation is drawn.
    seed : int
        Seed of all random numbers.
    jobs : int or None
        Number of processes; all cores by default.
    on_progress : callable or None
        Called with a `Progress` after each unit of work.
    """

    dataset: Path
    labels: Labels
    label_tables: tuple[TableSource, ...]
    family: Family
    roles: Roles
    networks: Path | None
    masks: Path | None
    work: Path
    earlier: Path | None = None
    realisations: int = 1
    seed: int = 0
    jobs: int | None = None
    on_progress: OnProgress | None = None

    @property
    def sources(self) -> list[CaseSource]:
        """The cases of the data set."""
        return open_cases(self.dataset, masks_only=True)

    @property
    def manual(self) -> list[CaseSource]:
        """The cases of the data set whose manual mask could be measured."""
        features = self.features_of(MANUAL)
        measured = set(features.loc[features["spacing_known"].notna(), "case"])
        return [source for source in self.sources if source.id in measured]

    @property
    def automatic(self) -> list[CaseSource]:
        """The automatic masks that there are."""
        return masks_in(self.mask_folder)

    @property
    def mask_folder(self) -> Path:
        """The folder of the automatic masks."""
        return self.masks or self.work / "masks"

    @property
    def mask_folders(self) -> dict[str, Path]:
        """The folders of both kinds of mask."""
        return {MANUAL: self.dataset, AUTOMATIC: self.mask_folder}

    @property
    def probabilities(self) -> Path:
        """The folder of the probabilities of the automatic masks."""
        return self.work / "probabilities"

    @property
    def sites(self) -> "pd.Series[str]":
        """The institution of each patient, where it is known."""
        known = {source.patient: source.site for source in self.sources if source.site}
        return pd.Series(known, dtype=str)

    def earlier_table(self, name: str) -> pd.DataFrame:
        """Read a table of the earlier replication."""
        assert self.earlier is not None  # asked for only where there is one
        return _read(self.earlier / f"{name}.csv")

    @property
    def earlier_tables(self) -> Tables:
        """Return all tables of the earlier replication; none if there was none."""
        return {} if self.earlier is None else read_tables(self.earlier)

    def has(self, name: str) -> bool:
        """Return whether an earlier step wrote a table."""
        return self.table_path(name).exists()

    def tell(self, doing: str) -> OnProgress | None:
        """Return what passes progress on under a name that says what is being done."""
        passed_to = self.on_progress
        if passed_to is None:
            return None

        def tell_named(progress: Progress) -> None:
            passed_to(progress._replace(doing=doing))

        return tell_named

    def read(self, name: str) -> pd.DataFrame:
        """Read a table that an earlier step wrote."""
        return _read(self.table_path(name))

    def write(self, tables: Tables) -> None:
        """Write the tables of a step."""
        for name, table in tables.items():
            with recorded_in_place(self.work, self.table_path(name)):
                write_table(self.table_path(name), table)

    def table_path(self, name: str) -> Path:
        """Return the path of a table of a step."""
        return self.work / "tables" / f"{name}.csv"

    @property
    def features(self) -> pd.DataFrame:
        """The features of automatic and manual masks, one row per patient and kind of mask."""
        return read_features(self.table_path("features"))

    def features_of(self, kind: str) -> pd.DataFrame:
        """Return the features of one kind of mask."""
        features = self.features
        return features[features["masks"] == kind].reset_index(drop=True)

    @property
    def dice(self) -> "pd.Series[float]":
        """The Dice of each patient's automatic mask."""
        scores = self.read("scores")
        return scores.set_index("patient")["dice"]
