"""Enlarges pictures four times with the textures of references.

python -m ttsr_tf.upscale --lr=small.png --ref=sharp.jpg --checkpoint=ttsr.weights.h5 \
    --output=large.png
python -m ttsr_tf.upscale --lr=frames --ref=still.jpg --checkpoint=ttsr.weights.h5 --output=large
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import os
import time

import numpy as np
from absl import flags

from ttsr_tf import checkpoints, cost, enlarging, images, sheets
from ttsr_tf.errors import InputError
from ttsr_tf.progress import Progress

_LR = flags.DEFINE_string("lr", None, "The small picture, or a folder of them.", required=True)
_REF = flags.DEFINE_multi_string(
    "ref",
    [],
    "A sharp picture of something similar, or a folder of them; may be given several times: the "
    "best match of all is used. Default: the small picture itself.",
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Weights (.weights.h5) or a run folder.", required=True
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Where to write the large picture; for a folder, a folder.", required=True
)
_ATTENTION_MAP = flags.DEFINE_string(
    "attention_map", None, "Where to write a picture of where textures came from."
)
_MEMORY_GB = flags.DEFINE_float(
    "memory_gb",
    None,
    "What may be used, GiB; a larger picture is done in tiles. Default: most of what is free.",
    lower_bound=0,
)

LONG_RUN = 5  # seconds


def main():
    lr_paths = images.listed(_LR.value)
    ref_paths = [path for given in _REF.value for path in images.listed(given)]
    outputs = _outputs(lr_paths, ref_paths)
    refs = [images.checked("ref", images.read(path).rgb, smallest=12) for path in ref_paths]
    if not refs:
        print("No --ref: the picture serves as its own reference.")
    if not os.path.isdir(_LR.value):
        _enlarge_one(images.read(_LR.value), refs)
        return
    model = checkpoints.load(_CHECKPOINT.value)
    encoded = [model.encode_reference(ref) for ref in refs] or None
    os.makedirs(_OUTPUT.value, exist_ok=True)
    progress = Progress(len(lr_paths), "picture")
    for path, output in zip(lr_paths, outputs, strict=True):
        lr = images.read(path)
        result = model.upscale_with_attention(lr.rgb, encoded, _MEMORY_GB.value)
        enlarging.write(output, lr, result["sr"])
        progress.advance(similarity=f"{result['confidence'].mean():.2f}")
    progress.close()
    print(f"{len(outputs)} pictures written to {_OUTPUT.value}.")


def _enlarge_one(lr, refs):
    refs = refs or [lr.rgb]
    images.checked("lr", lr.rgb, smallest=3)
    images.check_output(_OUTPUT.value, alpha=lr.alpha is not None)
    model = checkpoints.load(_CHECKPOINT.value)
    _print_sizes_and_cost(model, lr.rgb, refs)

    start = time.perf_counter()
    result = model.upscale_with_attention(lr.rgb, refs, _MEMORY_GB.value, _tile_progress())
    enlarging.write(_OUTPUT.value, lr, result["sr"])
    _print_similarity(result, len(refs))
    print(f"{_OUTPUT.value} written after {time.perf_counter() - start:.1f} s.")

    if _ATTENTION_MAP.value:
        images.write(_ATTENTION_MAP.value, sheets.sheet(sheets.attention_panels(result, refs)))
        print(f"{_ATTENTION_MAP.value} written.")


def _outputs(lr_paths, ref_paths):
    """Where every picture goes; finds what would fail before the work begins."""
    inputs = [*lr_paths, *ref_paths, _CHECKPOINT.value]
    if not os.path.isdir(_LR.value):
        images.check_output(_OUTPUT.value, inputs)
        if _ATTENTION_MAP.value:
            images.check_output(_ATTENTION_MAP.value, [*inputs, _OUTPUT.value])
        return [_OUTPUT.value]
    if _ATTENTION_MAP.value:
        raise InputError("--attention_map goes with one picture, and --lr is a folder.")
    names = [f"{os.path.splitext(os.path.basename(path))[0]}.png" for path in lr_paths]
    if len(set(names)) < len(names):
        raise InputError(f"{_LR.value} has names that differ only in their ending. Rename them.")
    outputs = [os.path.join(_OUTPUT.value, name) for name in names]
    if os.path.isdir(_OUTPUT.value):
        for output in outputs:
            images.check_output(output, inputs)
    else:
        images.check_folder(os.path.dirname(os.path.abspath(_OUTPUT.value)))
    return outputs


def _print_sizes_and_cost(model, lr, refs):
    height, width = lr.shape[:2]
    sizes = [ref.shape[:2] for ref in refs]
    print(
        f"lr {width}×{height}, reference {', '.join(f'{w}×{h}' for h, w in sizes)} "
        f"→ {4 * width}×{4 * height} pixels."
    )
    seconds = cost.seconds(model, (height, width), sizes)
    if seconds > LONG_RUN:
        memory = cost.memory((height, width), sizes) / 2**30
        print(f"About {memory:.1f} GiB of memory in one piece, and {seconds:.0f} s.", flush=True)


def _tile_progress():
    bar = None

    def show(done, count):
        nonlocal bar
        if count == 1:
            return
        bar = bar or Progress(count, "tile")
        bar.advance()
        if done == count:
            bar.close()

    return show


def _print_similarity(result, count):
    confidence = result["confidence"]
    print(
        f"Similarity of the reference: {confidence.mean():.2f} on average (1 = the same, 0 = "
        f"nothing alike), above 0.7 on {(confidence > 0.7).mean():.0%} of the picture."
    )
    if count > 1:
        shares = np.bincount(result["source"].ravel(), minlength=count) / confidence.size
        print("Used of each reference:", ", ".join(f"{share:.0%}" for share in shares))


if __name__ == "__main__":
    cli.run(main)
