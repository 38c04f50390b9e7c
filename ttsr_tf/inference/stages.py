"""A network's stages in TensorFlow, each traced once for pictures of any size."""

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

    Attributes: those of `engines.Engine`, but for
        single_image, without_reference: None where the network hasn't any.
    """

    halves = False
    out_of_memory = tf.errors.ResourceExhaustedError

    def __init__(self, model):
        self._model = model
        pyramid = tuple(_map(channels) for channels in model.value_channels)
        searched, pictures = _map(model.query_channels), (_PICTURE, _PICTURE)

        def encode(ref, ref_down_up):
            return _float32(model.encode(*map(inputs.to_float, (ref, ref_down_up))))

        def query(lr_up):
            return _float32(model.query(inputs.to_float(lr_up)))

        def match(query, key):
            return model.match(query, key)

        def transfer(value, index):
            return _float32(model.transfer(value, index))

        def synthesise(pictures, textures, confidence):
            return inputs.to_uint8(model.synthesise(_inputs(pictures), textures, confidence))

        def without_reference(pictures, whole):
            outputs = model.without_reference({**_inputs(pictures), "ref": inputs.to_float(whole)})
            return inputs.to_uint8(outputs["sr"]), outputs["index"], outputs["confidence"]

        def single_image(pictures):
            return inputs.to_uint8(model.single_image(_inputs(pictures)))

        self.shifts = model.shifts
        self.encode = _traced(encode, _PICTURE, _PICTURE)
        self.query = _traced(query, _PICTURE)
        self.match = _traced(match, searched, searched)
        self.transfer = _traced(transfer, pyramid, _INDEX)
        self.synthesise = _traced(synthesise, pictures, pyramid, _map(1))
        self.without_reference = _traced(without_reference, pictures, _PICTURE)
        self.single_image = _traced(single_image, pictures)

    def kept(self, x):
        return tf.convert_to_tensor(x)  # once, not for every tile

    @property
    def weights(self):
        """A norm of every weight that references are encoded with."""
        weights = self._model.texture_extractor.weights
        return tuple(float(tf.norm(tf.convert_to_tensor(weight))) for weight in weights)


def _traced(function, *signature):
    # Without AutoGraph, whose reading of Python takes longer than all of the trace.
    return tf.function(function, input_signature=signature, autograph=False)


def _inputs(pictures):
    lr, lr_up = map(inputs.to_float, pictures)
    return {"lr": lr, "lr_up": lr_up}


def _float32(maps):
    return tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), maps)
