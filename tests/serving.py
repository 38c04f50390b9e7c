"""A server's clients by gRPC and REST, what they send, and the server itself without Ray."""

import asyncio
import base64
import concurrent.futures
import contextlib
import json
import socket
import time
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.server import grpc_service, model_versions, replicas, rest, run
from export.server.config import ServeConfig


class Clients:
    """Of a server on this machine."""

    def __init__(self):
        self.ports = dict(
            zip(("port", "rest_api_port", "metrics_port"), free_ports(3), strict=True)
        )
        self.grpc_port, self.rest_port, self.metrics_port = self.ports.values()
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


class InProcess(Clients):
    """`export.server` in a thread; see `in_process`.

    Attributes:
        counted: what went to Ray's metrics, (protocol, code)s.
        alive: how many replicas Ray would say are running.
        running: a future that is done when the server has ended.
    """

    def __init__(self, models, flags):
        super().__init__()
        self.counted, self.alive = [], 1
        self._config = ServeConfig(model_base_path=models, **self.ports, **flags)
        self._loop = self._stop = None
        thread = concurrent.futures.ThreadPoolExecutor(1)
        self.running = thread.submit(run.serve_saved_model, self._config, self._stopped)
        thread.shutdown(wait=False)

    def ready(self):
        if self.running.done():
            self.running.result()
        with contextlib.suppress(OSError):
            return self.rest("/healthz") == (200, {"status": "ok"})

    def stop(self):
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _stopped(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self._stop.wait()


@contextlib.contextmanager
def in_process(models, start, **flags):
    """The server of `python -m export.serve`, ready, in a thread; but without Ray.

    Args:
        models: the folder of versions.
        start: in the place of `replicas.start`.
        **flags: of a `ServeConfig`.

    Yields:
        An `InProcess`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicas, "cluster", contextlib.nullcontext)
        patch.setattr(replicas, "start", start)
        patch.setattr(replicas, "stop", lambda name: None)
        patch.setattr(replicas, "running", lambda name: server.alive)
        patch.setattr(model_versions, "_LOOK_EVERY", 0.02)
        server = InProcess(models, flags)
        for module in grpc_service, rest:
            patch.setattr(module, "count", lambda *how: server.counted.append(how))
        try:
            until(server.ready)
            yield server
        finally:
            server.channel.close()
            if server._loop and not server.running.done():
                server.stop()
            server.running.result(timeout=60)


class Handle:
    """Ray's handle of a replica, which is in this process."""

    def __init__(self, replica):
        self.run = self
        self._replica = replica

    def remote(self, signature_name, inputs):
        return asyncio.to_thread(self._replica.run, signature_name, inputs)


def until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


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
        is_proto = hasattr(value, "tensor_content")
        request.inputs[name].CopyFrom(value if is_proto else tf.make_tensor_proto(value))
    return request


def png(pixels):
    return tf.io.encode_png(pixels).numpy()


def b64(content):
    return {"b64": base64.b64encode(content).decode()}
