"""The options of `lggshape train`, by what they are about."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape.segmentation import ARCHITECTURES, FINE_TUNING

NETWORK, FOLDS, TRAINING, INNER = "Network", "Folds", "Training", "Inner split"

Dataset = Annotated[Path, typer.Argument(help="Images with their masks.", show_default=False)]
Out = Annotated[Path, typer.Option(help="Folder of the run.", show_default=False)]
Configuration = Annotated[
    Path | None,
    typer.Option(
        help="configuration.json of another run, in place of all options that are settings."
    ),
]
Task = Annotated[
    Literal["segmentation", "detection"],
    typer.Option(
        help="Outline the tumour, or only find the slices that contain it.", rich_help_panel=NETWORK
    ),
]
Architecture = Annotated[
    Literal[*ARCHITECTURES], typer.Option(help="Architecture.", rich_help_panel=NETWORK)
]
EncoderWeights = Annotated[
    str,
    typer.Option(
        metavar="auto|imagenet|none|PATH",
        help="Initial weights of the encoder. auto: imagenet for efficientnet-lite, else none.",
        rich_help_panel=NETWORK,
    ),
]
StartFrom = Annotated[
    str,
    typer.Option(
        metavar="shipped|RUN",
        help="Fine-tune trained networks: shipped (the bundled ones) or the folder of a run. They "
        "determine the network. Unless given, --epochs is then "
        f"{FINE_TUNING['epochs']} and --learning-rate {FINE_TUNING['learning_rate']}.",
        show_default=False,
        rich_help_panel=NETWORK,
    ),
]
Sequences = Annotated[
    str,
    typer.Option(help="The MR sequences to use, separated by commas.", rich_help_panel=NETWORK),
]
Neighbours = Annotated[
    int,
    typer.Option(
        help="Number of FLAIR slices on each side of a slice to add as channels.",
        rich_help_panel=NETWORK,
    ),
]
Filters = Annotated[
    str,
    typer.Option(
        help="Number of filters per level, separated by commas. Default: depends on the network.",
        rich_help_panel=NETWORK,
    ),
]
BatchNormalisation = Annotated[
    bool, typer.Option(help="Batch normalisation in a U-Net.", rich_help_panel=NETWORK)
]
Stem = Annotated[
    Literal["plain", "space-to-depth"],
    typer.Option(
        help="First layer of a U-Net or ResUNet. space-to-depth halves the resolution.",
        rich_help_panel=NETWORK,
    ),
]
Size = Annotated[
    int,
    typer.Option(
        help="Side, in pixels, of the square that slices are fitted to.", rich_help_panel=NETWORK
    ),
]

Folds = Annotated[int, typer.Option(help="Number of folds, by patient.", rich_help_panel=FOLDS)]
FoldsFile = Annotated[
    Path | None,
    typer.Option(
        help="folds.json of another run, instead of drawing folds.", rich_help_panel=FOLDS
    ),
]
Fold = Annotated[
    list[int] | None,
    typer.Option(
        help="Train networks for this fold only; the first is 0. Repeat the option for further "
        "folds.",
        rich_help_panel=FOLDS,
    ),
]
Members = Annotated[int, typer.Option(help="Networks per fold.", rich_help_panel=FOLDS)]
Patients = Annotated[
    int,
    typer.Option(
        help="Number of patients outside the held-out fold to train on. Default: all.",
        show_default=False,
        rich_help_panel=FOLDS,
    ),
]

Epochs = Annotated[int, typer.Option(help="Epochs per network.", rich_help_panel=TRAINING)]
Batch = Annotated[int, typer.Option(help="Slices per step.", rich_help_panel=TRAINING)]
LearningRate = Annotated[
    float, typer.Option(help="Highest learning rate.", rich_help_panel=TRAINING)
]
BorderWeight = Annotated[
    float,
    typer.Option(
        help="Additional weight, in the loss, of pixels within two pixels of the outline.",
        rich_help_panel=TRAINING,
    ),
]
Crop = Annotated[
    float,
    typer.Option(
        help="Side of the patches used in training, as a share of the side of a slice.",
        rich_help_panel=TRAINING,
    ),
]
SequenceDropout = Annotated[
    float,
    typer.Option(
        help="Probability that a sequence other than FLAIR is removed from a training slice.",
        rich_help_panel=TRAINING,
    ),
]
FrozenEpochs = Annotated[
    int,
    typer.Option(
        help="Number of epochs at the beginning during which the encoder is kept fixed.",
        rich_help_panel=TRAINING,
    ),
]
Precision = Annotated[
    Literal["auto", "float32", "bfloat16"],
    typer.Option(help="Precision of the computation.", rich_help_panel=TRAINING),
]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.", rich_help_panel=TRAINING)]

Inner = Annotated[
    float,
    typer.Option(
        help="Share of the patients outside the held-out fold that is set aside to fit the "
        "threshold and the calibration.",
        rich_help_panel=INNER,
    ),
]
InnerEvery = Annotated[
    int,
    typer.Option(
        help="Number of epochs between measurements of Dice on the inner split.",
        rich_help_panel=INNER,
    ),
]
Epoch = Annotated[
    Literal["last", "inner"],
    typer.Option(
        help="Keep the network of the last epoch, or of the best one by Dice on the inner split.",
        rich_help_panel=INNER,
    ),
]
