"""Requests that TF Serving sends itself before it calls a model ready."""

import os

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from ..graph.signatures import ENCODED, SERVING_DEFAULT

FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")  # TF Serving's name for it


def write(folder: str, name: str, pairs: list[tuple]) -> None:
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
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return log.SerializeToString()


def _jpeg(picture):
    return tf.io.encode_jpeg(picture, quality=95).numpy()
