"""A network in training: augmentation, loss, optimiser, averaged weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lggshape.segmentation._backend import gpus, keras
from lggshape.segmentation.augmentation import Draws, augment
from lggshape.segmentation.configuration import TrainingConfiguration
from lggshape.segmentation.efficientnet import PREFIX
from lggshape.segmentation.sampling import SliceStore

Tensor = Any
Array = NDArray[np.generic]

_SMOOTH = 1.0
_BORDER = 5
"""Side of the square around a pixel that has to touch the outline for it to be of the border: two
pixels to each side."""


_LAUNCH = 16
"""Steps that a GPU is given at once: it would wait for the host between them."""


class ResidentSlices(keras.layers.Layer):
    """The slices of a store in the memory of the device, so that a step moves their places alone.

    Parameters
    ----------
    store : SliceStore
        The slices.
    """

    def __init__(self, store: SliceStore) -> None:
        super().__init__(dtype="float32", autocast=False)
        settings: dict[str, Any] = {"dtype": "uint8", "trainable": False}
        self._codes = keras.Variable(store.codes, **settings)
        self._masks = keras.Variable(store.masks, **settings)
        self._has_neighbours = store.configuration.neighbours > 0
        self._flair = store.configuration.sequences.index("FLAIR")

    def call(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Gather slices by the places (B, 1 + neighbours) that a store gives.

        Returns
        -------
        codes : tensor of uint8, shape (B, size, size, channels)
            The sequences, then FLAIR of the neighbours.
        masks : tensor of uint8, shape (B, size, size)
            1 inside the tumour.
        """
        ops = keras.ops
        codes = ops.take(self._codes, places[:, 0], axis=0)
        if self._has_neighbours:
            around = ops.take(self._codes, places[:, 1:], axis=0)[..., self._flair]
            codes = ops.concatenate([codes, ops.moveaxis(around, 1, -1)], axis=-1)
        return codes, ops.take(self._masks, places[:, 0], axis=0)


class Learner(keras.Model):
    """A network with what it is trained by: places of slices in, loss out.

    Parameters
    ----------
    network : keras.Model
        From standardised slices to logits. Its input may be smaller than the slices: then it is
        shown squares that are cut from them.
    slices : ResidentSlices
        What it is trained on.
    border_weight : float
        Of the loss.
    """

    def __init__(
        self, network: "keras.Model", slices: ResidentSlices, *, border_weight: float = 0.0
    ) -> None:
        super().__init__(name="learner")
        self.network = network
        self._slices = slices
        self._border_weight = border_weight
        self._crop = int(network.input_shape[1])

    def call(self, batch: tuple[Tensor, ...], training: bool = False) -> tuple[Tensor, Tensor]:
        """Augment the slices at places (B, 1 + neighbours) by `Draws`; give logits and masks.

        Both are (B, crop, crop, 1).
        """
        places, *draws = batch
        codes, masks = self._slices(places)
        slices, masks = augment(codes, masks, Draws(*draws), crop=self._crop)
        return self.network(slices, training=training), masks

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """Give the loss of what `call` returned."""
        logits, masks = y_pred
        return segmentation_loss(logits, masks, border_weight=self._border_weight)


def segmentation_loss(logits: Tensor, masks: Tensor, *, border_weight: float = 0.0) -> Tensor:
    """Give binary cross-entropy plus soft Dice loss [1]_.

    Most pixels lie far from any outline and are soon right. So the cross-entropy is a weighted
    mean in which those of the border, within two pixels of the outline, count more, as in [2]_.

    Parameters
    ----------
    logits, masks : tensors of shape (B, Y, X, 1)
        The Dice is that of all pixels of the batch together: a slice without tumour has none of
        its own.
    border_weight : float
        Weight of the pixels of the border beyond the 1 of all pixels.

    Returns
    -------
    tensor
        A number.

    References
    ----------
    .. [1] Milletari F, Navab N, Ahmadi SA. V-Net. 3DV 2016, 565-571.
    .. [2] Ronneberger O, Fischer P, Brox T. U-Net. MICCAI 2015, 234-241.
    """
    ops = keras.ops
    entropies = ops.binary_crossentropy(masks, logits, from_logits=True)
    widened = ops.max_pool(masks, _BORDER, strides=1, padding="same")
    narrowed = 1 - ops.max_pool(1 - masks, _BORDER, strides=1, padding="same")
    weights = 1 + border_weight * (widened - narrowed)
    entropy = ops.sum(weights * entropies) / ops.sum(weights)
    inside = ops.sigmoid(logits)
    overlap = 2 * ops.sum(inside * masks) + _SMOOTH
    return entropy + 1 - overlap / (ops.sum(inside) + ops.sum(masks) + _SMOOTH)


