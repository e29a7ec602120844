"""The architectures that there are.

To add one, write a module with a function `build(inputs, configuration)`, which returns the output
of the network, and add a line here. Nothing here imports the deep-learning library.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_TO_PIXELS = ("segmentation", "reconstruction")
_UNET_FILTERS = (32, 64, 128, 256, 512)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What has to be known of an architecture before it is built.

    Attributes
    ----------
    module : str
        Name of the module beside this one that builds it.
    title : str
        What it is, in a few words.
    filters : tuple of int
        Its own number of filters per level.
    tasks : tuple of str
        What it can be trained for.
    stems : tuple of str
        How it can begin; see `NetworkConfiguration`.
    reduction : int or None
        How many pixels of a side become one at its bottom; None if the number of levels decides.
    pretrained : bool
        Whether it has an encoder that may start from the weights of ImageNet or of another network.
    optional_normalisation : bool
        Whether it can do without batch normalisation.
    """

    module: str
    title: str
    filters: tuple[int, ...]
    tasks: tuple[str, ...] = _TO_PIXELS
    stems: tuple[str, ...] = ("plain",)
    reduction: int | None = None
    pretrained: bool = False
    optional_normalisation: bool = False


def _efficientnet(number: int) -> Architecture:
    return Architecture(
        module="efficientnet_unet",
        title=f"U-Net on an EfficientNet-Lite{number} encoder",
        filters=(128, 64, 48, 32),
        tasks=(*_TO_PIXELS, "detection"),
        reduction=32,
        pretrained=True,
    )


_STEMS = ("plain", "space-to-depth")

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "efficientnet-lite0": _efficientnet(0),
        "efficientnet-lite1": _efficientnet(1),
        "efficientnet-lite2": _efficientnet(2),
        "unet": Architecture(
            module="unet",
            title="U-Net",
            filters=_UNET_FILTERS,
            stems=_STEMS,
            optional_normalisation=True,
        ),
        "resunet": Architecture(
            module="resunet", title="U-Net of residual blocks", filters=_UNET_FILTERS, stems=_STEMS
        ),
    }
)
"""Every architecture by its name, the default first."""
