"""The pictures that came out best, in the middle and worst, as sections of a report."""

import numpy as np

from ttsr_tf.evaluation import extremes, measuring, references, report
from ttsr_tf.evaluation.measuring import Task
from ttsr_tf.images import sheets

INSET = 96  # pixels: side of what is shown at pixel size
_INSET_SCALE = 4


def sections(method, choices, *, rows, kept):
    """For every choice, its best, median and worst picture.

    What was made of a picture is taken from `kept`; if it isn't there, the picture is enlarged
    again.

    Args:
        method: a `Method`.
        choices: list of `Choice`, each with a row.
        rows: list of `Row`, of these choices and the method's cases.
        kept: a `Kept`; the others that it has of a choice are dropped.

    Returns:
        A list of `report.Section`.
    """
    by_name = {case.name: case for case in method.cases}
    made = []
    for choice in choices:
        shown = extremes.of([row for row in rows if row.references == choice.name])
        kept.keep_only(list(shown.values()))
        for place, row in shown.items():
            heading = f"{choice.name}, {place}: {row.picture}, {row.gain:+.2f} dB above bicubic"
            task = Task(by_name[row.picture], choice)
            made.append(_section(method, task, row, heading=heading, kept=kept))
    return made


def hardest(hr, plain, size):
    """Where bicubic loses most: the square with the largest squared error.

    Args:
        hr, plain: uint8 [H, W, 3].
        size: the square's side, at most H and W.

    Returns:
        Its top and left, two ints.
    """
    error = ((np.float64(hr) - plain) ** 2).sum(-1)
    summed = np.pad(error, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    squares = summed[size:, size:] - summed[:-size, size:] - summed[size:, :-size]
    squares += summed[:-size, :-size]
    return tuple(map(int, np.unravel_index(squares.argmax(), squares.shape)))


def _section(method, task, row, *, heading, kept):
    hr, lr, plain, refs = measuring.pictures(task, method.cases, method.degradation)
    result = kept.get(row)
    if not result:
        result = method.upscaler.upscale_with_attention(lr, refs, method.memory_gb)
        kept.add(row, result)
    refs = refs or [lr]
    if task.choice.unwarped == references.STITCHED:
        result, refs = _by_cell(result, *refs)
    compared = {"bicubic": plain, "result": result["sr"], "truth": hr}
    scores = {
        "bicubic": _scores(row.bicubic_psnr, row.bicubic_ssim, row.bicubic_lpips),
        "result": _scores(row.psnr, row.ssim, row.lpips),
        "truth": "",
    }
    size = min(INSET, *hr.shape[:2])
    top, left = hardest(hr, plain, size)
    box = (left / hr.shape[1], top / hr.shape[0], size / hr.shape[1], size / hr.shape[0])
    insets = [
        report.pixels(label, picture[top : top + size, left : left + size], scale=_INSET_SCALE)
        for label, picture in compared.items()
    ]
    figures = [
        report.pixels(f"LR, {lr.shape[1]}×{lr.shape[0]}", lr, scale=4),
        *(
            report.photograph(f"{label}{scores[label]}", picture, box)
            for label, picture in compared.items()
        ),
        *_of_references(refs, result),
    ]
    return report.Section(heading, size, insets, figures)


def _of_references(refs, result):
    plain = [
        report.photograph(f"reference {i}" if len(refs) > 1 else "reference", ref)
        for i, ref in enumerate(refs, 1)
    ]
    *tinted, used, confidence = sheets.attention_panels(result, refs)
    return [
        *plain,
        *(report.photograph(*panel) for panel in tinted),
        *(report.pixels(*panel) for panel in (used, confidence)),
    ]


def _by_cell(result, canvas):
    """A canvas of square cells, one below the other, as if each had been a reference."""
    side = canvas.shape[1]
    source, index = np.divmod(result["index"], (side // 4) ** 2)
    cells = [canvas[top : top + side] for top in range(0, len(canvas), side)]
    return {**result, "source": source, "index": index}, cells


def _scores(psnr, ssim, lpips):
    shown = f", {psnr:.2f} dB, SSIM {ssim:.4f}"
    return shown if lpips is None else f"{shown}, LPIPS {lpips:.3f}"
