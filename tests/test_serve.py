"""`python -m export.serve`: predictions, status, and the bound on what waits."""

import base64
import concurrent.futures
import json
import socket
import subprocess
import sys

import grpc
import numpy as np
import psutil
import pytest
import tensorflow as tf
from conftest import ROOT, ports_beyond_this_machine

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from serving import b64, free_ports, pixels, png, predict
from tensorflow_serving.apis import get_model_metadata_pb2

from export.server.config import ServeConfig, check
from ttsr_tf import InputError, configuration

QUEUED = 3  # as the fixture `server` has it


def test_predict_by_grpc(server, exported_model, pair):
    lr, ref = pair
    answer = server.predict(pixels(lr[None], ref[None]))
    expected = exported_model.upscale_with_attention(lr, ref)
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


def test_predict_by_rest(server, exported_model, pair):
    lr, ref = pair
    sr = exported_model.upscale(lr, ref)
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
        # While the queue is full, REST is refused too, and status is answered.
        running = [pool.submit(code, 0) for _ in range(11)]
        answers = []
        while not all(future.done() for future in running):
            answers.append(server.rest("/v1/models/ttsr:predict", b"never read"))
            assert server.status() == {1: "AVAILABLE"}
        assert grpc.StatusCode.OK in {future.result() for future in running}
    assert codes.count(grpc.StatusCode.OK) >= 1 + QUEUED
    assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) >= 1
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert (429, True) in {(status, "wait" in answer["error"]) for status, answer in answers}


def test_listens_on_this_machine_only(server):
    for process in [psutil.Process(server.process.pid), *server.replicas()]:
        beyond = ports_beyond_this_machine(process)
        # Ray Serve's replicas have one port that can't be told where to listen; see README.md.
        assert len(beyond) == process.name().startswith("ray::ServeReplica"), process


def test_the_clients_command(server, exported_model, pair, tmp_path):
    for name, one in zip(("lr", "ref"), pair, strict=True):
        (tmp_path / f"{name}.png").write_bytes(png(one))
    files = [f"--{name}={tmp_path / name}.png" for name in ("lr", "ref", "output")]

    def client(port):
        command = [sys.executable, "-m", "export.client", f"--server=127.0.0.1:{port}", *files]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    result = client(server.rest_port)
    where = f"127.0.0.1:{server.rest_port}"
    assert result.stderr.splitlines() == [
        f"error: {where} speaks HTTP, not gRPC. Give the server's gRPC port."
    ]
    result = client(server.grpc_port)
    assert result.returncode == 0, result.stderr
    sr = tf.io.decode_png((tmp_path / "output.png").read_bytes())
    np.testing.assert_array_equal(sr, exported_model.upscale(*pair))


PORTS = "port", "rest_api_port", "metrics_port"


def test_what_cant_be_served(exported, tmp_path, monkeypatch):
    ports = dict(zip(PORTS, free_ports(3), strict=True))
    models = exported / "ttsr"
    check(ServeConfig(model_base_path=models, **ports))
    refused = ServeConfig(model_base_path=tmp_path, **ports)
    command = f"python -m export.saved_model --output_dir={tmp_path} --checkpoint=…"
    with pytest.raises(InputError, match=rf"{tmp_path} holds no numbered folder.*: {command}"):
        check(refused)
    with pytest.raises(InputError, match=r"`port`=.*, `rest_api_port`=.* must differ"):
        check(ServeConfig(model_base_path=models, **{**ports, "port": ports["metrics_port"]}))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"\(missing: ray\): pip install 'ttsr-tf\[ray\]'"):
        check(refused)


@pytest.mark.parametrize("name", PORTS)
def test_a_port_that_is_taken(exported, name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = dict(zip(PORTS, free_ports(3), strict=True))
        ports[name] = taken.getsockname()[1]
        where = rf"port {ports[name]} of 127.0.0.1 \(Address already in use\)"
        with pytest.raises(InputError, match=f"Can't listen on {where}. Choose another `{name}`."):
            check(ServeConfig(model_base_path=exported / "ttsr", **ports))


def test_old_names_of_flags_are_answered():
    for old, new in (("grpc_port=1", "port"), ("rest_port=1", "rest_api_port")):
        with pytest.raises(InputError, match=f"--{old[:-2]} is now --{new}. Give that."):
            configuration.parse(ServeConfig, ["--model_base_path=x", f"--{old}"])
    with pytest.raises(InputError, match="--model_dir is now --model_base_path"):
        configuration.parse(ServeConfig, ["--model_dir=x"])
