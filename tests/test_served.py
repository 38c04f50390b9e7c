"""The signatures of an exported model: sizes never traced, and bad requests."""

import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from served_pictures import assert_served

from export.graph.limits import Limits
from export.graph.serving_module import ServingModule

pytestmark = pytest.mark.xdist_group("exported")


@pytest.fixture
def session(replica):
    return replica._session


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def pairs(rng):
    sizes = (7, 12, 30, 25), (13, 5, 16, 41), (20, 21, 48, 36)  # lr, ref
    return [(picture(rng, *size[:2]), picture(rng, *size[2:])) for size in sizes]


def as_file(pixels, format="PNG"):
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def from_file(content):
    return np.asarray(PIL.Image.open(io.BytesIO(content)))


def test_sizes_never_traced(session, exported_model, rng):
    for lr, ref in pairs(rng):
        expected = exported_model.upscale_with_attention(lr, ref)
        result = session.run("serving_default", lr=lr[None], ref=ref[None])
        assert_served(result["sr"][0], expected["sr"])
        # The last bits depend on how TensorFlow shares a sum among threads.
        np.testing.assert_allclose(result["confidence"][0], expected["confidence"], atol=1e-5)


def test_a_batch(session, exported_model, rng):
    lr = np.stack([picture(rng, 9, 14) for _ in range(3)])
    ref = np.stack([picture(rng, 20, 27) for _ in range(3)])
    result = session.run("serving_default", lr=lr, ref=ref)
    assert result["confidence"].shape == (3, 9, 14)
    assert_served(result["sr"], list(map(exported_model.upscale, lr, ref)))


def test_files_of_different_sizes(session, exported_model, rng):
    lrs, refs = zip(*pairs(rng), strict=True)
    lr_bytes, ref_bytes = [as_file(lr) for lr in lrs], [as_file(ref, "JPEG") for ref in refs]
    result = session.run("encoded", lr_bytes=lr_bytes, ref_bytes=ref_bytes)
    for sr, lr, ref in zip(result["sr_bytes"], lrs, ref_bytes, strict=True):
        assert_served(from_file(sr), exported_model.upscale(lr, from_file(ref)))


@pytest.mark.parametrize(
    ("lr_size", "ref_size", "message"),
    [
        ((1, 2, 9), (1, 16, 16), "`lr` is 9×2 pixels, at least 3×3 are needed"),
        ((1, 9, 0), (1, 16, 16), "`lr` is 0×9 pixels"),
        ((1, 9, 9), (1, 40, 11), "`ref` is 11×40 pixels, at least 12×12 are needed"),
        ((1, 41, 40), (1, 16, 16), "`lr` is 40×41 pixels, at most 1600 in all"),
        ((1, 9, 9), (1, 160, 161), "`ref` is 161×160 pixels, at most 25600 in all"),
        ((2, 9, 9), (1, 16, 16), "`lr` holds 2, `ref` 1: one reference goes with every picture"),
        ((0, 9, 9), (0, 16, 16), "`lr` is empty"),
    ],
)
def test_bad_pictures(session, lr_size, ref_size, message):
    lr, ref = (np.zeros((*size, 3), np.uint8) for size in (lr_size, ref_size))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run("serving_default", lr=lr, ref=ref)


def test_bad_files(session, exported_model, rng):
    good_lr, good_ref = picture(rng, 7, 9), picture(rng, 16, 20)
    lr, ref = as_file(good_lr), as_file(good_ref)
    for lr_bytes, ref_bytes, message in (
        ([b"hello"], [ref], r"`lr_bytes`\[0\] is neither PNG nor JPEG"),
        ([lr, lr], [ref, b""], r"`ref_bytes`\[1\] is neither PNG nor JPEG"),
        ([lr], [as_file(good_ref[:11])], r"`ref_bytes`\[0\] is 20×11 pixels, at least 12×12"),
        ([as_file(picture(rng, 41, 40))], [ref], r"`lr_bytes`\[0\] is 40×41 pixels, at most 1600"),
        ([lr], [ref[:-300]], r"Invalid PNG data, size \d+\n.*/ref_bytes/"),
        ([lr, lr], [ref], "`lr_bytes` holds 2, `ref_bytes` 1"),
        ([], [], "`lr_bytes` is empty"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run("encoded", lr_bytes=lr_bytes, ref_bytes=ref_bytes)
    (sr,) = session.run("encoded", lr_bytes=[lr], ref_bytes=[ref])["sr_bytes"]
    assert_served(from_file(sr), exported_model.upscale(good_lr, good_ref))


def test_variables_are_tensorflows(exported_model):
    module = ServingModule(exported_model, Limits(1600, 25600))
    assert len(module.parameters) == len(exported_model.model.variables)
    assert all(isinstance(v, tf.Variable) for v in module.parameters)
