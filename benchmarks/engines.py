"""Both engines side by side: seconds of a warm call, stage by stage, and PSNR of a test set.

python benchmarks/engines.py [--checkpoint=ttsr.safetensors --lite=ttsr.tflite] [--runs=5]
python benchmarks/engines.py --groups=CUFED/test/CUFED5

By default of the weights that come along. The reference is four times as large as the picture.
With --groups, instead: the mean PSNR on Y of the groups NNN_0.png with NNN_1.png by both, and the
largest difference of a picture's.
"""

import dataclasses
import glob
import os
import statistics
import time

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, integer, string
from ttsr_tf.weights import naming

cli.start_tensorflow()  # before others import it loudly

# isort: split
import numpy as np
import picture_sizes

import ttsr_tf
from ttsr_tf.data import sample
from ttsr_tf.images import files, luma, resizing
from ttsr_tf.inference import engines
from ttsr_tf.inference.encoding import Encoder

_STAGES = "encode", "query", "match", "transfer", "synthesise"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is compared."""

    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    lite: str = string(naming.DEFAULT, "The same weights for LiteRT.")
    sizes: str = string("40x40,125x83,256x256", "Of the small picture: HxW,…")
    runs: int = integer(5, "Of each; the median counts.", lower_bound=1)
    groups: str | None = string(None, "A folder in CUFED5's layout.")


def main(config):
    sizes = {size: picture_sizes.parsed("sizes", size) for size in config.sizes.split(",")}
    upscalers = {
        engines.TENSORFLOW: ttsr_tf.load(config.checkpoint, engines.TENSORFLOW),
        engines.LITERT: ttsr_tf.load(config.lite, engines.LITERT),
    }
    if config.groups:
        _compare_scores(upscalers, config.groups)
        return
    print(
        f"| LR | engine | whole, s | {' | '.join(_STAGES)} |\n|---|---|---|{'---|' * len(_STAGES)}"
    )
    for size, (height, width) in sizes.items():
        lr, ref = _pictures(height, width)
        for name, upscaler in upscalers.items():
            upscaler.upscale(lr, ref)
            runs = [_timed(upscaler, lr, ref) for _ in range(config.runs)]
            medians = [statistics.median(run[key] for run in runs) for key in ("whole", *_STAGES)]
            print(f"| {size} | {name} | {' | '.join(f'{n:.3f}' for n in medians)} |", flush=True)


def _pictures(height, width):
    """Photographs, repeated where they are too small."""
    pair = (np.tile(x, (3, 2, 1))[: 4 * height, : 4 * width] for x in sample.stereo_pair())
    ref, hr = map(np.ascontiguousarray, pair)
    return resizing.downscale(hr), ref


def _timed(upscaler, lr, ref):
    """Seconds of a call, and of its stages when they are called one after the other."""
    start = time.perf_counter()
    upscaler.upscale(lr, ref)
    found = {"whole": time.perf_counter() - start}
    engine, lr = upscaler._engine, lr[None]
    lr_up = resizing.upscale(lr)

    def timed(name, function):
        start = time.perf_counter()
        result = function()
        found[name] = time.perf_counter() - start
        return result

    reference = timed("encode", lambda: Encoder(engine, 12).encode(ref))
    query = timed("query", lambda: engine.query(lr_up))
    index, confidence = timed("match", lambda: engine.match(query, reference.key))
    textures = timed("transfer", lambda: engine.transfer(reference.value, index))
    timed("synthesise", lambda: np.asarray(engine.synthesise((lr, lr_up), textures, confidence)))
    return found


def _compare_scores(upscalers, folder):
    scores = {name: [] for name in upscalers}
    for path in sorted(glob.glob(os.path.join(folder, "*_0.png"))):
        hr, ref = (files.read(path.replace("_0.", f"_{i}.")).rgb for i in (0, 1))
        hr = hr[: len(hr) // 4 * 4, : hr.shape[1] // 4 * 4]
        lr = resizing.downscale(hr)
        for name, upscaler in upscalers.items():
            scores[name].append(luma.psnr(hr, upscaler.upscale(lr, ref)))
    print("| engine | mean PSNR on Y, dB |\n|---|---|")
    for name, values in scores.items():
        print(f"| {name} | {np.mean(values):.4f} |")
    print(f"largest difference of a picture: {np.abs(np.subtract(*scores.values())).max():.4f} dB")


if __name__ == "__main__":
    cli.run(Config, main)
