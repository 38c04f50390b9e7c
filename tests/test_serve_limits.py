"""What the server doesn't even read, and where it is not found."""

import gzip
import json
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from serving import pixels

pytestmark = pytest.mark.xdist_group("exported")


def test_oversized_requests(server):
    large = np.zeros((1, 600, 600, 3), np.uint8)
    with pytest.raises(grpc.RpcError, match=r"larger than max \(\d+ vs. 1048576\)") as refused:
        server.predict(pixels(large, large))
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    status, answer = server.rest("/v1/models/ttsr:predict", b" " * (2**20 + 1))
    assert (status, "at most 1048576 bytes" in answer["error"]) == (413, True)
    # 64 MB in some kilobytes
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.rest_port}/v1/models/ttsr:predict",
        gzip.compress(bytes(2**26)),
        {"Content-Encoding": "gzip"},
    )
    with pytest.raises(urllib.error.HTTPError, match="400") as error:
        urllib.request.urlopen(request, timeout=60)
    with error.value:
        assert "without a Content-Encoding" in json.load(error.value)["error"]
    with pytest.raises(grpc.RpcError, match=r"gzip.* is disabled"):
        server.prediction.Predict(
            pixels(large, large), timeout=60, compression=grpc.Compression.Gzip
        )


def test_unknown_addresses(server, pair):
    lr, ref = (one[None].tolist() for one in pair)
    good = json.dumps({"inputs": {"lr": lr, "ref": ref}}).encode()
    assert server.rest("/v1/models/ttsr:predict", good)[0] == 200
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
