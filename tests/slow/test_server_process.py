"""`python -m export.serve` on Ray: its wire, a killed replica, versions, its end.

One server for all tests, which follow each other.
"""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request

import grpc
import numpy as np
import psutil
import pytest
import tensorflow as tf
from conftest import ROOT, ports_beyond_this_machine

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from server_process import started
from serving import picture, pixels, png, predict, until

pytestmark = pytest.mark.xdist_group("server")


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    models = tmp_path_factory.mktemp("models") / "ttsr"
    shutil.copytree(exported / "ttsr" / "1", models / "1")
    flags = "--num_replicas=2", "--max_queued_requests=2", "--max_request_mb=1"
    with started(models, *flags) as server:
        yield server


class Load:
    """Three clients that send one request after the other until the end of the context.

    One more than replicas, so that each replica is nearly always at work.
    """

    def __init__(self, server, model, lr, ref):
        self.versions, self.errors, self.wrong = [], [], 0
        self._server, self._sr = server, model.upscale(lr, ref)
        self._request = pixels(lr[None], ref[None])
        self._end = threading.Event()
        self._clients = [threading.Thread(target=self._send) for _ in range(3)]

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


def test_listens_on_this_machine_only(server):
    for process in [psutil.Process(server.process.pid), *server.replicas()]:
        beyond = ports_beyond_this_machine(process)
        # Ray Serve's replicas have one port that can't be told where to listen; see README.md.
        assert len(beyond) == process.name().startswith("ray::ServeReplica"), process


def test_bad_requests_and_a_good_one(server, pair, enlarged):
    lr, ref = (one[None] for one in pair)
    for request, code, reason in (
        (pixels(lr[..., :1], ref), "INVALID_ARGUMENT", "`lr` must be uint8"),  # before a replica
        (predict("encoded", lr_bytes=[b"x"], ref_bytes=[b"x"]), "INVALID_ARGUMENT", "neither PNG"),
        (pixels(np.zeros((1, 600, 600, 3), np.uint8), ref), "RESOURCE_EXHAUSTED", "1048576"),
    ):
        with pytest.raises(grpc.RpcError) as error:
            server.predict(request)
        assert error.value.code().name == code
        assert reason in error.value.details()
    answer = server.predict(pixels(lr, ref))
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["sr"])[0], enlarged["sr"])


def test_the_clients_command(server, pair, enlarged, tmp_path):
    for name, one in zip(("lr", "ref"), pair, strict=True):
        (tmp_path / f"{name}.png").write_bytes(png(one))
    files = [f"--{name}={tmp_path / name}.png" for name in ("lr", "ref", "output")]
    command = [sys.executable, "-m", "export.client", f"--server=127.0.0.1:{server.grpc_port}"]
    result = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    sr = tf.io.decode_png((tmp_path / "output.png").read_bytes())
    np.testing.assert_array_equal(sr, enlarged["sr"])


def test_a_killed_replica(server, exported_model, rng):
    _, other = server.replicas()
    with Load(server, exported_model, picture(rng, 40, 40), picture(rng, 160, 160)) as load:
        until(lambda: len(load.versions) > 2)

        def killed_at_work():
            """One that had nothing to do is tried again, but not before it is replaced."""
            for replica in server.replicas():
                if replica != other:
                    replica.kill()
            with contextlib.suppress(AssertionError):
                until(lambda: load.errors, seconds=90)
            return load.errors

        until(killed_at_work)
        done = len(load.versions)
        until(lambda: len(load.versions) > done + 2)
    assert {error.code() for error in load.errors} == {grpc.StatusCode.UNAVAILABLE}
    assert len(load.errors) <= 3, load.errors  # what it was given, at most one of each client
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


def test_health_is_that_of_the_replicas(server, exported_model, pair):
    """While they work, while there is none, and once Ray has started others."""
    healthy, gone = (200, {"status": "ok"}), (503, {"status": "no replica is running"})
    with Load(server, exported_model, *pair) as load:
        until(lambda: len(load.versions) > 2)
        assert server.rest("/healthz") == healthy
    for replica in server.replicas():
        replica.kill()
    until(lambda: server.rest("/healthz") == gone)
    until(lambda: server.rest("/healthz") == healthy)
    until(lambda: len(server.replicas()) == 2)


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


def test_stops_when_requests_under_way_are_done(server, rng):
    large = pixels(picture(rng, 40, 40)[None], picture(rng, 160, 160)[None])
    requests = [server.prediction.Predict.future(large, timeout=240) for _ in range(5)]
    # One is refused at once: the others have all places.
    until(lambda: any(request.done() for request in requests))
    running = [request for request in requests if not request.done()]
    (refused,) = set(requests) - set(running)
    assert refused.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    server.process.send_signal(signal.SIGTERM)
    assert all(request.result().outputs["sr"].tensor_content for request in running)
    rest, _ = server.process.communicate(timeout=120)
    # Ray tells of the worker that was killed before, sooner or later.
    said = [line for line in rest.splitlines() if "(raylet)" not in line]
    assert said[-1] == "Stopping: what is under way ends first."
    assert server.process.returncode == 0
