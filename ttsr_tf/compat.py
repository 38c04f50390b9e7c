"""All that differs between Keras 2, up to TensorFlow 2.15, and Keras 3, and why; nothing else asks
for a version. Keras is imported where it is used, since that takes seconds.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import warnings

from ttsr_tf.errors import InputError

try:
    _VERSION = importlib.metadata.version("keras")
except importlib.metadata.PackageNotFoundError:  # enlarging goes without, and so does --help
    _VERSION = "3"
GENERATION = f"Keras {_VERSION.split('.')[0]}"
_KERAS_2 = GENERATION == "Keras 2"

# Keras 2's own fails in a graph; TensorFlow Addons' is what Keras 3's was made of.
_SPECTRAL_NORMALIZATION = "tensorflow_addons.layers" if _KERAS_2 else "keras.layers"


def check_spectral_normalization():
    """Raises InputError where there is none."""
    if _KERAS_2 and not importlib.util.find_spec("tensorflow_addons"):
        name, mend = "Spectral normalization", "pip install 'ttsr-tf[addons]'"
        raise InputError(f"{name} on TensorFlow 2.15 needs TensorFlow Addons: {mend}.")


def spectral_normalization(layer):
    """Wraps a layer that has a kernel."""
    check_spectral_normalization()
    with warnings.catch_warnings():  # Addons' of its end, which README tells
        warnings.simplefilter("ignore", UserWarning)
        wrapper = importlib.import_module(_SPECTRAL_NORMALIZATION).SpectralNormalization
    return wrapper(layer, dtype=layer.dtype)


def tensorflow_variable(variable):
    """TensorFlow's variable: Keras 3 has its own around it, Keras 2 has not."""
    return variable if _KERAS_2 else variable.value


def slot_index(optimizer, variable):
    """The variable's place in an optimizer's lists of slots: no Keras says it publicly."""
    if _KERAS_2:
        return optimizer._index_dict[optimizer._var_key(variable)]
    return optimizer._get_variable_index(variable)


@contextlib.contextmanager
def averages_of_updates(optimizer):
    """Keras 2 starts averaged weights before the first step, Keras 3 after it, as here both do."""
    momentum = optimizer.ema_momentum
    if _KERAS_2:  # the step is counted afterwards
        import tensorflow as tf

        optimizer.ema_momentum = momentum * tf.cast(optimizer.iterations > 0, "float32")
    yield
    optimizer.ema_momentum = momentum


def set_built(model):
    """The end of a network's `build`: Keras 2 builds what it loads only if that has a shape."""
    model.built, model._build_input_shape = True, (None, None, None, 3)


def config_of(model):
    """What every layer has in its config: of a model of Keras 2, that is empty."""
    layer = importlib.import_module("keras.layers").Layer
    return layer.get_config(model)


def export(model, path, *, input_signature, **options):
    """As `keras.Model.export`: Keras 2's takes no signature, nor other options."""
    if not _KERAS_2:
        options["input_signature"] = input_signature
        return importlib.import_module("keras").Model.export(model, path, **options)
    archive = importlib.import_module("keras.src.export.export_lib").ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.__call__, input_signature)
    return archive.write_out(path)
