"""Enlarges a picture four times with the textures of a reference.

python -m ttsr_tf.upscale --lr=small.png --ref=sharp.jpg --checkpoint=ttsr.weights.h5 \
    --output=large.png
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import time

from absl import flags

from ttsr_tf import checkpoints, cost, degrade, images, sheets

_LR = flags.DEFINE_string("lr", None, "The small picture.", required=True)
_REF = flags.DEFINE_string(
    "ref", None, "A sharp picture of something similar. Default: the small picture itself."
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Weights (.weights.h5) or a run folder.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "Where to write the large picture.", required=True)
_ATTENTION_MAP = flags.DEFINE_string(
    "attention_map", None, "Where to write a picture of where textures came from."
)

LONG_RUN = 5  # seconds


def main():
    lr, ref = _read_inputs()
    _check_outputs(keep_alpha=lr.alpha is not None)
    model = checkpoints.load(_CHECKPOINT.value)
    _print_sizes(lr.rgb, ref.rgb)
    _print_cost(model, lr.rgb.shape[:2], ref.rgb.shape[:2])

    start = time.perf_counter()
    result = model.upscale_with_attention(lr.rgb, ref.rgb)
    alpha = None if lr.alpha is None else degrade.enlarge(lr.alpha).numpy()
    images.write(_OUTPUT.value, result["sr"], alpha, lr.grey)
    _print_similarity(result["confidence"])
    print(f"{_OUTPUT.value} written after {time.perf_counter() - start:.1f} s.")

    if _ATTENTION_MAP.value:
        panels = sheets.attention_panels(result["index"], result["confidence"], ref.rgb)
        images.write(_ATTENTION_MAP.value, sheets.sheet(panels))
        print(f"{_ATTENTION_MAP.value} written.")


def _read_inputs():
    lr = images.read(_LR.value)
    images.checked("lr", lr.rgb, smallest=3)
    if _REF.value is None:
        print("No --ref: the picture serves as its own reference.")
        ref = lr
    else:
        ref = images.read(_REF.value)
    images.checked("ref", ref.rgb, smallest=12)
    return lr, ref


def _check_outputs(keep_alpha):
    inputs = [name for name in (_LR.value, _REF.value, _CHECKPOINT.value) if name]
    images.check_output(_OUTPUT.value, inputs, keep_alpha)
    if _ATTENTION_MAP.value:
        images.check_output(_ATTENTION_MAP.value, [*inputs, _OUTPUT.value])


def _print_sizes(lr, ref):
    height, width = lr.shape[:2]
    print(
        f"lr {width}×{height}, reference {ref.shape[1]}×{ref.shape[0]} "
        f"→ {4 * width}×{4 * height} pixels."
    )


def _print_cost(model, lr_size, ref_size):
    memory = cost.memory(lr_size, ref_size)
    seconds = cost.seconds(model, lr_size, ref_size)
    if seconds > LONG_RUN:
        print(f"About {memory / 2**30:.1f} GiB of memory and {seconds:.0f} s.", flush=True)
    cost.require_memory(memory)


def _print_similarity(confidence):
    mean, good = confidence.mean(), (confidence > 0.7).mean()
    print(
        f"Similarity of the reference: {mean:.2f} on average (1 = the same, 0 = nothing alike), "
        f"above 0.7 on {good:.0%} of the picture."
    )


if __name__ == "__main__":
    cli.run(main)
