"""The classes that Keras' files may name, known to it without being imported.

`keras.saving.load_model` finds a class only where it is registered, and those of this package are
imported on first use. So their names are registered when Keras is imported, be that before this
package or after it.
"""

import importlib
import importlib.util

PACKAGE = "ttsr_tf"
_LAYERS = (
    *("Alignment", "Convolution", "CrossScaleIntegration", "Downsample", "Relevance"),
    *("ResidualBlock", "ResidualStack", "ShiftedTransfer", "SoftFusion", "SubPixelUpsample"),
    *("Transfer", "Upsample", "VGG19"),
)
CLASSES = {
    "ttsr_tf.images.inputs": ("NetworkInputs",),
    "ttsr_tf.images.metrics": ("PSNR", "SSIM"),
    "ttsr_tf.layers": _LAYERS,
    "ttsr_tf.models.critic": ("Critic",),
    "ttsr_tf.models.srntt": ("SRNTT",),
    "ttsr_tf.models.ttsr": ("TTSR",),
    "ttsr_tf.training.gan": ("GAN",),
    "ttsr_tf.training.optimizers": ("Adam",),
}


class _OnFirstUse:
    """In the place of a class, which is imported when an attribute is asked for."""

    def __init__(self, module, name):
        self._module, self._name = module, name

    def __getattr__(self, attribute):
        return getattr(getattr(importlib.import_module(self._module), self._name), attribute)


def _register(keras):
    registered = keras.saving.get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:  # what is imported already has registered itself
            registered.setdefault(f"{PACKAGE}>{name}", _OnFirstUse(module, name))


if importlib.util.find_spec("keras"):  # with a .tflite one can do without it, and without wrapt
    import wrapt

    wrapt.when_imported("keras")(_register)
