"""A picture and its reference to a large one, by a server's gRPC."""

import io
import json

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from ttsr_tf.errors import InputError
from ttsr_tf.images import files

from ..graph.signatures import ENCODED
from . import client_config

_LARGEST_MESSAGE = 256 * 2**20
_RETRIES = {
    "maxAttempts": 5,  # the most that gRPC does
    "initialBackoff": "0.5s",
    "backoffMultiplier": 2,
    "maxBackoff": "8s",
    "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
}


def request_upscale(config: client_config.ClientConfig) -> str:
    """Has a server enlarge a picture.

    Args:
        config: a `ClientConfig`.

    Returns:
        The path of the large picture.

    Raises:
        InputError: pictures that can't be used; a server that can't be reached, or its reason.
    """
    client_config.check(config)
    lr, ref = (files.read(path).rgb for path in (config.lr, config.ref))
    sr = files.read(io.BytesIO(_predicted(config, lr=lr, ref=ref)), "The server's answer").rgb
    files.write(config.output, sr)
    print(f"{config.output}: {sr.shape[1]}×{sr.shape[0]} pixels, by {config.server}.")
    return config.output


def _predicted(config, **pictures):
    """The large picture's file from pixels, uint8 [H, W, 3]."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = config.model_name, ENCODED
    for name, picture in pictures.items():
        # Anew, since servers read PNG and JPEG only, and don't turn photographs upright.
        content = tf.io.encode_png(picture).numpy()
        request.inputs[f"{name}_bytes"].CopyFrom(tf.make_tensor_proto([content]))
    with grpc.insecure_channel(config.server, _options()) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            response = stub.Predict(request, timeout=config.timeout)
        except grpc.RpcError as error:
            raise InputError(_explained(error, config)) from None
    return response.outputs["sr_bytes"].string_val[0]


def _options():
    service = {"service": "tensorflow.serving.PredictionService"}
    config = {"methodConfig": [{"name": [service], "retryPolicy": _RETRIES}]}
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.per_rpc_retry_buffer_size", _LARGEST_MESSAGE),  # larger requests aren't retried
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ]


def _explained(error, config):
    reason = (error.details() or error.code().name).splitlines()[0]
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        if "http1" in reason:
            return f"{config.server} speaks HTTP, not gRPC. Give the server's gRPC port."
        return f"{config.server} can't be reached ({reason}). Is a server running there?"
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return (
            f"{config.server} gave no answer in {config.timeout:g} s. Is a server running there? "
            "Then give a larger `timeout`."
        )
    if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return f"{config.server} has too much to do, or the pictures are too large: {reason}"
    return f"{config.server}: {reason}"
