"""A client of `export.serve` that knows the right answers."""

import base64
import json
import urllib.error
import urllib.request

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class Client:
    """Sends requests by TF Serving's stub and by REST in turn, and compares the answers.

    Args:
        grpc_port, rest_port: ints, the server's.
        pairs: list of dicts with `lr` and `ref`, uint8 [1, H, W, 3].
        expected: list of the large pictures, uint8 [1, 4·H, 4·W, 3].
    """

    def __init__(self, grpc_port, rest_port, *, pairs, expected):
        self._url = f"http://127.0.0.1:{rest_port}/v1/models/ttsr:predict"
        self._pairs, self._expected = pairs, expected
        channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def send(self, i):
        """How a good request ended: "right", "wrong", or an error's code."""
        case = i % len(self._pairs)
        try:
            sr = (self._by_grpc, self._by_rest)[i % 2](self._pairs[case])
        except grpc.RpcError as error:
            return error.code().name
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"
        return "right" if np.array_equal(sr, self._expected[case]) else "wrong"

    def _by_grpc(self, pair):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "ttsr"
        for name, value in pair.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return tf.make_ndarray(self._stub.Predict(request, timeout=300).outputs["sr"])

    def _by_rest(self, pair):
        files = {f"{name}_bytes": tf.io.encode_png(x[0]).numpy() for name, x in pair.items()}
        sr = tf.io.decode_png(self._post(**files))
        return sr[None]

    def send_broken(self, i):
        """The reason with which a broken request was refused, or how it ended otherwise."""
        lr, ref = self._pairs[0].values()
        file = tf.io.encode_png(ref[0]).numpy()
        bomb = file[:16] + 2 * (30_000).to_bytes(4, "big") + file[24:]
        try:
            (
                lambda: self._by_grpc({"lr": lr[0], "ref": ref}),
                lambda: self._post(lr_bytes=file[:200], ref_bytes=file),
                lambda: self._by_grpc({"lr": lr / 2, "ref": ref}),
                lambda: self._post(lr_bytes=b"hello", ref_bytes=file),
                lambda: self._by_grpc({"lr": lr}),
                lambda: self._post(lr_bytes=bomb, ref_bytes=file),
                lambda: self._by_grpc({"lr": lr[:, :0], "ref": ref}),
            )[i % 7]()
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}: {json.load(error)['error']}"
        return "NOT REFUSED"

    def _post(self, **files):
        inputs = {name: [{"b64": base64.b64encode(file).decode()}] for name, file in files.items()}
        body = json.dumps({"signature_name": "encoded", "inputs": inputs}).encode()
        with urllib.request.urlopen(self._url, body, timeout=300) as answer:
            return base64.b64decode(json.load(answer)["outputs"][0]["b64"])
