"""`python -m export.serve` as a process, TF Serving's own stubs, and requests."""

import base64
import contextlib
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import grpc
import numpy as np
import psutil
import pytest
import tensorflow as tf
from conftest import ROOT

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)


@contextlib.contextmanager
def started(models, *flags):
    """A `Server` that is ready; afterwards nothing of it is left."""
    server = Server(models, flags)
    family = []
    try:
        assert "loading the model" in server.process.stdout.readline()
        line = server.process.stdout.readline()
        assert line.startswith("Serving ttsr, version 1: gRPC 127.0.0.1:"), line
        family = psutil.Process(server.process.pid).children(recursive=True)
        yield server
    finally:
        server.channel.close()
        server.process.terminate()
        server.process.wait(timeout=60)
        server.process.stdout.close()
        _, alive = psutil.wait_procs(family, timeout=20)
        for process in alive:
            process.kill()
    assert not alive


class Server:
    """The process and its clients."""

    def __init__(self, models, flags):
        self.models = models
        self.grpc_port, self.rest_port, self.metrics_port = free_ports(3)
        ports = (
            f"--port={self.grpc_port}",
            f"--rest_api_port={self.rest_port}",
            f"--metrics_port={self.metrics_port}",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "export.serve", f"--model_base_path={models}", *ports, *flags],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}")
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model_service = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, request):
        return self.prediction.Predict(request, timeout=240)

    def status(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "ttsr"
        answer = self.model_service.GetModelStatus(request, timeout=60)
        name = get_model_status_pb2.ModelVersionStatus.State.Name
        return {status.version: name(status.state) for status in answer.model_version_status}

    def rest(self, path, body=None):
        """The status and the parsed answer."""
        url = f"http://127.0.0.1:{self.rest_port}{path}"
        try:
            with urllib.request.urlopen(url, body, timeout=240) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def replicas(self):
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in family if process.name().startswith("ray::ServeReplica")]


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def pixels(lr, ref):
    return predict("serving_default", lr=lr, ref=ref)


def predict(signature, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "ttsr", signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def png(pixels):
    return tf.io.encode_png(pixels).numpy()


def b64(content):
    return {"b64": base64.b64encode(content).decode()}
