"""Requests that TF Serving sends itself before it calls a model ready."""

import os

import tensorflow as tf

from export.graph import ENCODED, SERVING_DEFAULT
from ttsr_tf.errors import InputError

FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")  # TF Serving's name for it


def protocol():
    """The module of PredictionLog, from tensorflow-serving-api.

    Raises:
        InputError: it is not installed.
    """
    try:
        from tensorflow_serving.apis import prediction_log_pb2
    except ImportError:
        raise InputError(
            "Warm-up requests need tensorflow-serving-api of TensorFlow's release: "
            "pip install 'ttsr-tf[serving]'. Or give --nowarmup."
        ) from None
    return prediction_log_pb2


def write(folder, name, pairs):
    """Writes a request to either signature for every pair.

    Args:
        folder: the SavedModel's.
        name: what the model is called by its clients.
        pairs: list of (lr, ref), uint8 [H, W, 3].
    """
    path = os.path.join(folder, FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tf.io.TFRecordWriter(path) as writer:
        for lr, ref in pairs:
            pictures = {"lr": lr[None], "ref": ref[None]}
            writer.write(_record(name, SERVING_DEFAULT, pictures))
            files = {f"{key}_bytes": [_jpeg(picture[0])] for key, picture in pictures.items()}
            writer.write(_record(name, ENCODED, files))


def _record(name, signature, inputs):
    log = protocol().PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return log.SerializeToString()


def _jpeg(picture):
    return tf.io.encode_jpeg(picture, quality=95).numpy()
