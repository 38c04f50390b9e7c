"""A network's stages between pictures, each traced once for pictures of any size."""

import tensorflow as tf

from ttsr_tf.images import inputs

_PICTURE = tf.TensorSpec([None, None, None, 3], tf.uint8)
_INDEX = tf.TensorSpec([None, None, None], tf.int32)


def _map(channels):
    return tf.TensorSpec([None, None, None, channels], tf.float32)


class Stages:
    """Functions of the graph, from and to float32 whatever the network's layers compute in.

    Args:
        model: a built network (see `ttsr_tf.models`).

    Attributes:
        shifts: how many values of `index` stand for each position of the key.
        encode: uint8 [B, h, w, 3] → key, value; the picture is used up to the last multiple of 4.
        query: uint8 [B, H, W, 3] → query.
        match: query, key → index, confidence.
        transfer: value, index → textures.
        synthesise: uint8 [B, H, W, 3], textures, confidence → sr, uint8 [B, 4·H, 4·W, 3].
        without_reference: uint8 [B, H, W, 3], the same or what it is a part of → sr, index,
            confidence; where the network has a way of its own for that.
        single_image: uint8 [B, H, W, 3] → uint8 [B, 4·H, 4·W, 3]; where the network can.
    """

    def __init__(self, model):
        pyramid = tuple(_map(channels) for channels in model.value_channels)
        searched = _map(model.query_channels)

        def encode(ref):
            of_ref = inputs.of_ref(_whole_blocks(ref))
            return _float32(model.encode(of_ref["ref"], of_ref["ref_down_up"]))

        def query(lr):
            return _float32(model.query(inputs.of_lr(lr)["lr_up"]))

        def match(query, key):
            return model.match(query, key)

        def transfer(value, index):
            return _float32(model.transfer(value, index))

        def synthesise(lr, textures, confidence):
            return inputs.to_uint8(model.synthesise(inputs.of_lr(lr), textures, confidence))

        def without_reference(lr, whole):
            of_lr = {**inputs.of_lr(lr), "ref": inputs.to_float(_whole_blocks(whole))}
            outputs = model.without_reference(of_lr)
            return inputs.to_uint8(outputs["sr"]), outputs["index"], outputs["confidence"]

        def single_image(lr):
            return inputs.to_uint8(model.single_image(inputs.of_lr(lr)))

        self.shifts = model.shifts
        self.encode = _traced(encode, _PICTURE)
        self.query = _traced(query, _PICTURE)
        self.match = _traced(match, searched, searched)
        self.transfer = _traced(transfer, pyramid, _INDEX)
        self.synthesise = _traced(synthesise, _PICTURE, pyramid, _map(1))
        self.without_reference = _traced(without_reference, _PICTURE, _PICTURE)
        self.single_image = _traced(single_image, _PICTURE)


def _traced(function, *signature):
    # Without AutoGraph, whose reading of Python takes longer than all of the trace.
    return tf.function(function, input_signature=signature, autograph=False)


def _whole_blocks(picture):
    """Up to the last multiple of 4."""
    height, width = tf.unstack(tf.shape(picture)[1:3] // 4 * 4)
    return picture[:, :height, :width]


def _float32(maps):
    return tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), maps)
