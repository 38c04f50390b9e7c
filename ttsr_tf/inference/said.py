"""What enlarging one picture says, before and after."""

import numpy as np

from ttsr_tf.images import attention
from ttsr_tf.inference import memory, tiles

LONG_RUN = 5  # seconds
_USEFUL = 0.1  # similarity; of the same street from farther on it was about 0.04


def fast(model):
    """What a fast picture's convolutions are computed in."""
    if getattr(model, "compute_dtype", None) == "bfloat16":
        print("Fast: convolutions in bfloat16.")
    else:
        print("Fast: the search alone; this engine, or this processor, is no faster in bfloat16.")


def way_without_reference(model, single_image):
    """Which way makes the picture, where no reference is given."""
    if single_image:
        print("The single-image path makes the picture.")
    elif model.without_reference:
        print(
            "No reference: the picture of the single-image path takes textures from the small one."
        )
    else:
        print("No reference: the picture serves as its own reference.")


def sizes_and_cost(model, lr, refs, *, config):
    """The sizes; what it will take, if that is long.

    Args:
        model: a network (see `ttsr_tf.models`).
        lr: uint8 [H, W, 3].
        refs: list of uint8 [h, w, 3].
        config: an `UpscaleConfig`.
    """
    height, width = lr.shape[:2]
    searched = refs or ([] if model.without_reference else [lr])
    sizes = [ref.shape[:2] for ref in searched]
    named = f", reference {', '.join(f'{w}×{h}' for h, w in sizes)}" if sizes else ""
    print(f"lr {width}×{height}{named} → {4 * width}×{4 * height} pixels.")
    if config.single_image:  # a matter of seconds
        return
    limits = {"memory_gb": config.memory_gb, "seconds": tiles.PROMPT}
    cuts = tiles.cut(model, (height, width), sizes, **limits)
    outers = [tiles.surrounded(tile, (height, width), model.tile_overlap) for tile in cuts]
    tile_sizes = [tiles.size(outer) for outer in outers]
    seconds = memory.seconds(model, (height, width), sizes, tile_sizes=tile_sizes)
    if seconds > LONG_RUN:
        gib = memory.needed(model, (height, width), sizes) / 2**30
        how = f"{len(cuts)} tiles; one piece would take" if len(cuts) > 1 else "In one piece:"
        print(f"{how} about {gib:.1f} GiB of memory. About {seconds:.0f} s.", flush=True)


def similarity(result, count):
    """How well the references match, and how much of each of `count` was used."""
    confidence = result["confidence"]
    found = attention.similarity(confidence.mean())
    print(
        f"Similarity of the reference: {found:.2f} (1: the same; 0: like photographs of other "
        "places)."
    )
    if found < _USEFUL:
        print("It has little that this picture could use. One of the same thing would help more.")
    if count > 1:
        shares = np.bincount(result["source"].ravel(), minlength=count) / confidence.size
        print("Used of each reference:", ", ".join(f"{share:.0%}" for share in shares))
