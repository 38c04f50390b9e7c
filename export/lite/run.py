"""An export from its configuration to a file that was compared with the checkpoint."""

import logging
import os
import tempfile

import numpy as np
import tensorflow as tf

from ttsr_tf import __version__, cli
from ttsr_tf.errors import InputError
from ttsr_tf.files import sha256, written_aside
from ttsr_tf.models import MODELS
from ttsr_tf.weights import checkpoints, naming, tflite

from . import config as configs
from . import verification
from .module import SIGNATURES, module, numbers, signatures
from .weights import named


def export_litert(config: configs.LiteRTConfig) -> str:
    """Writes a network as a .tflite, and says how it compares.

    Args:
        config: a `LiteRTConfig`.

    Returns:
        The file's path.

    Raises:
        InputError: what can't be used, by name; a network that can't be converted; a file whose
            results differ from the checkpoint's.
    """
    configs.check(config)
    path = naming.path_of(config.checkpoint)
    source = sha256(path)  # now, since the output may be the same file
    model = checkpoints.load(config.checkpoint)
    arrays = {name: np.asarray(v) for name, v in checkpoints.named_variables(model).items()}
    (name,) = (name for name, cls in MODELS.items() if cls == type(model).__name__)
    about = {
        "model": name,
        "config": checkpoints.arguments(model),
        "numbers": numbers(model),
        "versions": {"ttsr-tf": __version__, "tensorflow": tf.__version__},
        "source_sha256": source,
        "signatures": SIGNATURES,
    }
    with written_aside(config.output) as aside:
        if config.base:
            tflite.write_patch(aside, about, arrays, base=config.base)
        else:
            content, about["weights"] = named(_converted(model), arrays, config.weights)
            tflite.write(aside, about, content)
        for line in verification.compare(aside, model):
            print(line, flush=True)
    print(f"{config.output} written, {os.path.getsize(config.output) / 1e6:.2f} MB.")
    return config.output


def _converted(model):
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, cli.stderr_kept():
        functions = signatures(model)
        # Nobody trains through it.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module(model), folder, functions, options)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[*functions])
        try:
            return converter.convert()
        except Exception as error:  # the converter has kinds of its own, which aren't public
            reason = str(error).strip().splitlines()[0][:200]
    raise InputError(f"{type(model).__name__} can't be converted for LiteRT ({reason}).")
