import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from export.graph.decoding import decode
from export.graph.limits import Bounds
from ttsr_tf.images import files

BOUNDS = Bounds(smallest=3, most=40 * 50)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def decoded(content):
    return decode(tf.constant("`lr`"), content, BOUNDS)


def encoded(pixels, format, mode=None, **options):
    image = PIL.Image.fromarray(pixels)
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, format, **options)
    return buffer.getvalue()


def smooth(rng):
    noise = PIL.Image.fromarray(rng.integers(256, size=(5, 6, 3), dtype=np.uint8))
    return np.asarray(noise.resize((47, 38), PIL.Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    ("format", "mode", "options"),
    [
        ("PNG", None, {}),
        ("PNG", "L", {}),
        ("PNG", "1", {}),
        ("PNG", "LA", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("PNG", "P", {"transparency": 3}),
        ("PNG", None, {"transparency": (1, 2, 3)}),
        ("JPEG", None, {"quality": 60}),
        ("JPEG", None, {"subsampling": 0}),
        ("JPEG", None, {"progressive": True}),
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
    ],
)
def test_as_files_are_read(rng, format, mode, options):
    content = encoded(smooth(rng), format, mode, **options)
    np.testing.assert_array_equal(decoded(content), files.read(io.BytesIO(content)).rgb)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits(rng, channels):
    pixels = rng.integers(65536, size=(9, 14, channels), dtype=np.uint16)
    content = tf.io.encode_png(tf.constant(pixels)).numpy()
    np.testing.assert_array_equal(decoded(content), files.read(io.BytesIO(content)).rgb)


def png_of_size(width, height):
    """A whole PNG whose header promises what its pixels don't hold."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in content)


def jpeg_of_size(rng, width, height):
    content = encoded(smooth(rng), "JPEG")
    start = content.index(b"\xff\xc0") + 5
    return content[:start] + struct.pack(">HH", height, width) + content[start + 4 :]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda rng: b"", "`lr` is neither PNG nor JPEG"),
        (lambda rng: b"hello", "`lr` is neither PNG nor JPEG"),
        (lambda rng: encoded(smooth(rng), "GIF"), "`lr` is neither PNG nor JPEG"),
        (lambda rng: encoded(smooth(rng), "PNG")[:30], "Invalid PNG"),
        (lambda rng: encoded(smooth(rng), "PNG")[:500], "Invalid PNG data"),
        (lambda rng: encoded(smooth(rng), "JPEG")[:20], "Invalid JPEG data"),
        (lambda rng: encoded(smooth(rng), "JPEG")[:-100], "Invalid JPEG data"),
        (lambda rng: png_of_size(0, 7), "`lr` is 0×7 pixels, at least 3×3"),
        (lambda rng: png_of_size(2, 7), "`lr` is 2×7 pixels, at least 3×3"),
        (lambda rng: png_of_size(51, 40), "`lr` is 51×40 pixels, at most 2000 in all"),
        (lambda rng: png_of_size(60000, 50000), "`lr` is 60000×50000 pixels, at most 2000"),
        (lambda rng: png_of_size(2**32 - 1, 3), "`lr` is 4294967295×3 pixels, at most 2000"),
        (lambda rng: png_of_size(50, 40), "Invalid PNG data"),
        (lambda rng: jpeg_of_size(rng, 60000, 50000), "`lr` is 60000×50000 pixels, at most 2000"),
    ],
)
def test_bad_content(rng, content, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decoded(content(rng))
