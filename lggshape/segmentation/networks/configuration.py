"""What a network is: settings that are saved with its weights."""

from dataclasses import dataclass
from typing import Literal

from lggshape.segmentation.checked_settings import CheckedSettings
from lggshape.segmentation.networks.registry import ARCHITECTURES, Architecture

Stem = Literal["plain", "space-to-depth"]
Task = Literal["segmentation", "detection", "reconstruction"]


@dataclass(frozen=True, kw_only=True)
class NetworkConfiguration(CheckedSettings):
    """What a network looks like, and what it is shown.

    Attributes
    ----------
    task : {"segmentation", "detection", "reconstruction"}
        What it is trained to find in a slice: the pixels of tumour; whether there is any; or
        FLAIR where squares of all sequences are hidden. The last is for encoders to start from.
    architecture : str
        One of `ARCHITECTURES`, which says what each is.
    sequences : tuple of str
        The MR sequences it is shown, in the order of its input channels. FLAIR is one of them.
    neighbours : int
        How many FLAIR slices below and above the slice are further channels.
    filters : tuple of int
        Filters per level. U-Net and ResUNet: from the top down, the last at the bottom, so that
        the length is the depth. EfficientNet-Lite: of the four levels of the decoder, from the
        bottom up. Empty: the architecture's own.
    batch_normalisation : bool
        Whether a batch normalisation follows each convolution of a U-Net. The other
        architectures always have it.
    stem : {"plain", "space-to-depth"}
        Whether a U-Net or ResUNet works on the pixels, or on blocks of 2 x 2 of them at half the
        resolution. The EfficientNet starts with a convolution of stride 2 in any case.
    size : int
        Side of the square of pixels that slices are fitted to.

    Examples
    --------
    >>> network = NetworkConfiguration(architecture="unet", sequences=("FLAIR",), neighbours=2)
    >>> network.channels, network.reduction
    (5, 16)
    """

    task: Task = "segmentation"
    architecture: str = "efficientnet-lite0"
    sequences: tuple[str, ...] = ("pre-contrast", "FLAIR", "post-contrast")
    neighbours: int = 1
    filters: tuple[int, ...] = ()
    batch_normalisation: bool = True
    stem: Stem = "plain"
    size: int = 256

    def __post_init__(self) -> None:
        """Check the values and fill in the architecture's own filters."""
        super().__post_init__()
        known = self.architecture in ARCHITECTURES
        self.require("architecture", known, f"to be one of {', '.join(ARCHITECTURES)}")
        if not self.filters:
            object.__setattr__(self, "filters", self.kind.filters)
        self.require(
            "sequences",
            "FLAIR" in self.sequences and len(set(self.sequences)) == len(self.sequences),
            "to name FLAIR and every sequence once",
        )
        self.require("neighbours", 0 <= self.neighbours <= 5, "to be 0 to 5")
        self.require("filters", min(self.filters) >= 1, "to be positive")
        tasks, stems = self.kind.tasks, self.kind.stems
        only = f"to be {{}} for {self.architecture}"
        self.require("task", self.task in tasks, only.format(" or ".join(tasks)))
        self.require("stem", self.stem in stems, only.format(" or ".join(stems)))
        levels = len(self.kind.filters)
        if self.kind.reduction is None:
            self.require("filters", len(self.filters) >= 2, "to be two levels or more")
        else:
            self.require("filters", len(self.filters) == levels, f"to be {levels}, one per level")
        self.require(
            "size",
            self.size >= self.reduction and self.size % self.reduction == 0,
            f"to be a multiple of {self.reduction}, which the network reduces it by",
        )

    @property
    def channels(self) -> int:
        """Number of input channels."""
        return len(self.sequences) + 2 * self.neighbours

    @property
    def reduction(self) -> int:
        """How many pixels of a side become one at the bottom of the network."""
        if self.kind.reduction is not None:
            return self.kind.reduction
        return int(2 ** (len(self.filters) - 1) * (2 if self.stem == "space-to-depth" else 1))

    @property
    def kind(self) -> Architecture:
        """What is known of its architecture."""
        return ARCHITECTURES[self.architecture]
