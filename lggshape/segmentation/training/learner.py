"""A network in training: augmentation, optimiser, averaged weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR
from lggshape.segmentation._backend import gpus, keras
from lggshape.segmentation.networks.efficientnet import PREFIX
from lggshape.segmentation.run.configuration import TrainingConfiguration
from lggshape.segmentation.training.augmentation import Draws, augment, hide
from lggshape.segmentation.training.losses import (
    detection_loss,
    reconstruction_loss,
    segmentation_loss,
)
from lggshape.segmentation.training.slice_store import SliceStore

Tensor = Any
Array = NDArray[np.generic]

_LAUNCH = 16
"""Steps that a GPU is given at once: it would wait for the host between them."""


class ResidentSlices(keras.layers.Layer):
    """The slices of a store in the memory of the device, so that a step moves their places alone.

    Parameters
    ----------
    store : SliceStore
        The slices.

    Attributes
    ----------
    configuration : NetworkConfiguration
        That of the store.
    flair : int
        The channel of FLAIR.
    """

    def __init__(self, store: SliceStore) -> None:
        super().__init__(dtype="float32", autocast=False)
        self.configuration = store.configuration
        settings: dict[str, Any] = {"dtype": "uint8", "trainable": False}
        self._codes = keras.Variable(store.codes, **settings)
        self._masks = keras.Variable(store.masks, **settings)
        self.flair = store.configuration.sequences.index(FLAIR)
        self.built = True

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
        if self.configuration.neighbours:
            around = ops.take(self._codes, places[:, 1:], axis=0)[..., self.flair]
            codes = ops.concatenate([codes, ops.moveaxis(around, 1, -1)], axis=-1)
        return codes, ops.take(self._masks, places[:, 0], axis=0)


class Learner(keras.Model):
    """A network with what it is trained by: places of slices in, loss out.

    Parameters
    ----------
    network : keras.Model
        As `networks.build` makes it. Its input may be smaller than the slices: then it is shown
        squares that are cut from them.
    slices : ResidentSlices
        The slices to train on; their configuration holds the task.
    border_weight : float
        Additional weight of the outline in the loss of segmentation.
    """

    def __init__(
        self, network: "keras.Model", slices: ResidentSlices, *, border_weight: float = 0.0
    ) -> None:
        super().__init__(name="learner")
        self.network = network
        self._slices = slices
        self._crop = int(network.input_shape[1])
        self._task = slices.configuration.task
        losses: dict[str, Callable[..., Tensor]] = {
            "segmentation": partial(segmentation_loss, border_weight=border_weight),
            "detection": detection_loss,
            "reconstruction": reconstruction_loss,
        }
        self._loss = losses[self._task]
        self.built = True  # Keras would trace it once more, to build what it has.

    def call(self, batch: tuple[Tensor, ...], training: bool = False) -> tuple[Tensor, ...]:
        """Augment the slices at places (B, 1 + neighbours) by `Draws`.

        Returns
        -------
        tuple of tensors
            What the loss compares: the output of the network, and the masks (B, crop, crop, 1).
            For reconstruction these are replaced by FLAIR, and where it was hidden.
        """
        places, *numbers = batch
        draws = Draws(*numbers)
        codes, masks = self._slices(places)
        slices, masks = augment(codes, masks, draws, crop=self._crop)
        if self._task != "reconstruction":
            return self.network(slices, training=training), masks
        flair = self._slices.flair
        shown, hidden = hide(slices, draws.hidden)
        return self.network(shown, training=training), slices[..., flair : flair + 1], hidden

    def fit(self, x: Iterator[tuple[tuple[Array, ...]]], **settings: Any) -> Any:
        """Train on batches as `call` takes them; the rest is as in `keras.Model.fit`."""
        return super().fit(_untuned(x), **settings)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss of what `call` returned."""
        return self._loss(*y_pred)


def _untuned(batches: Iterator[Any]) -> Any:
    """Keep TensorFlow from tuning how batches are read.

    Its tuning sleeps between two looks, each time twice as long up to a minute, and the end of a
    `fit` waits until it wakes: for up to as long as the `fit` took.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    first = next(batches)
    data = tf.data.Dataset.from_generator(
        lambda: chain([first], batches),
        output_signature=tf.nest.map_structure(tf.type_spec_from_value, first),
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    return data.with_options(options)


class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises from 0 in a line, then falls to 0 as half a cosine.

    Parameters
    ----------
    peak : float
        The highest rate.
    steps : int
        Steps of the whole training.
    warmup : float
        Share of the steps during which the rate rises.
    """

    def __init__(self, peak: float, steps: int, warmup: float) -> None:
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step: Tensor) -> Tensor:
        """Return the rate of a step, from 0."""
        ops = keras.ops
        rising = max(1.0, self.warmup * self.steps)
        done = ops.cast(step, "float32") + 1
        share = ops.clip((done - rising) / max(1.0, self.steps - rising), 0.0, 1.0)
        falling = 0.5 * (1 + ops.cos(np.pi * share))
        return self.peak * ops.minimum(done / rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}


class SlowEncoderAdamW(keras.optimizers.AdamW):
    """AdamW with a lower learning rate for some variables, and averages that are kept apart.

    Parameters
    ----------
    slow : sequence of keras.Variable
        The variables whose rate is lower.
    factor : float
        Factor on their learning rate.
    **settings
        Settings of `keras.optimizers.AdamW`.
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
    frozen: bool = False,
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
        Steps of the whole training.
    frozen : bool
        Whether the encoder stays as it is: its weights, and the statistics that it normalises by.
    device : {"auto", "cpu", "gpu"}
        Where it is trained.

    Returns
    -------
    Learner
        Compiled; its optimiser keeps the averaged weights if they are asked for.
    """
    for layer in network.layers:
        if layer.name.startswith(PREFIX):
            layer.trainable = not frozen
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
    """Return everything that changes in training, as arrays by name."""
    arrays = {
        f"network{place}": keras.ops.convert_to_numpy(variable)
        for place, variable in enumerate(learner.network.variables)
    }
    optimizer = enumerate(learner.optimizer.variables)
    arrays |= {f"optimizer{n}": keras.ops.convert_to_numpy(variable) for n, variable in optimizer}
    return arrays


def restore_state(learner: Learner, arrays: Mapping[str, Array]) -> None:
    """Bring a learner back to a state that `state_of` gave."""
    for place, variable in enumerate(learner.network.variables):
        variable.assign(arrays[f"network{place}"])
    for place, variable in enumerate(learner.optimizer.variables):
        variable.assign(arrays[f"optimizer{place}"])


def averaged_weights(learner: Learner) -> list[Array]:
    """Return the weights of the network with the averages in place of the trained values."""
    current = learner.network.get_weights()
    if not learner.optimizer.use_ema:
        return list(current)
    learner.optimizer.take_averages(learner.network.trainable_variables)
    averaged = learner.network.get_weights()
    learner.network.set_weights(current)
    return list(averaged)
