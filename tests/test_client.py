"""The client, against a server of TF Serving's own code in this process."""

import concurrent.futures
import sys
import time

import grpc
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_serving", reason="NOT TESTED: needs tensorflow-serving-api")
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from export import ClientConfig
from export.server import client, client_config
from ttsr_tf import InputError
from ttsr_tf.images import files


class Enlarging(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers with the small picture, each pixel 4×4 times; first with `codes`, one a request."""

    def __init__(self):
        self.codes, self.times, self.requests = [], [], []

    def Predict(self, request, context):
        self.times.append(time.monotonic())
        self.requests.append(request)
        if self.codes:
            context.abort(self.codes.pop(0), "a reason\nand more")
        (lr,) = request.inputs["lr_bytes"].string_val
        sr = np.repeat(np.repeat(tf.io.decode_png(lr).numpy(), 4, 0), 4, 1)
        response = predict_pb2.PredictResponse()
        content = tf.io.encode_png(sr).numpy()
        response.outputs["sr_bytes"].CopyFrom(tf.make_tensor_proto([content]))
        return response


@pytest.fixture
def server():
    service = Enlarging()
    options = [("grpc.max_receive_message_length", 20 * 2**20)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = grpc.server(pool, options=options)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, running)
        service.port = running.add_insecure_port("127.0.0.1:0")
        running.start()
        yield service
        running.stop(None).wait()


@pytest.fixture
def place(tmp_path, rng):
    picture = PIL.Image.fromarray(rng.integers(256, size=(14, 18, 3), dtype=np.uint8))
    picture.save(tmp_path / "lr.png")
    picture.resize((50, 41)).save(tmp_path / "ref.jpg")
    (tmp_path / "text.png").write_text("hello")
    return tmp_path


@pytest.fixture
def ask(server, place):
    """Has the server enlarge; gives the large picture's path."""

    def run(**changed):
        given = {
            "server": f"127.0.0.1:{server.port}",
            "lr": place / "lr.png",
            "ref": place / "ref.jpg",
            "output": place / "out.png",
            **changed,
        }
        return client.request_upscale(ClientConfig(**given))

    return run


@pytest.fixture
def at_once(monkeypatch):
    """The client tries again without waiting."""
    monkeypatch.setitem(client._RETRIES, "initialBackoff", "0.05s")
    monkeypatch.setitem(client._RETRIES, "maxBackoff", "0.05s")


@pytest.fixture
def fails(ask, place):
    def run(**changed):
        with pytest.raises(InputError) as error:
            ask(**changed)
        assert not list(place.glob("*out*"))
        (line,) = str(error.value).splitlines()
        return line

    return run


def test_enlarges_after_two_refusals(server, ask, place, capsys):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # a quarter turn, as photographs have
    with PIL.Image.open(place / "lr.png") as image:
        image.save(place / "lr.tif", exif=exif)
    # Larger than what gRPC alone would keep to send it again.
    picture = np.random.default_rng(0).integers(256, size=(700, 900, 3), dtype=np.uint8)
    PIL.Image.fromarray(picture).save(place / "ref.png")
    server.codes = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]
    output = ask(model_name="other", lr=place / "lr.tif", ref=place / "ref.png")
    assert output == str(place / "out.png")
    assert capsys.readouterr().out == f"{output}: 56×72 pixels, by 127.0.0.1:{server.port}.\n"
    sr, lr = (files.read(place / name).rgb for name in ("out.png", "lr.png"))
    np.testing.assert_array_equal(sr[::4, 3::4], np.rot90(lr, -1))
    first, second, third = server.times
    assert 0.3 < second - first < 2  # half a second, then a whole one, each ± a fifth
    assert 0.7 < third - second < 3
    spec = server.requests[0].model_spec
    assert (spec.name, spec.signature_name) == ("other", "encoded")
    (ref,) = server.requests[2].inputs["ref_bytes"].string_val
    np.testing.assert_array_equal(tf.io.decode_png(ref), picture)


def test_gives_up_after_five_attempts(server, fails, at_once):
    server.codes = [grpc.StatusCode.RESOURCE_EXHAUSTED] * 9
    assert "has too much to do, or the pictures are too large: a reason" in fails()
    assert len(server.times) == 5


def test_other_refusals_are_final(server, fails):
    server.codes = [grpc.StatusCode.INVALID_ARGUMENT]
    assert fails() == f"127.0.0.1:{server.port}: a reason"
    assert len(server.times) == 1


def test_no_server(fails, at_once):
    line = fails(server="127.0.0.1:1")
    assert "127.0.0.1:1 can't be reached" in line
    assert line.endswith("Is a server running there?")


def test_no_answer_in_time(server, fails):
    server.codes = [grpc.StatusCode.UNAVAILABLE] * 9
    assert (
        "gave no answer in 0.4 s. Is a server running there? Then give a larger `timeout`"
        in fails(timeout=0.4)
    )


def test_what_cant_be_sent(place, monkeypatch):
    def check(**changed):
        given = {"lr": "lr.png", "ref": "ref.jpg", "output": "out.png", **changed}
        paths = {name: place / path for name, path in given.items()}
        client_config.check(client_config.ClientConfig(**paths))

    check()
    for changed, message in (
        ({"ref": "text.png"}, "text.png is not a picture that can be read"),
        ({"lr": "none.png"}, "none.png is not a file"),
        ({"output": "lr.png"}, "would be overwritten"),
        ({"output": "none/a.png"}, "Can't write to the folder"),
    ):
        with pytest.raises(InputError, match=message):
            check(**changed)
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    with pytest.raises(InputError, match=r"pip install 'ttsr-tf\[serving\]'"):
        check()
