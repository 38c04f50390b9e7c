"""`python -m export.serve`, run as a person does, by TF Serving's own stubs and by HTTP."""

import base64
import concurrent.futures
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import grpc
import numpy as np
import psutil
import pytest
import tensorflow as tf
from conftest import ROOT

from ttsr_tf import checkpoints

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT
QUEUED = 3
UNSHAPED = tf.TensorShape(None).as_proto()


class Server:
    """The process and its clients."""

    def __init__(self, models, ports):
        self.models = models
        self.grpc_port, self.rest_port, self.metrics_port = ports
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "export.serve", f"--model_dir={models}"),
                *(f"--grpc_port={ports[0]}", f"--rest_port={ports[1]}"),
                *(f"--metrics_port={ports[2]}", f"--max_queued_requests={QUEUED}"),
                "--max_request_mb=1",
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}")
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model_service = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, request):
        return self.prediction.Predict(request, timeout=60)

    def status(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "ttsr"
        answer = self.model_service.GetModelStatus(request, timeout=10)
        name = get_model_status_pb2.ModelVersionStatus.State.Name
        return {status.version: name(status.state) for status in answer.model_version_status}

    def rest(self, path, body=None):
        """The status and the parsed answer."""
        url = f"http://127.0.0.1:{self.rest_port}{path}"
        try:
            with urllib.request.urlopen(url, body, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def replicas(self):
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in family if process.name().startswith("ray::ServeReplica")]


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    models = tmp_path_factory.mktemp("models") / "ttsr"
    shutil.copytree(exported / "ttsr" / "1", models / "1")
    server = Server(models, free_ports(3))
    family = []
    try:
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


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


@pytest.fixture(scope="module")
def model(exported):
    return checkpoints.load(exported / "model.weights.h5")


@pytest.fixture
def pair(rng):
    return picture(rng, 9, 14), picture(rng, 20, 27)


@pytest.fixture(scope="module")
def large():
    """A request that takes some tenths of a second."""
    rng = np.random.default_rng(1)
    return pixels(picture(rng, 40, 40)[None], picture(rng, 160, 160)[None])


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


def test_predict_by_grpc(server, model, pair):
    lr, ref = pair
    answer = server.predict(pixels(lr[None], ref[None]))
    expected = model.upscale_with_attention(lr, ref)
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["sr"])[0], expected["sr"])
    confidence = tf.make_ndarray(answer.outputs["confidence"])[0]
    np.testing.assert_allclose(confidence, expected["confidence"], atol=1e-5)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("ttsr", 1)

    request = predict("encoded", lr_bytes=[png(lr)], ref_bytes=[png(ref)])
    (sr_bytes,) = server.predict(request).outputs["sr_bytes"].string_val
    np.testing.assert_array_equal(tf.io.decode_png(sr_bytes), expected["sr"])


def test_filter_and_default_signature(server, pair):
    request = pixels(*(one[None] for one in pair))
    request.model_spec.signature_name = ""
    request.model_spec.version.value = 1
    request.output_filter.append("confidence")
    assert list(server.predict(request).outputs) == ["confidence"]


def test_predict_by_rest(server, model, pair):
    lr, ref = pair
    sr = model.upscale(lr, ref)
    row = {"lr": lr.tolist(), "ref": ref.tolist()}
    for path in "/v1/models/ttsr:predict", "/v1/models/ttsr/versions/1:predict":
        status, answer = server.rest(path, json.dumps({"instances": [row, row]}).encode())
        assert status == 200, answer
        np.testing.assert_array_equal([one["sr"] for one in answer["predictions"]], [sr, sr])
        assert np.shape(answer["predictions"][0]["confidence"]) == (9, 14)

    columns = {"lr": [row["lr"]], "ref": [row["ref"]]}
    _, answer = server.rest(path, json.dumps({"inputs": columns}).encode())
    np.testing.assert_array_equal(answer["outputs"]["sr"], [sr])

    files = {"lr_bytes": b64(png(lr)), "ref_bytes": b64(png(ref))}
    body = {"signature_name": "encoded", "instances": [files]}
    _, answer = server.rest(path, json.dumps(body).encode())
    (one,) = answer["predictions"]
    np.testing.assert_array_equal(tf.io.decode_png(base64.b64decode(one["b64"])), sr)


