"""Batch normalisation, by one kernel where the backend has one."""

from typing import Any

from lggshape.segmentation._backend import keras

Tensor = Any


class BatchNormalization(keras.layers.BatchNormalization):
    """The batch normalisation of Keras, over the last axis of maps (B, Y, X, C).

    Keras composes it of many operations, which are slow on a CPU. TensorFlow has one kernel for all
    of them, which gives the same but for rounding.
    """

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        """Normalise by the statistics of the batch in training, else by the moving ones."""
        by_kernel = training and self.trainable and mask is None
        if not (by_kernel and keras.backend.backend() == "tensorflow"):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.zeros(0),  # in training it takes none
            variance=tf.zeros(0),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel divides by one less than the number of values, Keras by their number.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1) / count
        kept, taken = self.momentum, 1 - self.momentum
        self.moving_mean.assign(self.moving_mean * kept + mean * taken)
        self.moving_variance.assign(self.moving_variance * kept + variance * taken)
        return normalised
