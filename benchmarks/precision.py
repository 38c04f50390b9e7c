"""What a fast search gains and loses: seconds of `match`, exact and fast, and their confidences.

python benchmarks/precision.py [--lr=600x600] [--ref=600x600] [--checkpoint=ttsr-mini]

Two photographs of the same thing, brought to these sizes; by both engines, which are called twice:
the first call of TensorFlow's traces, and memory is new.
"""

import dataclasses
import time

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, string
from ttsr_tf.weights import naming

cli.start_tensorflow()  # before others import it loudly

# isort: split
import numpy as np
import picture_sizes
import PIL.Image

import ttsr_tf
from ttsr_tf.data import sample
from ttsr_tf.images import resizing
from ttsr_tf.inference import engines


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is compared."""

    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    lr: str = string("600x600", "HxW of the small picture.")
    ref: str = string("600x600", "HxW of the reference, multiples of 4.")


def main(config):
    sizes = picture_sizes.pair(config)
    print("| engine | exact, s | again | fast, s | again | confidence within 0.01 | same place |")
    print("|---|---|---|---|---|---|---|")
    for engine in (engines.LITERT, engines.TENSORFLOW):
        found, cells = {}, []
        for precision in engines.PRECISIONS:
            upscaler = ttsr_tf.load(config.checkpoint, engine, precision=precision)
            maps = _maps(upscaler, *sizes)
            for _ in range(2):
                start = time.perf_counter()
                found[precision] = [np.asarray(x) for x in upscaler._engine.match(*maps)]
                cells.append(f"{time.perf_counter() - start:.2f}")
        (index, best), (other, confidence) = (found[name] for name in engines.PRECISIONS)
        cells += [f"{np.mean(best - confidence <= 0.01):.2%}", f"{np.mean(index == other):.2%}"]
        print(f"| {engine} | {' | '.join(cells)} |", flush=True)


def _maps(upscaler, lr_size, ref_size):
    """query, key."""
    hr, ref = next(iter(sample.shown_pairs().values()))
    lr, ref = _resized(hr, lr_size), _resized(ref, ref_size)[None]
    key, _ = upscaler._engine.encode(ref, resizing.blurred(ref))
    return upscaler._engine.query(resizing.upscale(lr)[None]), key


def _resized(picture, size):
    height, width = size
    picture = PIL.Image.fromarray(picture).resize((width, height), PIL.Image.Resampling.BICUBIC)
    return np.asarray(picture)


if __name__ == "__main__":
    cli.run(Config, main)
