"""Enlarges a picture by a server: `export.serve` or TF Serving.

python -m export.client --server=127.0.0.1:8500 --lr=small.png --ref=sharp.jpg --output=large.png
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import io
import json

import grpc
import tensorflow as tf
from absl import flags

from export.graph import ENCODED
from ttsr_tf.errors import InputError
from ttsr_tf.images import files

_SERVER = flags.DEFINE_string("server", "127.0.0.1:8500", "The server's host and gRPC port.")
_MODEL_NAME = flags.DEFINE_string("model_name", "ttsr", "What the server calls the model.")
_LR = flags.DEFINE_string("lr", None, "The small picture.", required=True)
_REF = flags.DEFINE_string("ref", None, "A sharp picture of something similar.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Where to write the large picture.", required=True)
_TIMEOUT = flags.DEFINE_float(
    "timeout", 120, "Seconds to wait for the result, with all attempts.", lower_bound=0.001
)

_LARGEST_MESSAGE = 256 * 2**20
_RETRIES = {
    "maxAttempts": 5,  # the most that gRPC does
    "initialBackoff": "0.5s",
    "backoffMultiplier": 2,
    "maxBackoff": "8s",
    "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
}


def main():
    files.check_output(_OUTPUT.value, (_LR.value, _REF.value))
    lr, ref = (files.read(path).rgb for path in (_LR.value, _REF.value))
    sr = files.read(io.BytesIO(_predicted(lr, ref)), "The server's answer").rgb
    files.write(_OUTPUT.value, sr)
    print(f"{_OUTPUT.value}: {sr.shape[1]}×{sr.shape[0]} pixels, by {_SERVER.value}.")


def _predicted(lr, ref):
    """The large picture's file from pixels, uint8 [H, W, 3]."""
    predict_pb2, prediction_service_pb2_grpc = _protocol()
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = _MODEL_NAME.value, ENCODED
    for name, picture in ("lr_bytes", lr), ("ref_bytes", ref):
        # Anew, since servers read PNG and JPEG only, and don't turn photographs upright.
        content = tf.io.encode_png(picture).numpy()
        request.inputs[name].CopyFrom(tf.make_tensor_proto([content]))
    with grpc.insecure_channel(_SERVER.value, _options()) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            response = stub.Predict(request, timeout=_TIMEOUT.value)
        except grpc.RpcError as error:
            raise InputError(_explained(error)) from None
    return response.outputs["sr_bytes"].string_val[0]


def _protocol():
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
    except ImportError:
        raise InputError(
            "The client needs tensorflow-serving-api of TensorFlow's release: "
            "pip install 'ttsr-tf[serving]'."
        ) from None
    return predict_pb2, prediction_service_pb2_grpc


def _options():
    service = {"service": "tensorflow.serving.PredictionService"}
    config = {"methodConfig": [{"name": [service], "retryPolicy": _RETRIES}]}
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.per_rpc_retry_buffer_size", _LARGEST_MESSAGE),  # larger requests aren't retried
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ]


def _explained(error):
    reason = (error.details() or error.code().name).splitlines()[0]
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        if "http1" in reason:
            return f"{_SERVER.value} speaks HTTP, not gRPC. Give the server's gRPC port."
        return f"{_SERVER.value} can't be reached ({reason}). Is a server running there?"
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{_SERVER.value} gave no answer in {_TIMEOUT.value:g} s. Give a larger --timeout."
    if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return f"{_SERVER.value} has too much to do, or the pictures are too large: {reason}"
    return f"{_SERVER.value}: {reason}"


if __name__ == "__main__":
    cli.run(main)