def test_status_and_metadata(server):
    assert server.status() == {1: "AVAILABLE"}
    one = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    for path in "/v1/models/ttsr", "/v1/models/ttsr/versions/1":
        assert server.rest(path) == (200, {"model_version_status": [one]})
    assert server.rest("/healthz") == (200, {"status": "ok"})

    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "ttsr"
    request.metadata_field.append("signature_def")
    answer = server.prediction.GetModelMetadata(request, timeout=10)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) == {"serving_default", "encoded"}
    assert signatures.signature_def["encoded"].inputs["lr_bytes"].dtype == tf.string
    _, answer = server.rest("/v1/models/ttsr/metadata")
    given = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert given["inputs"]["lr"]["dtype"] == "DT_UINT8"
    assert answer["model_spec"] == {"name": "ttsr", "signature_name": "", "version": "1"}


def bomb():
    """A PNG of some bytes that says that it is 30,000×30,000 pixels."""
    content = bytearray(png(np.zeros((20, 20, 3), np.uint8)))
    content[16:24] = 2 * (30_000).to_bytes(4, "big")
    return bytes(content)


def repeated():
    """A tensor of a byte that stands for 10 GB."""
    proto = tf.make_tensor_proto(np.zeros((1, 1, 1, 3), np.uint8))
    proto.Clear()
    proto.dtype = tf.uint8.as_datatype_enum
    proto.tensor_shape.CopyFrom(tf.TensorShape([1, 60_000, 60_000, 3]).as_proto())
    proto.int_val.append(7)
    return proto


def short():
    proto = tf.make_tensor_proto(np.zeros((1, 9, 9, 3), np.uint8))
    proto.tensor_content = proto.tensor_content[:-1]
    return proto


LR, REF = np.zeros((1, 9, 9, 3), np.uint8), np.zeros((1, 16, 16, 3), np.uint8)
FILE = png(REF[0])


@pytest.mark.parametrize(
    ("signature", "inputs", "reason"),
    [
        ("encoded", {"lr_bytes": [b"hello"], "ref_bytes": [FILE]}, r"`lr_bytes`\[0\] is neither"),
        ("encoded", {"lr_bytes": [FILE], "ref_bytes": [FILE[:-20]]}, "`ref_bytes`: Invalid PNG"),
        ("encoded", {"lr_bytes": [bomb()], "ref_bytes": [FILE]}, "is 30000×30000 pixels, at most"),
        ("encoded", {"lr_bytes": [FILE]}, "`ref_bytes` is missing: the inputs are `lr_bytes`, "),
        (
            "encoded",
            {"lr_bytes": [FILE] * 9, "ref_bytes": [FILE] * 9},
            "holds 9 pictures, at most 8",
        ),
        (
            "encoded",
            {"lr_bytes": b"", "ref_bytes": [FILE]},
            r"must be string \[\?\], got string \[\]",
        ),
        (
            "serving_default",
            {"lr": LR[0], "ref": REF},
            r"`lr` must be uint8 .*, got uint8 \[9, 9, 3",
        ),
        ("serving_default", {"lr": LR, "ref": REF / 2}, "`ref` must be uint8 .*, got float64"),
        (
            "serving_default",
            {"lr": LR[..., :1], "ref": REF},
            r"`lr` must be uint8 \[\?, \?, \?, 3\]",
        ),
        ("serving_default", {"lr": LR[:, :0], "ref": REF}, "`lr` is 9×0 pixels"),
        ("serving_default", {"lr": LR[:0], "ref": REF[:0]}, "`lr` is empty"),
        ("serving_default", {}, "`lr` is missing"),
        ("serving_default", {"lr": LR, "ref": REF, "x": LR}, "`x` is unknown"),
        ("serving_default", {"lr": repeated(), "ref": REF}, r"60000, 3\] is too large"),
        (
            "serving_default",
            {"lr": short(), "ref": REF},
            "`lr` .* doesn't hold what its shape says",
        ),
        ("nonsense", {"lr": LR, "ref": REF}, "no signature `nonsense`. Use `encoded`, `serving_d"),
    ],
)
def test_bad_requests_by_grpc(server, model, pair, signature, inputs, reason):
    request = predict(signature)
    for name, value in inputs.items():
        is_proto = hasattr(value, "tensor_content")
        request.inputs[name].CopyFrom(value if is_proto else tf.make_tensor_proto(value))
    start = time.monotonic()
    refused(server, request, INVALID, reason)
    assert time.monotonic() - start < 5
    answer = server.predict(pixels(*(one[None] for one in pair)))
    sr = tf.make_ndarray(answer.outputs["sr"])[0]
    np.testing.assert_array_equal(sr, model.upscale(*pair))


def refused(server, request, code, reason):
    with pytest.raises(grpc.RpcError) as error:
        server.predict(request)
    assert error.value.code() == code, error.value
    assert re.search(reason, error.value.details()), error.value.details()


