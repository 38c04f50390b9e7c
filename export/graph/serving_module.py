"""What a server runs, all of it in the graph: checks, decoding, the network, rounding, encoding."""

import tensorflow as tf

from ttsr_tf import compat, layers
from ttsr_tf.images import bicubic, inputs
from ttsr_tf.inference import Upscaler
from ttsr_tf.inference.stages import Stages

from .decoding import decode
from .limits import Bounds, Limits, check_size, require
from .signatures import ENCODED, SERVING_DEFAULT

_PICTURES = tf.TensorSpec([None, None, None, 3], tf.uint8)
_STRINGS = tf.TensorSpec([None], tf.string)


class ServingModule(tf.Module):
    """A network with its signatures, for `tf.saved_model.save`.

    Pictures of a batch are done one after the other: memory is that of one, and each is what
    `Upscaler.upscale` gives in one piece, but for the order of sums.

    Args:
        upscaler: an `Upscaler`.
        limits: `Limits`.
    """

    def __init__(self, upscaler: Upscaler, limits: Limits):
        super().__init__()
        model = upscaler.model
        # The variables of TensorFlow, not Keras 3's around them, and not the model: those are
        # found by Python's loader only.
        self.parameters = [compat.tensorflow_variable(v) for v in model.variables]
        self._stages = Stages(model)
        self._lr = Bounds(model.smallest_lr, limits.lr)
        self._ref = Bounds(model.smallest_ref, limits.ref)

    def signatures(self) -> dict:
        """A dict of concrete functions by signature name."""
        with layers.portable.traced():
            return {
                SERVING_DEFAULT: self.upscale.get_concrete_function(),
                ENCODED: self.upscale_encoded.get_concrete_function(),
            }

    @tf.function(input_signature=[_PICTURES, _PICTURES])
    def upscale(self, lr, ref):
        """lr, ref: uint8 [B, H, W, 3], [B, h, w, 3] → sr uint8 [B, 4·H, 4·W, 3], confidence."""
        checks = [
            *_check_batch(lr=lr, ref=ref),
            *check_size("`lr`", tf.shape(lr)[1:3], self._lr),
            *check_size("`ref`", tf.shape(ref)[1:3], self._ref),
        ]
        with tf.control_dependencies(checks):
            sr, confidence = tf.map_fn(
                lambda pair: self._enlarged(*pair),
                (lr, ref),
                parallel_iterations=1,
                fn_output_signature=(
                    tf.TensorSpec([None, None, 3], tf.uint8),
                    tf.TensorSpec([None, None], tf.float32),
                ),
            )
        return {"sr": sr, "confidence": confidence}

    @tf.function(input_signature=[_STRINGS, _STRINGS])
    def upscale_encoded(self, lr_bytes, ref_bytes):
        """lr_bytes, ref_bytes: PNG or JPEG, strings [B] → sr_bytes: PNG, strings [B]."""
        with tf.control_dependencies(_check_batch(lr_bytes=lr_bytes, ref_bytes=ref_bytes)):
            sr_bytes = tf.map_fn(
                lambda entry: self._encoded(*entry),
                (tf.range(tf.size(lr_bytes)), lr_bytes, ref_bytes),
                parallel_iterations=1,
                fn_output_signature=tf.TensorSpec([], tf.string),
            )
        return {"sr_bytes": sr_bytes}

    def _encoded(self, entry, lr_bytes, ref_bytes):
        entry = tf.as_string(entry)
        lr_name = tf.strings.join(["`lr_bytes`[", entry, "]"])
        ref_name = tf.strings.join(["`ref_bytes`[", entry, "]"])
        with tf.name_scope("lr_bytes"):
            lr = decode(lr_name, lr_bytes, self._lr)
        with tf.name_scope("ref_bytes"):
            ref = decode(ref_name, ref_bytes, self._ref)
        sr, _ = self._enlarged(lr, ref)
        return tf.io.encode_png(sr)

    def _enlarged(self, lr, ref):
        """What `Upscaler.upscale` does in one piece, with the bicubic in the graph."""
        height, width = tf.unstack(tf.shape(ref)[:2] // 4 * 4)
        lr, ref = lr[None], ref[None, :height, :width]
        lr_up = bicubic.upscale(lr)
        key, value = self._stages.encode(ref, inputs.blurred(ref))
        index, confidence = self._stages.match(self._stages.query(lr_up), key)
        textures = self._stages.transfer(value, index)
        sr = self._stages.synthesise((lr, lr_up), textures, confidence)
        return sr[0], confidence[0, ..., 0]


def _check_batch(**inputs):
    (lr_name, lr), (ref_name, ref) = inputs.items()
    count, other = tf.shape(lr)[0], tf.shape(ref)[0]
    given = [f"`{lr_name}` holds ", tf.as_string(count), f", `{ref_name}` ", tf.as_string(other)]
    return [
        require(count == other, [*given, ": one reference goes with every picture."]),
        require(count > 0, [f"`{lr_name}` is empty. Send at least one picture."]),
    ]
