"""What the server refuses, each by name, and that the next request is answered."""

import functools
import json
import re
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from served_pictures import assert_served
from serving import b64, pixels, png, predict

pytestmark = pytest.mark.xdist_group("exported")

INVALID = grpc.StatusCode.INVALID_ARGUMENT


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
def test_bad_requests_by_grpc(server, enlarged, pair, signature, inputs, reason):
    start = time.monotonic()
    refused(server, predict(signature, **inputs), INVALID, reason)
    assert time.monotonic() - start < 30  # the tests of another process run beside it
    assert server.counted[-1] == ("grpc", "INVALID_ARGUMENT")
    answer = server.predict(pixels(*(one[None] for one in pair)))
    sr = tf.make_ndarray(answer.outputs["sr"])[0]
    assert_served(sr, enlarged["sr"])


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
    assert server.counted[-1] == ("rest", "400")


def test_bad_files_by_rest(server):
    def answer(*lr_bytes):
        inputs = {"lr_bytes": lr_bytes, "ref_bytes": [b64(FILE)]}
        body = {"signature_name": "encoded", "inputs": inputs}
        return server.rest("/v1/models/ttsr:predict", json.dumps(body).encode())

    def nested(depth):
        return functools.reduce(lambda inner, _: [inner], range(depth), b64(FILE))

    for given, reason in (
        (nested(40), "`lr_bytes` has too many lists within lists."),
        (nested(600), "`lr_bytes` has too many lists within lists."),
        (b64(b"hello"), "`lr_bytes`[0] is neither PNG nor JPEG"),
        ("hello", "`lr_bytes`[0] is neither PNG nor JPEG"),
        (b64(bomb()), "30000×30000 pixels"),
        ({"b64": "?"}, "`lr_bytes` can't be read as string"),
        (7, '`lr_bytes` can\'t be read as string: send {"b64": "…"}'),
    ):
        status, content = answer(given)
        assert (status, reason in content["error"]) == (400, True), content
    assert answer(b64(FILE))[0] == 200