def test_unknown_names_by_grpc(server):
    request = pixels(LR, REF)
    request.model_spec.version.value = 7
    refused(
        server, request, grpc.StatusCode.NOT_FOUND, "Version 7 of `ttsr` isn't served, version 1"
    )
    request.model_spec.version_label = "stable"
    refused(server, request, INVALID, "Versions have no labels, got `stable`")
    request = pixels(LR, REF)
    request.model_spec.name = "other"
    refused(server, request, grpc.StatusCode.NOT_FOUND, "no model `other`. Use `ttsr`")
    request = pixels(LR, REF)
    request.output_filter.append("x")
    refused(server, request, INVALID, "no output `x`")


def test_oversized_requests(server):
    large = np.zeros((1, 600, 600, 3), np.uint8)
    reason = r"larger than max \(\d+ vs. 1048576\)"
    refused(server, pixels(large, large), grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
    status, answer = server.rest("/v1/models/ttsr:predict", b" " * (2**20 + 1))
    assert (status, "at most 1048576 bytes" in answer["error"]) == (413, True)
    gzip = grpc.Compression.Gzip
    with pytest.raises(grpc.RpcError, match=r"gzip.* is disabled"):
        server.prediction.Predict(pixels(large, large), timeout=60, compression=gzip)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "The body is not JSON"),
        ("[" * 100_000, "The body is not JSON"),
        ("[]", "either `instances` (rows) or `inputs`"),
        ({"instances": [], "inputs": {}}, "either `instances` (rows) or `inputs`"),
        ({"instances": []}, "`instances` must be a list of objects"),
        ({"instances": [{"lr": 1}, {"ref": 1}]}, "must hold the same inputs"),
        ({"inputs": [1]}, "`inputs` must be an object"),
        ({"inputs": {"lr": LR.tolist()}}, "`ref` is missing"),
        ({"inputs": {"lr": [[[[0, 0, 256]]]], "ref": 0}}, "only whole numbers from 0 to 255"),
        ({"inputs": {"lr": [[[[0, 0, 0.5]]]], "ref": 0}}, "only whole numbers from 0 to 255"),
        ({"inputs": {"lr": [[1], [1, 2]], "ref": 0}}, "`lr` can't be read as uint8"),
        ({"inputs": {"lr": [["a", "b"]], "ref": 0}}, "`lr` can't be read as uint8"),
        ({"inputs": {"lr": LR[0].tolist(), "ref": 0}}, "`lr` must be uint8 [?, ?, ?, 3], got"),
        (
            {"inputs": {"lr": LR.tolist(), "ref": REF.tolist()}, "signature_name": "x"},
            "no signature",
        ),
        ({"inputs": {"lr": LR.tolist(), "ref": REF.tolist()}, "signature_name": 1}, "be a string"),
        ({"inputs": {"lr_bytes": [7], "ref_bytes": []}}, "`lr` is missing"),
    ],
)
def test_bad_requests_by_rest(server, body, reason):
    body = body if isinstance(body, str) else json.dumps(body)
    status, answer = server.rest("/v1/models/ttsr:predict", body.encode())
    assert (status, reason in answer["error"]) == (400, True), answer


def test_bad_files_by_rest(server):
    def answer(*lr_bytes):
        inputs = {"lr_bytes": lr_bytes, "ref_bytes": [b64(FILE)]}
        body = {"signature_name": "encoded", "inputs": inputs}
        return server.rest("/v1/models/ttsr:predict", json.dumps(body).encode())

    for given, reason in (
        (b64(b"hello"), "`lr_bytes`[0] is neither PNG nor JPEG"),
        ("hello", "`lr_bytes`[0] is neither PNG nor JPEG"),
        (b64(bomb()), "30000×30000 pixels"),
        ({"b64": "?"}, "`lr_bytes` can't be read as string"),
        (7, '`lr_bytes` can\'t be read as string: send {"b64": "…"}'),
    ):
        status, content = answer(given)
        assert (status, reason in content["error"]) == (400, True), content
    assert answer(b64(FILE))[0] == 200


def test_unknown_addresses(server):
    good = json.dumps({"inputs": {"lr": LR.tolist(), "ref": REF.tolist()}}).encode()
    for path, body, status in (
        ("/v1/models/other", None, 404),
        ("/v1/models/other:predict", good, 404),
        ("/v1/models/ttsr/versions/7:predict", good, 404),
        ("/v1/models/ttsr/versions/7", None, 404),
        ("/v2", None, 404),
        ("/v1/models/ttsr", good, 405),
    ):
        given, answer = server.rest(path, body)
        assert (given, list(answer)) == (status, ["error"]), path


