"""Enlarges the pictures of a test set one after the other, and measures them."""

import sys
from typing import NamedTuple

import numpy as np
import tqdm

from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import references
from ttsr_tf.evaluation.results import Row
from ttsr_tf.images import bicubic, files
from ttsr_tf.progress import Progress


class Task(NamedTuple):
    """A `Case` and a `Choice` of references for it."""

    case: tuple
    choice: tuple


class Pictures(NamedTuple):
    """What is enlarged and what it is measured against, all uint8.

    Attributes:
        hr: [4·H, 4·W, 3].
        lr: [H, W, 3].
        bicubic: `lr` enlarged without a network [4·H, 4·W, 3].
        refs: list of [h, w, 3] as they are searched; None: `lr` itself.
    """

    hr: np.ndarray
    lr: np.ndarray
    bicubic: np.ndarray
    refs: list | None


def measure(model, tasks, cases, results, scores, memory_gb=None):
    """Measures what `results` don't hold yet; whatever fails, the others are measured.

    Args:
        model: a built `TTSR`.
        tasks: list of `Task`.
        cases: all of the set, of which a reference may be chosen.
        results: a `Results`, which gets the rows.
        scores: takes hr and a picture, uint8 [H, W, 3], and gives PSNR and SSIM.
        memory_gb: as of `TTSR.upscale`.

    Returns:
        What failed: a list of (picture, name of the choice, reason).
    """
    todo = [task for task in tasks if not results.has(task.case.name, task.choice.name)]
    progress, failed = Progress(len(todo), "picture"), []
    for task in todo:
        name, choice = task.case.name, task.choice.name
        try:
            row = _measured(model, task, cases, scores, memory_gb)
        except Exception as error:  # whatever it is, hours of other pictures are worth going on
            failed.append((name, choice, _reason(error)))
            tqdm.tqdm.write(f"failed: {name}, {choice}: {failed[-1][-1]}", file=sys.stderr)
            progress.advance()
        else:
            results.add(row)
            progress.advance(psnr=f"{row.psnr:.2f}", above_bicubic=f"{row.gain:+.2f}")
    progress.close()
    return failed


def pictures(task, cases):
    """Reads a picture and makes what the protocol wants of it.

    Args:
        task: a `Task`.
        cases: all of the set.

    Returns:
        `Pictures`.

    Raises:
        InputError: files that can't be used.
    """
    case, choice = task
    hr = files.checked("hr", _whole(case.hr.read()), smallest=12)
    lr = case.lr.read() if case.lr else bicubic.downscale(hr).numpy()
    if hr.shape != (4 * lr.shape[0], 4 * lr.shape[1], 3):
        raise InputError(
            f"{case.lr.name} is {lr.shape[1]}×{lr.shape[0]} pixels, a quarter of {case.hr.name}, "
            f"{hr.shape[1] // 4}×{hr.shape[0] // 4}, is needed."
        )
    stored = references.of(choice, case, cases)
    refs = stored and [_whole(ref.read()) for ref in stored]
    if choice.name == references.STITCHED:
        refs = [np.concatenate(references.cells(refs))]
    return Pictures(hr, lr, bicubic.upscale(lr).numpy(), refs)


def _measured(model, task, cases, scores, memory_gb):
    hr, lr, bicubic, refs = pictures(task, cases)
    tiles = 1

    def count_tiles(_, count):
        nonlocal tiles
        tiles = count

    result = model.upscale_with_attention(lr, refs, memory_gb, count_tiles)
    stored = references.of(task.choice, task.case, cases)
    return Row(
        task.case.name,
        task.choice.name,
        *scores(hr, result["sr"]),
        *scores(hr, bicubic),
        float(result["confidence"].mean()),
        tiles,
        " ".join(ref.name for ref in stored) if stored else "LR",
    )


def _whole(picture):
    """Cropped at the top left to multiples of 4."""
    return picture[: len(picture) // 4 * 4, : picture.shape[1] // 4 * 4]


def _reason(error):
    first = str(error).splitlines()[0] if str(error) else ""
    return first if isinstance(error, InputError) else f"{type(error).__name__}: {first}"
