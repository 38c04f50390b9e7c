"""Between pictures and the network: uint8 ↔ float, LR of HR, and the four inputs."""

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic, degradation


def to_float(picture: tf.Tensor) -> tf.Tensor:
    """uint8 as the network takes it: float32 in [-1, 1], same shape."""
    return tf.cast(picture, tf.float32) / 127.5 - 1


def to_uint8(x: tf.Tensor) -> tf.Tensor:
    """The network's values as a picture: round((x + 1) · 127.5), half to even.

    Args:
        x: float tensor, [-1, 1]; what is beyond is clipped.

    Returns:
        uint8 tensor of the same shape.
    """
    x = tf.clip_by_value(tf.cast(x, tf.float32), -1, 1)
    return tf.cast(tf.round((x + 1) * 127.5), tf.uint8)


def degraded(hr: tf.Tensor, kind: str, seed: tf.Tensor) -> tf.Tensor:
    """LR of HR, as it is trained on and measured; in a graph, too.

    Args:
        hr: uint8 [H, W, 3].
        kind: one of `degradation.KINDS`.
        seed: int [2], which alone decides how a realistic degradation comes out.

    Returns:
        uint8 [H // 4, W // 4, 3].
    """
    if kind == degradation.BICUBIC:
        return bicubic.downscale(hr)

    def through(function, picture):
        changed = tf.numpy_function(function, [picture, seed], tf.uint8, stateful=False)
        return tf.ensure_shape(changed, picture.shape)

    hr, seed = tf.convert_to_tensor(hr), tf.convert_to_tensor(seed, tf.int64)
    small = bicubic.downscale(through(degradation.blurred, hr))
    return through(degradation.recorded, small)


def network_inputs(lr: tf.Tensor, ref: tf.Tensor) -> dict[str, tf.Tensor]:
    """The network's four inputs from two pictures, or two batches of them.

    Args:
        lr: uint8 [B, H, W, 3].
        ref: uint8 [B, h, w, 3]; the network itself wants h and w to be multiples of 4.

    Returns:
        A dict of float32 in [-1, 1]: `lr` [B, H, W, 3], `lr_up` [B, 4·H, 4·W, 3], `ref` and
        `ref_down_up` [B, h, w, 3]. Of a functional model's `keras.Input(…, dtype="uint8")`, of a
        layer.

    Raises:
        InputError: no uint8 pictures.
    """
    if _is_symbolic(lr):
        _check("lr", lr), _check("ref", ref)
        return NetworkInputs()([lr, ref])
    lr, ref = tf.convert_to_tensor(lr), tf.convert_to_tensor(ref)
    _check("lr", lr), _check("ref", ref)
    return {**of_lr(lr), **of_ref(ref)}


def _is_symbolic(picture):
    try:
        return keras.backend.is_keras_tensor(picture)
    except ValueError:  # Keras 2 wants a tensor
        return False


@keras.saving.register_keras_serializable("ttsr_tf")
class NetworkInputs(keras.layers.Layer):
    """`network_inputs` in a functional model.

    Inputs: `lr`, uint8 [B, H, W, 3], and `ref`, uint8 [B, h, w, 3]. Output: as `network_inputs`.
    """

    def call(self, inputs):
        made = network_inputs(*inputs)
        # Keras 2 asks no layer for shapes, and graphs don't know those of what is resized.
        shapes = self.compute_output_shape([x.shape for x in inputs])
        return {name: tf.ensure_shape(x, shapes[name]) for name, x in made.items()}

    def compute_output_shape(self, input_shape):
        lr, ref = map(tuple, input_shape)
        lr_up = lr[0], *(n and 4 * n for n in lr[1:3]), 3
        return {"lr": lr, "lr_up": lr_up, "ref": ref, "ref_down_up": ref}


def _check(name, picture):
    kind, shape = tf.as_dtype(picture.dtype).name, tf.TensorShape(picture.shape)
    if kind != "uint8" or shape.rank not in (3, 4) or shape[-1] not in (3, None):
        raise InputError(
            f"`{name}` must be uint8 [B, H, W, 3], got {kind} {shape}. `ttsr_tf.images.read` reads "
            'files; of a functional model it is `keras.Input(…, dtype="uint8")`.'
        )


def of_lr(lr):
    """`lr` and `lr_up` of the network's inputs."""
    return {"lr": to_float(lr), "lr_up": to_float(bicubic.upscale(lr))}


def of_ref(ref):
    """`ref` and `ref_down_up` of the network's inputs."""
    return {"ref": to_float(ref), "ref_down_up": to_float(blurred(ref))}


def blurred(ref):
    """A reference as blurred as `lr_up` is: four times smaller and as large again, uint8."""
    return bicubic.resize(bicubic.downscale(ref), tf.shape(ref)[-3], tf.shape(ref)[-2])