def test_the_queue_is_bounded(server, large):
    def code(_):
        try:
            server.predict(large)
        except grpc.RpcError as error:
            assert "requests are worked on or wait" in error.details()
            return error.code()
        return grpc.StatusCode.OK

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(code, range(12)))
        body = json.dumps({"inputs": {"lr": LR.tolist(), "ref": REF.tolist()}}).encode()
        # While the queue is kept full, REST is refused too, and status is answered.
        running = [pool.submit(code, 0) for _ in range(11)]
        time.sleep(0.1)
        status, answer = server.rest("/v1/models/ttsr:predict", body)
        assert server.status() == {1: "AVAILABLE"}
        assert grpc.StatusCode.OK in {future.result() for future in running}
    assert codes.count(grpc.StatusCode.OK) >= 1 + QUEUED
    assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) >= 1
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert (status, "wait" in answer["error"]) == (429, True)


def test_requests_whose_client_left_keep_their_place(server, large):
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as error:
            server.prediction.Predict(large, timeout=0.05)
        assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    server.predict(large)


def test_listens_on_this_machine_only(server):
    for process in [psutil.Process(server.process.pid), *server.replicas()]:
        beyond = {
            connection.laddr.port
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr.ip not in ("127.0.0.1", "::ffff:127.0.0.1")
        }
        # Ray Serve's replicas have one port that can't be told where to listen; see README.md.
        assert len(beyond) == process.name().startswith("ray::ServeReplica"), process


def test_the_clients_command(server, model, pair, tmp_path):
    for name, one in zip(("lr", "ref"), pair, strict=True):
        (tmp_path / f"{name}.png").write_bytes(png(one))
    files = (f"--{name}={tmp_path / name}.png" for name in ("lr", "ref", "output"))
    command = [sys.executable, "-m", "export.client", f"--server=127.0.0.1:{server.grpc_port}"]
    result = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    sr = tf.io.decode_png((tmp_path / "output.png").read_bytes())
    np.testing.assert_array_equal(sr, model.upscale(*pair))


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
            self.wrong += np.any(tf.make_ndarray(answer.outputs["sr"])[0] != self._sr)
            self.versions.append(answer.model_spec.version.value)


def until(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)


def test_a_killed_replica(server, model, rng):
    (replica,) = server.replicas()
    # So large that it is always working on one.
    with Load(server, model, picture(rng, 40, 40), picture(rng, 160, 160)) as load:
        until(lambda: len(load.versions) > 2)
        replica.kill()
        until(lambda: load.errors)
        done = len(load.versions)
        until(lambda: len(load.versions) > done + 2)
    assert {error.code() for error in load.errors} == {grpc.StatusCode.UNAVAILABLE}
    assert len(load.errors) == 1, load.errors  # the one that it was working on
    assert load.wrong == 0
    assert [process.pid for process in server.replicas()] != [replica.pid]

    def counted():
        url = f"http://127.0.0.1:{server.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            metrics = answer.read().decode()
        return re.search(r'ray_ttsr_requests_total{.*code="UNAVAILABLE".* 1\.0', metrics)

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


def test_a_new_version_under_load(server, model, pair):
    shutil.copytree(server.models / "1", server.models / ".2")
    with Load(server, model, *pair) as load:
        until(lambda: len(load.versions) > 5)
        (server.models / ".2").rename(server.models / "2")
        until(lambda: server.status() == {1: "END", 2: "AVAILABLE"})
        done = len(load.versions)
        until(lambda: len(load.versions) > done + 5)
    assert (load.errors, load.wrong) == ([], 0)
    switch = load.versions.index(2)
    assert set(load.versions[:switch]) == {1}
    assert set(load.versions[-5:]) == {2}
    assert len(server.replicas()) == 1


# The last one: it ends the server.
def test_stops_when_requests_under_way_are_done(server, large):
    body = json.dumps({"inputs": {"lr": LR.tolist(), "ref": REF.tolist()}})
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    running = [server.prediction.Predict.future(large, timeout=60) for _ in range(2)]
    time.sleep(0.2)
    connection.request("POST", "/v1/models/ttsr:predict", body)
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    assert all(future.result().outputs["sr"].tensor_content for future in running)
    assert connection.getresponse().status == 200
    connection.close()
    rest, _ = server.process.communicate(timeout=60)
    assert rest.endswith("Stopping: requests under way end first.\n")  # Ray tells of the killed one
    assert server.process.returncode == 0
