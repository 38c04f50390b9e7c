"""Enlarges the pictures of a test set one after the other, and measures them."""

import collections
import sys
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tqdm

from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import extremes, references
from ttsr_tf.evaluation.results import Row
from ttsr_tf.images import attention, bicubic, degradation, given, inputs, warp
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


class Degradation(NamedTuple):
    """How LR is made where none comes with the set.

    Attributes:
        kind: one of `degradation.KINDS`.
        seed: int; with the picture's name it decides a realistic one.
    """

    kind: str = degradation.BICUBIC
    seed: int = 0


PUBLISHED = Degradation()


class Method(NamedTuple):
    """How pictures are enlarged and measured.

    Attributes:
        upscaler: an `Upscaler`.
        scores: takes hr and a picture, uint8 [H, W, 3], and gives PSNR and SSIM.
        cases: all of the set, of which a reference may be chosen.
        lpips: as `scores`, but gives LPIPS; or None.
        memory_gb: as of `Upscaler.upscale`.
        degradation: a `Degradation`.
    """

    upscaler: object
    scores: Callable
    cases: list
    lpips: Callable | None = None
    memory_gb: float | None = None
    degradation: Degradation = PUBLISHED


def measure(method, tasks, results, *, kept=None):
    """Measures what `results` don't hold yet; whatever fails, the others are measured.

    Args:
        method: a `Method`.
        tasks: list of `Task`.
        results: a `Results`, which gets the rows.
        kept: a `Kept`, which gets what may be shown; or None.

    Returns:
        What failed: a list of (picture, name of the choice, reason).
    """
    todo = [task for task in tasks if not results.has(task.case.name, task.choice.name)]
    left = collections.Counter(task.choice.name for task in todo)
    progress, failed = Progress(len(todo), "picture"), []
    for task in todo:
        name, choice = task.case.name, task.choice.name
        left[choice] -= 1
        try:
            row, result = _measured(method, task)
        except Exception as error:  # whatever it is, hours of other pictures are worth going on
            failed.append((name, choice, _reason(error)))
            tqdm.tqdm.write(f"failed: {name}, {choice}: {failed[-1][-1]}", file=sys.stderr)
            progress.advance()
        else:
            if kept:  # first: a row is what a second start doesn't make again
                of_choice = [*(r for r in results.rows if r.references == choice), row]
                kept.add(row, result)
                kept.keep_only(extremes.candidates(of_choice, left[choice]))
            results.add(row)
            progress.advance(psnr=f"{row.psnr:.2f}", above_bicubic=f"{row.gain:+.2f}")
    progress.close()
    return failed


def pictures(task, cases, how=PUBLISHED):
    """Reads a picture and makes what the protocol wants of it.

    Args:
        task: a `Task`.
        cases: all of the set.
        how: a `Degradation`.

    Returns:
        `Pictures`.

    Raises:
        InputError: files that can't be used.
    """
    case, choice = task
    hr = given.rgb("hr", _whole(case.hr.read()), smallest=12)
    # By its name, so that it is the same in a part of the set.
    seed = how.seed, zlib.crc32(case.name.encode())
    lr = case.lr.read() if case.lr else inputs.degraded(hr, how.kind, seed).numpy()
    if hr.shape != (4 * lr.shape[0], 4 * lr.shape[1], 3):
        raise InputError(
            f"{case.lr.name} is {lr.shape[1]}×{lr.shape[0]} pixels, a quarter of {case.hr.name}, "
            f"{hr.shape[1] // 4}×{hr.shape[0] // 4}, is needed."
        )
    stored = references.of(choice, case, cases)
    refs = stored and [_seen(ref.read(), choice.angle) for ref in stored]
    if choice.unwarped == references.STITCHED:
        refs = [np.concatenate(references.cells(refs))]
    return Pictures(hr, lr, bicubic.upscale(lr).numpy(), refs)


def _measured(method, task):
    """A `Row`, and what `Upscaler.upscale_with_attention` gave."""
    hr, lr, plain, refs = pictures(task, method.cases, method.degradation)
    tiles = 1

    def count_tiles(_, count):
        nonlocal tiles
        tiles = count

    result = method.upscaler.upscale_with_attention(
        lr, refs, method.memory_gb, progress=count_tiles
    )
    stored = references.of(task.choice, task.case, method.cases)
    row = Row(
        task.case.name,
        task.choice.name,
        *method.scores(hr, result["sr"]),
        *method.scores(hr, plain),
        float(attention.similarity(result["confidence"].mean())),
        tiles,
        " ".join(ref.name for ref in stored) if stored else "LR",
        *((method.lpips(hr, result["sr"]), method.lpips(hr, plain)) if method.lpips else ()),
    )
    return row, result


def _seen(ref, angle):
    return warp.warped(ref, angle) if angle else _whole(ref)


def _whole(picture):
    """Cropped at the top left to multiples of 4."""
    return picture[: len(picture) // 4 * 4, : picture.shape[1] // 4 * 4]


def _reason(error):
    first = str(error).splitlines()[0] if str(error) else ""
    return first if isinstance(error, InputError) else f"{type(error).__name__}: {first}"
