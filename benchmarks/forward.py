"""Where the time of enlarging one picture goes, stage by stage.

python benchmarks/forward.py [--lr=125x83] [--ref=500x332] [--dtype=bfloat16] [--xla]

Medians of one run, every stage in a `tf.function`. Without --checkpoint, a network of the paper's
size with random weights.
With --dtype, the whole once more with that type for all but the matching: its time, how many
matches change, and how far the result is from float32's. With --xla, the backbone compiled by XLA.
"""

import statistics
import time

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import keras
import numpy as np
import tensorflow as tf
from absl import flags

from ttsr_tf import TTSR, layers
from ttsr_tf.data import sample
from ttsr_tf.images import bicubic, inputs
from ttsr_tf.images.files import metrics
from ttsr_tf.inference import memory
from ttsr_tf.weights import checkpoints

_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Weights (.weights.h5) or a run folder.")
_LR = flags.DEFINE_string("lr", "125x83", "Size of the small picture: HxW.")
_REF = flags.DEFINE_string("ref", "500x332", "Size of the reference: HxW, up to 500x741.")
_RUNS = flags.DEFINE_integer("runs", 5, "Of each; the median counts.", lower_bound=1)
_DTYPE = flags.DEFINE_enum("dtype", None, ["float16", "bfloat16"], "To compare with float32.")
_XLA = flags.DEFINE_bool("xla", False, "Also the backbone compiled by XLA.")


def main():
    model = _model()
    inputs = _inputs()
    print("| stage | s |\n|---|---|")
    _stages(model, inputs)
    outputs = _timed("whole", lambda: model(inputs))
    lr_size, ref_size = (tuple(inputs[name].shape[1:3]) for name in ("lr", "ref"))
    print(f"| as `ttsr_tf.upscale` estimates | {memory.seconds(model, lr_size, [ref_size]):.1f} |")

    def backbone():
        return model.synthesised(inputs["lr"], outputs["textures"], outputs["confidence"])

    _timed("backbone", backbone)
    if _XLA.value:
        _timed("backbone, XLA", backbone, jit_compile=True)
    if _DTYPE.value:
        keras.mixed_precision.set_global_policy(f"mixed_{_DTYPE.value}")
        other = TTSR(**model.get_config())
        other.build()
        other.set_weights(model.get_weights())
        _compare(outputs, _timed(f"whole, {_DTYPE.value}", lambda: other(inputs)))


def _model():
    if _CHECKPOINT.value:
        return checkpoints.load(_CHECKPOINT.value)
    keras.utils.set_random_seed(0)
    model = TTSR()
    model.build()
    return model


def _inputs():
    (height, width), (ref_height, ref_width) = (
        map(int, size.split("x")) for size in (_LR.value, _REF.value)
    )
    ref, hr = sample.stereo_pair()
    lr = bicubic.downscale(hr[None, : 4 * height, : 4 * width])
    ref = tf.constant(ref[None, :ref_height, :ref_width])
    ref_down_up = bicubic.upscale(bicubic.downscale(ref))
    pictures = {"lr": lr, "lr_up": bicubic.upscale(lr), "ref": ref, "ref_down_up": ref_down_up}
    return {name: inputs.to_float(picture) for name, picture in pictures.items()}


def _stages(model, inputs):
    """The flow of `TTSR.call`, one stage after the other."""
    extract = model.texture_extractor
    query = _timed("texture extractor, lr_up", lambda: extract(inputs["lr_up"])[0])
    key = _timed("texture extractor, ref_down_up", lambda: extract(inputs["ref_down_up"])[0])
    value = _timed("texture extractor, ref", lambda: extract(inputs["ref"]))
    index, confidence = _timed("relevance", lambda: model.relevance([query, key]))
    textures = _timed("transfer", lambda: model.transferred(value, index))

    x1 = model.head(inputs["lr"])
    _timed("shallow features, ×1", lambda: model.shallow(x1))
    fuse_x1 = [x1, textures[0], confidence]
    _timed("fusion and blocks, ×1", lambda: model.refine_1(model.fuse_x1(fuse_x1)))
    x2 = _timed("enlarge to ×2", lambda: model.enlarge_x2(x1))
    fuse_x2 = [x2, textures[1], layers.resize_up(confidence, 2)]
    _timed("fusion, ×2", lambda: model.fuse_x2(fuse_x2))
    _timed("exchange, ×1 ×2", lambda: model.exchange_12([x1, x2]))
    for stack, x, name in zip(model.refine_12, (x1, x2), ("×1", "×2"), strict=True):
        _timed(f"blocks of two scales, {name}", lambda stack=stack, x=x: stack(x))
    x4 = _timed("enlarge to ×4", lambda: model.enlarge_x4(x2))
    fuse_x4 = [x4, textures[2], layers.resize_up(confidence, 4)]
    _timed("fusion, ×4", lambda: model.fuse_x4(fuse_x4))
    _timed("exchange, ×1 ×2 ×4", lambda: model.exchange_124([x1, x2, x4]))
    for stack, x, name in zip(model.refine_124, (x1, x2, x4), ("×1", "×2", "×4"), strict=True):
        _timed(f"blocks of three scales, {name}", lambda stack=stack, x=x: stack(x))

    def tail():
        sr = tf.concat([x4, model.tail_x1(x1), model.tail_x2(x2)], -1)
        for layer in model.tail:
            sr = layer(sr)
        return sr

    _timed("tail", tail)


def _timed(name, function, jit_compile=None):
    function = tf.function(function, jit_compile=jit_compile)
    result = function()
    seconds = []
    for _ in range(_RUNS.value):
        start = time.perf_counter()
        tf.nest.map_structure(lambda x: x[..., 0].numpy(), function())
        seconds.append(time.perf_counter() - start)
    print(f"| {name} | {statistics.median(seconds):.3f} |", flush=True)
    return result


def _compare(expected, given):
    changed = np.mean(expected["index"] != given["index"])
    expected, given = (inputs.to_uint8(tf.cast(x["sr"], tf.float32)) for x in (expected, given))
    psnr = float(metrics.psnr(expected, given)[0])
    print(f"{changed:.1%} of the matches change; the result is {psnr:.1f} dB from float32's")


if __name__ == "__main__":
    cli.run(main)
