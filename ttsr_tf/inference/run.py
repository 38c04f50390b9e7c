"""Enlarges files as a configuration says."""

import os
import sys
import time

import tqdm

from ttsr_tf.errors import InputError
from ttsr_tf.images import attention, files, given, resizing, sheets
from ttsr_tf.inference import config as configs
from ttsr_tf.inference import engines, said, tiles, ways
from ttsr_tf.inference.loading import load
from ttsr_tf.progress import Progress


def upscale_files(config: configs.UpscaleConfig, stop: object = None) -> list[str]:
    """Enlarges a picture, or all of a folder, and says how it went.

    Args:
        config: an `UpscaleConfig`.
        stop: an object whose `requested` becomes true when somebody wants to stop.

    Returns:
        The paths of the large pictures, a list; of a folder, also of those that were there already.

    Raises:
        InputError: pictures, weights or folders that can't be used, by name. A bad picture in a
            folder is named when all the others are done.
        KeyboardInterrupt: somebody wanted to stop; a picture of a folder is finished before.
    """
    jobs, engine = configs.check(config)
    upscaler = load(config.checkpoint, engine, precision=config.precision)
    if config.precision == engines.FAST:
        said.fast(upscaler.model)
    if config.single_image:
        ways.check_single_image(upscaler.model)
    if not jobs.refs:
        said.way_without_reference(upscaler.model, config.single_image)
    smallest = upscaler.model.smallest_ref
    refs = [given.rgb("ref", path, smallest) for path in jobs.refs]
    if os.path.isdir(config.lr):
        _upscale_all(upscaler, config, refs, jobs=jobs, stop=stop)
    else:
        _upscale_one(upscaler, config, refs, stop=stop)
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
    alpha = None if lr.alpha is None else resizing.upscale(lr.alpha)
    files.write(path, sr, alpha, grey=lr.grey)


def _upscale_all(upscaler, config, refs, *, jobs, stop):
    encoded = [upscaler.encode_reference(ref) for ref in refs] or None
    single_image = config.single_image
    os.makedirs(config.output, exist_ok=True)
    todo, failed = _not_done(jobs, config.overwrite), 0
    progress = Progress(len(todo), "picture")
    for path, output in todo:
        _check_wanted(stop)
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
            similarity = attention.similarity(result["confidence"].mean())
            progress.advance(similarity=f"{similarity:.2f}")
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
        print(f"{done} are there already; --overwrite does them again.")
    return todo


def _upscale_one(upscaler, config, refs, *, stop):
    lr = files.read(config.lr)
    given.rgb("lr", lr.rgb, upscaler.model.smallest_lr)
    said.sizes_and_cost(upscaler.model, lr.rgb, refs, config=config)
    start = time.perf_counter()
    result = upscaler.upscale_with_attention(
        lr.rgb,
        refs or None,
        config.memory_gb,
        single_image=config.single_image,
        progress=_progress_of_parts(stop),
        tile_seconds=tiles.PROMPT,
    )
    write(config.output, lr, result["sr"])
    if not config.single_image:
        said.similarity(result, len(refs))
    print(f"{config.output} written after {time.perf_counter() - start:.1f} s.")
    if config.attention_map:
        panels = sheets.attention_panels(result, refs or [lr.rgb])
        files.write(config.attention_map, sheets.sheet(panels))
        print(f"{config.attention_map} written.")


def _check_wanted(stop):
    if stop and stop.requested:
        raise KeyboardInterrupt


def _progress_of_parts(stop):
    bar = None

    def show(done, count):
        nonlocal bar
        if count <= 2:  # one search, one tile
            return
        if done < count:
            _check_wanted(stop)
        bar = bar or Progress(count, "part")
        bar.advance()
        if done == count:
            bar.close()

    return show
