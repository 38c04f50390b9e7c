"""PNG and JPEG to uint8 in the graph, as `ttsr_tf.images.read` reads them.

The header is read first, so that a picture over the limit is refused before it takes memory.
Unlike `images.read`, pictures are not turned upright by their EXIF tag, and are PNG or JPEG.
"""

import tensorflow as tf

from .limits import Bounds, check_size, require

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_HEADER = 33  # bytes of a PNG up to its first chunk's end


def decode(name: tf.Tensor, content: tf.Tensor, bounds: Bounds) -> tf.Tensor:
    """A picture from the bytes of its file.

    Args:
        name: scalar string tensor, what errors call it.
        content: scalar string tensor.
        bounds: `Bounds` of its size.

    Returns:
        uint8 [H, W, 3]. Palettes, grey and 16 bits become RGB, transparency is dropped.

    Raises:
        tf.errors.InvalidArgumentError: when run, on other or damaged files and other sizes.
    """
    # Zeros after it, so that no position is beyond the end of short content.
    header = tf.strings.join([tf.strings.substr(content, 0, _HEADER), b"\0" * _HEADER])
    is_png = (_part(header, 0, 8) == _PNG) & (_part(header, 12, 4) == b"IHDR")
    is_jpeg = _part(header, 0, 3) == _JPEG
    known = require(is_png | is_jpeg, [name, " is neither PNG nor JPEG. Send one of them."])
    with tf.control_dependencies([known]):
        size = tf.cond(is_png, lambda: _png_size(header), lambda: _jpeg_size(content))
    with tf.control_dependencies(check_size(name, size, bounds)):
        return tf.cond(is_png, lambda: _decode_png(content, header), lambda: _decode_jpeg(content))


def _part(content, start, length):
    return tf.strings.substr(content, start, length)


def _png_size(header):
    width, height = (
        tf.bitcast(tf.io.decode_raw(_part(header, at, 4), tf.int32, little_endian=False), tf.uint32)
        for at in (16, 20)
    )
    return tf.cast(tf.concat([height, width], 0), tf.int64)


def _jpeg_size(content):
    return tf.cast(tf.io.extract_jpeg_shape(content)[:2], tf.int64)


def _decode_png(content, header):
    depth, colours = tf.unstack(tf.io.decode_raw(_part(header, 24, 2), tf.uint8), 2)
    return tf.cond(
        (depth == 16) & (colours == 0),
        lambda: _decode_deep_grey(content),
        lambda: tf.io.decode_png(content, channels=3),
    )


def _decode_deep_grey(content):
    """16 bits in one channel, which TensorFlow would truncate to 8."""
    grey = tf.cast(tf.io.decode_png(content, channels=1, dtype=tf.uint16), tf.int32)
    return tf.repeat(tf.cast((grey + 128) // 257, tf.uint8), 3, axis=-1)


def _decode_jpeg(content):
    # The transform that Pillow uses too; TensorFlow's default differs by some levels.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
