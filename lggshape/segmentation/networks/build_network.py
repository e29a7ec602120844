"""Networks with random weights, of any architecture.

All take standardised slices (B, size, size, channels) and return one number per pixel (B, size,
size, 1) in float32; a detector returns one for each of its own, coarser pixels. They are written
with Keras alone and run on each of its backends.
"""

from importlib import import_module

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.registry import ARCHITECTURES


def build(configuration: NetworkConfiguration, *, policy: str = "float32") -> "keras.Model":
    """Build a network with random weights.

    Parameters
    ----------
    configuration : NetworkConfiguration
        What it looks like.
    policy : str
        The dtype policy of Keras: "float32" or "mixed_bfloat16". The weights are float32 in either
        case, and so are the logits.

    Returns
    -------
    keras.Model
        From (B, size, size, channels) to (B, size, size, 1): a logit of tumour, or FLAIR. A
        detector gives (B, size / 32, size / 32, 1), whose mean is the logit of tumour in the slice;
        what lies above 0 speaks for it there, as in the class activation maps of [1]_.

    References
    ----------
    .. [1] Zhou B, et al. Learning deep features for discriminative localization. CVPR 2016,
       2921-2929.
    """
    earlier = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        shape = (configuration.size, configuration.size, configuration.channels)
        inputs = keras.Input(shape, name="slices")
        part = import_module(f"{__package__}.{ARCHITECTURES[configuration.architecture].module}")
        outputs = part.build(inputs, configuration)
        return keras.Model(inputs, outputs, name=configuration.architecture.replace("-", "_"))
    finally:
        keras.config.set_dtype_policy(earlier)
