"""Between a network and its file: every variable under its path of attributes."""

import os
import shutil
import tempfile

import h5py
import keras
import numpy as np

from ttsr_tf import compat
from ttsr_tf.errors import InputError, first_of
from ttsr_tf.models import MODELS, Network, model_class
from ttsr_tf.weights import files, naming

# Not of the network, but of what it is made for.
_LEFT_OUT = "name", "trainable", "dtype", "extractor_dtype"


def named_variables(layer: keras.layers.Layer) -> dict[str, "keras.Variable"]:
    """A dict of the variables of a layer or model, such as `refine_12.0.blocks.3.conv1.kernel`."""
    found, taken = {}, set()
    for attribute, value in vars(layer).items():
        if attribute.startswith("_"):
            continue
        several = isinstance(value, (list, tuple))
        for i, part in enumerate(value if several else [value]):
            if isinstance(part, keras.layers.Layer):
                prefix = f"{attribute}.{i}" if several else attribute
                inner = named_variables(part)
                found |= {f"{prefix}.{name}": variable for name, variable in inner.items()}
                taken |= {id(variable) for variable in inner.values()}
    own = [variable for variable in layer.variables if id(variable) not in taken]
    return found | {v.name.split("/")[-1].removesuffix(":0"): v for v in own}


def arguments(model: Network) -> dict:
    """What a network's class is made with, as files have it: without name and dtypes."""
    return {name: value for name, value in model.get_config().items() if name not in _LEFT_OUT}


def save(model: Network, path: str | os.PathLike, *, dtype: str = "float32") -> None:
    """Writes a network by rename.

    Args:
        model: a built network (see `ttsr_tf.models`).
        path: file name ending in .safetensors.
        dtype: of what is written, float32 or float16; `load` takes either.

    Raises:
        InputError: no such network, another ending, or the file can't be written; what was there
            stays.
    """
    names = {cls: name for name, cls in MODELS.items()}
    name = names.get(type(model).__name__)
    if name is None or not model.built:
        raise InputError(
            f"`model` must be {' or '.join(names)} with its weights, got {type(model).__name__}"
            f"{' before `build()`' if name else ''}. Of a `GAN` or an `Upscaler`, give the network."
        )
    arrays = {key: np.asarray(v, dtype) for key, v in named_variables(model).items()}
    files.write(os.fspath(path), files.Header(name, arguments(model)), arrays)


def load(checkpoint: str | os.PathLike, **dtypes: str) -> Network:
    """The network of a file, or of a run's folder.

    Args:
        checkpoint: a file written by `ttsr_tf.convert` or `save`, or the `run_dir` of a training.
        dtypes: `dtype` and `extractor_dtype`, as of the network, to compute in others than float32.

    Returns:
        A built network of the class and sizes that were saved.

    Raises:
        InputError: nothing there, not such a file, or a damaged one.
    """
    path = naming.path_of(checkpoint)
    header = files.read_header(path)
    cls = model_class(header.model)
    try:
        model = cls(**header.config, **dtypes)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} holds a network that can't be made: {error}.") from None
    model.build()
    _restore(model, path)
    return model


def load_into(model: Network, checkpoint: str | os.PathLike) -> None:
    """Gives a built network the weights of a file, or of a run's folder.

    Raises:
        InputError: as of `load`; or the file's network is another, or of other sizes.
    """
    _restore(model, _path_of_same(model, checkpoint))


def interpolate(model: Network, checkpoint: str | os.PathLike, share: float) -> None:
    """Moves a built network's weights towards those of a file, or of a run's folder.

    What comes of such weights is between what comes of both (Wang et al., ESRGAN, 2018, section
    3.4), if one was trained from the other.

    Args:
        model: a network.
        checkpoint: as of `load`.
        share: how far, from 0 to 1.

    Raises:
        InputError: as of `load_into`.
    """
    path = _path_of_same(model, checkpoint)
    variables = named_variables(model)
    before = {name: np.array(variable) for name, variable in variables.items()}
    _restore(model, path)
    for name, variable in variables.items():
        variable.assign((1 - share) * before[name] + share * np.asarray(variable))


def _path_of_same(model, checkpoint):
    path = naming.path_of(checkpoint)
    header = files.read_header(path)
    wanted = arguments(model)
    if MODELS[header.model] != type(model).__name__ or header.config != wanted:
        raise InputError(
            f"{path} holds {MODELS[header.model]} with {header.config}, not "
            f"{type(model).__name__} with {wanted}. Give the same sizes."
        )
    return path


def _restore(model, path):
    if path.endswith(files.OLD_SUFFIX):
        _restore_old(model, path)
        return
    arrays, variables = files.read(path), named_variables(model)
    missing, surplus = sorted(variables.keys() - arrays), sorted(arrays.keys() - variables)
    other = [
        f"{name} {list(arrays[name].shape)} instead of {list(variable.shape)}"
        for name, variable in variables.items()
        if name in arrays and arrays[name].shape != tuple(variable.shape)
    ]
    kinds = {"missing": missing, "surplus": surplus, "of another shape": other}
    if wrong := [f"{kind}: {first_of(found, most=5)}" for kind, found in kinds.items() if found]:
        raise InputError(f"{path} doesn't fit its network: {'; '.join(wrong)}. Is the file whole?")
    for name, variable in variables.items():
        variable.assign(arrays[name].astype(np.float32))  # float16 on disk is half the size


def _restore_old(model, path):
    """From Keras' HDF5, in which a layer in `layers` is called by its class."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(path, os.path.join(folder, f"copy{files.OLD_SUFFIX}"))
        try:
            with h5py.File(copy, "a") as file:
                if "texture_extractor" in file["layers"]:  # as VGG19 was called here
                    file.move("layers/texture_extractor", "layers/vgg19")
            model.load_weights(copy)
        except (ValueError, KeyError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{path} can't be read by {compat.GENERATION} ({reason}): it is damaged, or of a "
                "later Keras. Convert or train it again, or load it where it was written and "
                "write a .safetensors file with `ttsr_tf.weights.checkpoints.save`."
            ) from None