class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises from 0 in a line, then falls to 0 as half a cosine.

    Parameters
    ----------
    peak : float
        The highest rate.
    steps : int
        Of the whole training.
    warmup : float
        Share of the steps during which the rate rises.
    """

    def __init__(self, peak: float, steps: int, warmup: float) -> None:
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step: Tensor) -> Tensor:
        """Give the rate of a step, from 0."""
        ops = keras.ops
        rising = max(1.0, self.warmup * self.steps)
        done = ops.cast(step, "float32") + 1
        share = ops.clip((done - rising) / max(1.0, self.steps - rising), 0.0, 1.0)
        falling = 0.5 * (1 + ops.cos(np.pi * share))
        return self.peak * ops.minimum(done / rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Give the parameters."""
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}


class SlowEncoderAdamW(keras.optimizers.AdamW):
    """AdamW with a lower learning rate for some variables, and averages that are kept apart.

    Parameters
    ----------
    slow : sequence of keras.Variable
        The variables whose rate is lower.
    factor : float
        On their learning rate.
    **settings
        Of `keras.optimizers.AdamW`.
    """

    def __init__(self, slow: Sequence["keras.Variable"], factor: float, **settings: Any) -> None:
        super().__init__(**settings)
        # Not the variables' ids: on TensorFlow, Keras hands its own variables' inner ones on.
        self._slow = {self._var_key(variable) for variable in slow}
        self._factor = factor

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        """Update one variable."""
        if self._var_key(variable) in self._slow:
            learning_rate = learning_rate * self._factor
        super().update_step(gradient, variable, learning_rate)

    def finalize_variable_values(self, var_list: Sequence["keras.Variable"]) -> None:
        """Leave the variables as they are; Keras calls this at the end of every `fit`.

        An epoch is a `fit` of its own here, and the next one goes on from the trained values.
        """

    def take_averages(self, variables: Sequence["keras.Variable"]) -> None:
        """Put the averages in the place of the variables' values."""
        super().finalize_variable_values(variables)


def make_learner(
    network: "keras.Model",
    slices: ResidentSlices,
    training: TrainingConfiguration,
    *,
    steps: int,
    device: str = "auto",
) -> Learner:
    """Prepare a network for training.

    Parameters
    ----------
    network : keras.Model
        With the weights it starts from.
    slices : ResidentSlices
        What it is trained on.
    training : TrainingConfiguration
        The settings.
    steps : int
        Of the whole training.
    device : {"auto", "cpu", "gpu"}
        Where it is trained.

    Returns
    -------
    Learner
        Compiled; its optimiser keeps the averaged weights if they are asked for.
    """
    learner = Learner(network, slices, border_weight=training.border_weight)
    pretrained = training.encoder_weights != "none"
    slow = [v for v in network.trainable_variables if pretrained and v.path.startswith(PREFIX)]
    optimizer = SlowEncoderAdamW(
        slow,
        training.encoder_rate,
        learning_rate=WarmupCosine(training.learning_rate, steps, training.warmup),
        weight_decay=training.weight_decay,
        global_clipnorm=1.0,
        use_ema=training.average > 0,
        ema_momentum=training.average or 0.99,
        ema_overwrite_frequency=None,
    )
    plain = [v for v in network.trainable_variables if len(v.shape) < 2]
    optimizer.exclude_from_weight_decay(var_list=plain)
    on_gpu = device != "cpu" and bool(gpus())
    learner.compile(
        optimizer=optimizer,
        # TensorFlow's own kernels are faster than XLA's on a CPU; JAX compiles in any case.
        jit_compile=keras.backend.backend() == "jax" or on_gpu,
        # Keras does not know several steps at once on PyTorch.
        steps_per_execution=_LAUNCH if on_gpu and keras.backend.backend() != "torch" else 1,
    )
    optimizer.build(network.trainable_variables)
    return learner


def state_of(learner: Learner) -> dict[str, Array]:
    """Give everything that changes in training, as arrays by name."""
    arrays = {
        f"network{place}": keras.ops.convert_to_numpy(variable)
        for place, variable in enumerate(learner.network.variables)
    }
    optimizer = enumerate(learner.optimizer.variables)
    arrays |= {f"optimizer{n}": keras.ops.convert_to_numpy(variable) for n, variable in optimizer}
    return arrays


def restore_state(learner: Learner, arrays: dict[str, Array]) -> None:
    """Bring a learner back to a state that `state_of` gave."""
    for place, variable in enumerate(learner.network.variables):
        variable.assign(arrays[f"network{place}"])
    for place, variable in enumerate(learner.optimizer.variables):
        variable.assign(arrays[f"optimizer{place}"])


def averaged_weights(learner: Learner) -> list[Array]:
    """Give the weights of the network with the averages in place of the trained values."""
    current = learner.network.get_weights()
    if not learner.optimizer.use_ema:
        return list(current)
    learner.optimizer.take_averages(learner.network.trainable_variables)
    averaged = learner.network.get_weights()
    learner.network.set_weights(current)
    return list(averaged)
