"""The server without Ray: predictions, status, the bound on what waits, and how it stops."""

import base64
import concurrent.futures
import contextlib
import json
import socket
import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from served_pictures import assert_served
from serving import Handle, b64, in_process, pixels, png, predict, until
from tensorflow_serving.apis import get_model_metadata_pb2

from export import ClientConfig
from export.server import client, rest
from ttsr_tf import InputError

pytestmark = pytest.mark.xdist_group("exported")


def test_predict_by_grpc(server, enlarged, pair):
    lr, ref = pair
    answer = server.predict(pixels(lr[None], ref[None]))
    assert_served(tf.make_ndarray(answer.outputs["sr"])[0], enlarged["sr"])
    confidence = tf.make_ndarray(answer.outputs["confidence"])[0]
    np.testing.assert_allclose(confidence, enlarged["confidence"], atol=1e-5)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("ttsr", 1)

    request = predict("encoded", lr_bytes=[png(lr)], ref_bytes=[png(ref)])
    (sr_bytes,) = server.predict(request).outputs["sr_bytes"].string_val
    assert_served(tf.io.decode_png(sr_bytes), enlarged["sr"])


def test_filter_and_default_signature(server, pair):
    request = pixels(*(one[None] for one in pair))
    request.model_spec.signature_name = ""
    request.model_spec.version.value = 1
    request.output_filter.append("confidence")
    assert list(server.predict(request).outputs) == ["confidence"]


def test_predict_by_rest(server, enlarged, pair):
    lr, ref = pair
    sr = enlarged["sr"]
    row = {"lr": lr.tolist(), "ref": ref.tolist()}
    for path in "/v1/models/ttsr:predict", "/v1/models/ttsr/versions/1:predict":
        status, answer = server.rest(path, json.dumps({"instances": [row, row]}).encode())
        assert status == 200, answer
        assert_served([one["sr"] for one in answer["predictions"]], [sr, sr])
        assert np.shape(answer["predictions"][0]["confidence"]) == (9, 14)

    columns = {"lr": [row["lr"]], "ref": [row["ref"]]}
    _, answer = server.rest(path, json.dumps({"inputs": columns}).encode())
    assert_served(answer["outputs"]["sr"], [sr])

    files = {"lr_bytes": b64(png(lr)), "ref_bytes": b64(png(ref))}
    body = {"signature_name": "encoded", "instances": [files]}
    _, answer = server.rest(path, json.dumps(body).encode())
    (one,) = answer["predictions"]
    assert_served(tf.io.decode_png(base64.b64decode(one["b64"])), sr)


def test_status_and_metadata(server, monkeypatch):
    assert server.status() == {1: "AVAILABLE"}
    one = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    for path in "/v1/models/ttsr", "/v1/models/ttsr/versions/1":
        assert server.rest(path) == (200, {"model_version_status": [one]})
    assert server.rest("/healthz") == (200, {"status": "ok"})
    monkeypatch.setattr(server, "alive", 0)
    assert server.rest("/healthz") == (503, {"status": "no replica is running"})

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


class Waiting:
    """A replica that answers when `go` is set; `begun` counts the requests that reached it."""

    def __init__(self):
        self.begun = 0
        self.go = threading.Event()

    def run(self, signature_name, inputs):
        self.begun += 1
        assert self.go.wait(60)
        return {"sr": np.zeros((1, 4, 4, 3), np.uint8)}


@pytest.fixture
def waiting(exported, replica):
    """A server whose two replicas are `Waiting`, with three places to wait; and this replica."""
    slow = Waiting()

    def start(path, name, num_replicas):
        return Handle(slow), replica.signatures()

    flags = {"num_replicas": 2, "max_queued_requests": 3}
    with in_process(exported / "ttsr", start, **flags) as server:
        yield server, slow
        slow.go.set()


def test_the_queue_is_bounded(waiting, pair):
    server, replica = waiting
    request = pixels(*(one[None] for one in pair))
    sent = [server.prediction.Predict.future(request, timeout=60) for _ in range(12)]
    refused = 12 - 2 - 3
    until(lambda: sum(future.done() for future in sent) == refused)
    # REST is refused too, status is answered.
    status, answer = server.rest("/v1/models/ttsr:predict", b"never read")
    assert (status, "5 requests are worked on or wait" in answer["error"]) == (429, True)
    assert server.status() == {1: "AVAILABLE"}
    assert replica.begun == 2
    replica.go.set()
    codes = [future.code() for future in sent]  # waits
    assert codes.count(grpc.StatusCode.OK) == 5
    assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) == refused
    assert replica.begun == 5
    assert sorted(server.counted) == sorted(
        [("rest", "429"), *[("grpc", code.name) for code in codes]]
    )


def test_stops_when_requests_under_way_are_done(waiting, pair, capfd):
    server, replica = waiting
    lr, ref = (one[None] for one in pair)
    body = json.dumps({"inputs": {"lr": lr.tolist(), "ref": ref.tolist()}}).encode()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        by_rest = thread.submit(server.rest, "/v1/models/ttsr:predict", body)
        by_grpc = server.prediction.Predict.future(pixels(lr, ref), timeout=60)
        until(lambda: replica.begun == 2)
        server.stop()
        until(lambda: _refuses(server.rest_port) and _refuses(server.grpc_port))
        assert not server.running.done() and not by_grpc.done() and not by_rest.done()
        replica.go.set()
        assert by_rest.result()[0] == 200
        assert by_grpc.result().outputs["sr"].tensor_content
    server.running.result(timeout=60)


def _refuses(port):
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
        return False
    return True


def test_a_body_that_does_not_come_loses_its_place(server, monkeypatch):
    monkeypatch.setattr(rest, "_SLOWEST_BODY", 0.1)
    with socket.create_connection(("127.0.0.1", server.rest_port)) as slow:
        head = b"POST /v1/models/ttsr:predict HTTP/1.1", b"Host: localhost", b"Content-Length: 9"
        slow.sendall(b"\r\n".join([*head, b"", b"{"]))
        slow.settimeout(20)
        assert b" 408 " in slow.recv(100)
    assert ("rest", "408") in server.counted


def test_a_client_of_grpc_at_rests_port(server, caplog):
    with socket.create_connection(("127.0.0.1", server.rest_port)) as wrong:
        wrong.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")  # as it begins
        assert b" 400 " in wrong.recv(100)
    assert not caplog.records


def test_the_client(server, enlarged, pair, tmp_path, monkeypatch):
    monkeypatch.setitem(client._RETRIES, "initialBackoff", "0.05s")
    for name, one in zip(("lr", "ref"), pair, strict=True):
        (tmp_path / f"{name}.png").write_bytes(png(one))

    def ask(port):
        files = {name: tmp_path / f"{name}.png" for name in ("lr", "ref", "output")}
        client.request_upscale(ClientConfig(server=f"127.0.0.1:{port}", **files))

    with pytest.raises(InputError, match=f":{server.rest_port} speaks HTTP, not gRPC. Give the"):
        ask(server.rest_port)
    ask(server.grpc_port)
    sr = tf.io.decode_png((tmp_path / "output.png").read_bytes())
    assert_served(sr, enlarged["sr"])
