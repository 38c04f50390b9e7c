"""Where the time of enlarging one picture goes, stage by stage.

python benchmarks/forward.py [--lr=125x83] [--ref=500x332] [--dtype=bfloat16] [--xla]

Medians of one run, every stage in a `tf.function`. Without --checkpoint, a network of the paper's
size with random weights.
With --dtype, the whole once more with that type for all but the matching, and as `--precision=fast`
has it: its time, how many matches change, and how far the result is from float32's. With --xla, the
backbone compiled by XLA.
"""

import dataclasses
import statistics
import time

from ttsr_tf import cli
from ttsr_tf.models import TEXTURES

cli.start_tensorflow()  # before others import it loudly

# isort: split
import numpy as np
import picture_sizes
import tensorflow as tf

from ttsr_tf import TTSR, layers
from ttsr_tf.configuration import Configuration, choice, integer, string, switch
from ttsr_tf.data import sample
from ttsr_tf.images import bicubic, inputs, metrics
from ttsr_tf.inference import memory
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is timed."""

    checkpoint: str | None = string(None, "Weights (.safetensors) or a run's folder.")
    lr: str = string("125x83", "Size of the small picture: HxW.")
    ref: str = string("500x332", "Size of the reference: HxW, up to 500x741.")
    runs: int = integer(5, "Of each; the median counts.", lower_bound=1)
    dtype: str | None = choice(None, "To compare.", enum_values=["float16", "bfloat16"])
    xla: bool = switch(False, "Also the backbone compiled by XLA.")


def main(config):
    model = _model(config)
    given = _inputs(config)

    def timed(name, function, **options):
        return _median(config.runs, name, function, **options)

    print("| stage | s |\n|---|---|")
    _stages(model, given, timed)
    outputs = timed("whole", lambda: model(given))
    lr_size, ref_size = (tuple(given[name].shape[1:3]) for name in ("lr", "ref"))
    print(f"| as `ttsr_tf.upscale` estimates | {memory.seconds(model, lr_size, [ref_size]):.1f} |")

    def backbone():
        return model.synthesise(given, [outputs[name] for name in TEXTURES], outputs["confidence"])

    timed("backbone", backbone)
    if config.xla:
        timed("backbone, XLA", backbone, jit_compile=True)
    if config.dtype:
        for extractor, fast in ((None, False), ("float32", True)):
            policy = {"dtype": f"mixed_{config.dtype}", "extractor_dtype": extractor}
            other = TTSR(**checkpoints.arguments(model), **policy)
            other.build()
            other.set_weights(model.get_weights())
            other.fast = fast
            name = "as `--precision=fast`" if fast else "all"
            result = timed(f"whole, {config.dtype}, {name}", lambda other=other: other(given))
            _compare(outputs, result)


def _model(config):
    if config.checkpoint:
        return checkpoints.load(config.checkpoint)
    model = TTSR()
    model.build()
    initialise(model, 0)
    return model


def _inputs(config):
    (height, width), (ref_height, ref_width) = picture_sizes.pair(config)
    ref, hr = sample.stereo_pair()
    lr = bicubic.downscale(hr[None, : 4 * height, : 4 * width])
    return inputs.network_inputs(lr, ref[None, :ref_height, :ref_width])


def _stages(model, inputs, timed):
    """The flow of `TTSR.call`, one stage after the other."""
    extract = model.texture_extractor
    query = timed("texture extractor, lr_up", lambda: extract(inputs["lr_up"])[0])
    key = timed("texture extractor, ref_down_up", lambda: extract(inputs["ref_down_up"])[0])
    value = timed("texture extractor, ref", lambda: extract(inputs["ref"]))
    index, confidence = timed("relevance", lambda: model.relevance([query, key]))
    textures = timed("transfer", lambda: model.transfer(value, index))

    x1 = model.head(inputs["lr"])
    timed("shallow features, ×1", lambda: model.shallow(x1))
    fuse_x1 = [x1, textures[0], confidence]
    timed("fusion and blocks, ×1", lambda: model.refine_1(model.fuse_x1(fuse_x1)))
    x2 = timed("enlarge to ×2", lambda: model.enlarge_x2(x1))
    fuse_x2 = [x2, textures[1], layers.resize_up(confidence, 2)]
    timed("fusion, ×2", lambda: model.fuse_x2(fuse_x2))
    timed("exchange, ×1 ×2", lambda: model.exchange_12([x1, x2]))
    for stack, x, name in zip(model.refine_12, (x1, x2), ("×1", "×2"), strict=True):
        timed(f"blocks of two scales, {name}", lambda stack=stack, x=x: stack(x))
    x4 = timed("enlarge to ×4", lambda: model.enlarge_x4(x2))
    fuse_x4 = [x4, textures[2], layers.resize_up(confidence, 4)]
    timed("fusion, ×4", lambda: model.fuse_x4(fuse_x4))
    timed("exchange, ×1 ×2 ×4", lambda: model.exchange_124([x1, x2, x4]))
    for stack, x, name in zip(model.refine_124, (x1, x2, x4), ("×1", "×2", "×4"), strict=True):
        timed(f"blocks of three scales, {name}", lambda stack=stack, x=x: stack(x))

    def tail():
        sr = tf.concat([x4, model.tail_x1(x1), model.tail_x2(x2)], -1)
        for layer in model.tail:
            sr = layer(sr)
        return sr

    timed("tail", tail)


def _median(runs, name, function, *, jit_compile=None):
    function = tf.function(function, jit_compile=jit_compile)
    result = function()
    seconds = []
    for _ in range(runs):
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
    cli.run(Config, main)
