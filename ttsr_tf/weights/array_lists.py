"""TensorLayer's .npz files, lists of arrays as Python objects: read without running their code."""

import os
import pickle
import zipfile

import numpy as np

from ttsr_tf.errors import InputError

_MEMBER = "params.npy"


def read(path):
    """The arrays of a file.

    Args:
        path: of an .npz with the one member `params`, a pickled list of arrays.

    Returns:
        A list of float arrays.

    Raises:
        InputError: no such file, not such a file, or one that holds anything but arrays of floats.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path} is not a file. Check the path.")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_MEMBER) as member:
            np.lib.format.read_magic(member)
            np.lib.format.read_array_header_1_0(member)
            arrays = list(_ArraysOnly(member, encoding="latin1").load())
    except InputError:
        raise
    except Exception:  # unpickling raises whatever it meets
        raise InputError(
            f"{path} can't be read: it must be an .npz with `params`, a list of arrays, as the "
            "released files are. Is it whole?"
        ) from None
    if not all(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in arrays):
        raise InputError(f"{path} must hold arrays of floats only.")
    return arrays


class _ArraysOnly(pickle.Unpickler):
    """Finds what NumPy's arrays are made of, and nothing else."""

    def find_class(self, module, name):
        # numpy.core is numpy._core since NumPy 2; the name is the reconstruction's own.
        reconstruct = np.empty(0).__reduce__()[0]
        known = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("numpy.core.multiarray", "_reconstruct"): reconstruct,
            ("numpy._core.multiarray", "_reconstruct"): reconstruct,
            ("_codecs", "encode"): _encoded,  # how Python 3 writes bytes for Python 2
        }
        if (module, name) not in known:
            raise InputError(
                f"The file asks for {module}.{name}, which is no array: it isn't read further."
            )
        return known[module, name]


def _encoded(text, encoding):
    if encoding != "latin1":
        raise ValueError(encoding)
    return text.encode(encoding)
