"""`python -m export.serve` under load: a killed replica, versions, and how it stops."""

import http.client
import json
import re
import shutil
import signal
import socket
import threading
import time
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
import serving
from serving import picture, pixels


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    models = tmp_path_factory.mktemp("models") / "ttsr"
    shutil.copytree(exported / "ttsr" / "1", models / "1")
    with serving.started(models, "--num_replicas=2") as server:
        yield server


class Load:
    """Two clients that send one request after the other until the end of the context."""

    def __init__(self, server, model, lr, ref):
        self.versions, self.errors, self.wrong = [], [], 0
        self._server, self._sr = server, model.upscale(lr, ref)
        self._request = pixels(lr[None], ref[None])
        self._end = threading.Event()
        self._clients = [threading.Thread(target=self._send) for _ in range(2)]

    def __enter__(self):
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for client in self._clients:
            client.join()

    def _send(self):
        while not self._end.is_set():
            try:
                answer = self._server.predict(self._request)
            except grpc.RpcError as error:
                self.errors.append(error)
                continue
            sr = tf.make_ndarray(answer.outputs["sr"])[0]
            self.wrong += not np.array_equal(sr, self._sr)
            self.versions.append(answer.model_spec.version.value)


def until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)


def test_a_killed_replica(server, exported_model, rng):
    replica, other = server.replicas()
    # So large that it is always working on one.
    with Load(server, exported_model, picture(rng, 40, 40), picture(rng, 160, 160)) as load:
        until(lambda: len(load.versions) > 2)
        replica.kill()
        until(lambda: load.errors)
        done = len(load.versions)
        until(lambda: len(load.versions) > done + 2)
    assert {error.code() for error in load.errors} == {grpc.StatusCode.UNAVAILABLE}
    assert len(load.errors) <= 2, load.errors  # what it was given, at most one of each client
    assert load.wrong == 0
    assert other in server.replicas()

    def counted():
        url = f"http://127.0.0.1:{server.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            metrics = answer.read().decode()
        counted = rf'ray_ttsr_requests_total{{.*code="UNAVAILABLE".* {len(load.errors)}\.0'
        return re.search(counted, metrics)

    until(counted)


def test_a_broken_version(server, pair):
    (server.models / ".2").mkdir()
    (server.models / ".2" / "saved_model.pb").write_bytes(b"nonsense")
    (server.models / ".2").rename(server.models / "2")
    until(lambda: server.status() == {1: "AVAILABLE", 2: "END"})
    _, answer = server.rest("/v1/models/ttsr/versions/2")
    (status,) = answer["model_version_status"]
    assert status["status"]["error_code"] == "UNKNOWN"
    reason = status["status"]["error_message"]
    assert re.match(r"Can't load .*/ttsr/2: OSError: Cannot parse file .*saved_model.pb", reason)
    answer = server.predict(pixels(*(one[None] for one in pair)))
    assert answer.model_spec.version.value == 1
    shutil.rmtree(server.models / "2")
    until(lambda: server.status() == {1: "AVAILABLE"})


def test_a_new_version_under_load(server, exported_model, pair):
    shutil.copytree(server.models / "1", server.models / ".2")
    with Load(server, exported_model, *pair) as load:
        until(lambda: len(load.versions) > 5)
        (server.models / ".2").rename(server.models / "2")
        until(lambda: server.status() == {1: "END", 2: "AVAILABLE"})
        done = len(load.versions)
        until(lambda: len(load.versions) > done + 5)
    assert (load.errors, load.wrong) == ([], 0)
    switch = load.versions.index(2)
    assert set(load.versions[:switch]) == {1}
    assert set(load.versions[-5:]) == {2}
    assert len(server.replicas()) == 2


# The last one: it ends the server.
def test_stops_when_requests_under_way_are_done(server, large):
    lr, ref = np.zeros((1, 9, 9, 3), int), np.zeros((1, 16, 16, 3), int)
    body = json.dumps({"inputs": {"lr": lr.tolist(), "ref": ref.tolist()}})
    with socket.create_connection(("127.0.0.1", server.rest_port)) as wrong:
        wrong.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")  # as a client of gRPC begins
        assert b" 400 " in wrong.recv(100)
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    running = [server.prediction.Predict.future(large, timeout=60) for _ in range(4)]
    time.sleep(0.2)
    connection.request("POST", "/v1/models/ttsr:predict", body)
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    assert all(future.result().outputs["sr"].tensor_content for future in running)
    assert connection.getresponse().status == 200
    connection.close()
    rest, _ = server.process.communicate(timeout=60)
    assert "BadHttpMessage" not in rest
    assert rest.endswith("Stopping: what is under way ends first.\n")  # Ray tells of the killed one
    assert server.process.returncode == 0
