"""Enlarges files as a configuration says."""

import os
import sys
import time

import numpy as np
import tqdm

from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic, files, sheets
from ttsr_tf.inference import config as configs
from ttsr_tf.inference import memory
from ttsr_tf.inference.upscaler import load
from ttsr_tf.progress import Progress

LONG_RUN = 5  # seconds


def upscale_files(config: configs.UpscaleConfig) -> list[str]:
    """Enlarges a picture, or all of a folder, and says how it went.

    Args:
        config: an `UpscaleConfig`.

    Returns:
        The paths of the large pictures, a list; of a folder, also of those that were there already.

    Raises:
        InputError: pictures, weights or folders that can't be used, by name. A bad picture in a
            folder is named when all the others are done.
    """
    jobs = configs.check(config)
    upscaler = load(config.checkpoint)
    if not jobs.refs:
        _print_what_makes_the_picture(upscaler.model, config.single_image)
    smallest = upscaler.model.smallest_ref
    refs = [files.checked("ref", files.read(path).rgb, smallest) for path in jobs.refs]
    if os.path.isdir(config.lr):
        _upscale_all(upscaler, config, refs, jobs=jobs)
    else:
        _upscale_one(upscaler, config, refs)
    return jobs.outputs


def write(path, lr, sr):
    """Writes an enlarged picture with the transparency, or the lack of colours, of the small one.

    Args:
        path: file name; its extension chooses the format.
        lr: the small `files.Picture`.
        sr: uint8 [4·H, 4·W, 3].

    Raises:
        InputError: the file can't be written.
    """
    alpha = None if lr.alpha is None else bicubic.upscale(lr.alpha).numpy()
    files.write(path, sr, alpha, grey=lr.grey)


def _print_what_makes_the_picture(model, single_image):
    if single_image:
        print("The single-image path makes the picture.")
    elif model.without_reference:
        print("No `ref`: the picture of the single-image path takes textures from the small one.")
    else:
        print("No `ref`: the picture serves as its own reference.")


def _upscale_all(upscaler, config, refs, *, jobs):
    encoded = [upscaler.encode_reference(ref) for ref in refs] or None
    single_image = config.single_image
    os.makedirs(config.output, exist_ok=True)
    todo, failed = _not_done(jobs, config.overwrite), 0
    progress = Progress(len(todo), "picture")
    for path, output in todo:
        try:
            lr = files.read(path)
            result = upscaler.upscale_with_attention(
                lr.rgb, encoded, config.memory_gb, single_image=single_image
            )
        except InputError as error:
            failed += 1
            tqdm.tqdm.write(f"failed: {os.path.basename(path)}: {error}", file=sys.stderr)
            progress.advance()
        else:
            write(output, lr, result["sr"])
            progress.advance(similarity=f"{result['confidence'].mean():.2f}")
    progress.close()
    print(f"Written to {config.output}: {len(todo) - failed} of {len(jobs.lr)} pictures.")
    if failed:
        raise InputError(f"{failed} of {len(todo)} pictures failed and are left out; see above.")


def _not_done(jobs, overwrite):
    """Pairs of paths, of the small picture and the large one."""
    both = list(zip(jobs.lr, jobs.outputs, strict=True))
    todo = [pair for pair in both if overwrite or not os.path.exists(pair[1])]
    if len(todo) < len(both):
        done = f"{len(both) - len(todo)} of {len(both)}"
        print(f"{done} are there already; `overwrite` does them again.")
    return todo


def _upscale_one(upscaler, config, refs):
    lr = files.read(config.lr)
    files.checked("lr", lr.rgb, upscaler.model.smallest_lr)
    searched = refs or ([] if upscaler.model.without_reference else [lr.rgb])
    _print_sizes_and_cost(upscaler.model, lr.rgb, searched)
    start = time.perf_counter()
    result = upscaler.upscale_with_attention(
        lr.rgb,
        refs or None,
        config.memory_gb,
        single_image=config.single_image,
        progress=_tile_progress(),
    )
    write(config.output, lr, result["sr"])
    if not config.single_image:
        _print_similarity(result, len(refs))
    print(f"{config.output} written after {time.perf_counter() - start:.1f} s.")
    if config.attention_map:
        files.write(
            config.attention_map, sheets.sheet(sheets.attention_panels(result, refs or [lr.rgb]))
        )
        print(f"{config.attention_map} written.")


def _print_sizes_and_cost(model, lr, refs):
    height, width = lr.shape[:2]
    sizes = [ref.shape[:2] for ref in refs]
    searched = f", reference {', '.join(f'{w}×{h}' for h, w in sizes)}" if sizes else ""
    print(f"lr {width}×{height}{searched} → {4 * width}×{4 * height} pixels.")
    seconds = memory.seconds(model, (height, width), sizes)
    if seconds > LONG_RUN:
        gib = memory.needed(model, (height, width), sizes) / 2**30
        print(f"About {gib:.1f} GiB of memory in one piece, and {seconds:.0f} s.", flush=True)


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
