"""Sheets of the pictures that came out best, in the middle and worst."""

import os

from ttsr_tf.evaluation import measuring, references
from ttsr_tf.evaluation.measuring import Task
from ttsr_tf.images import files, sheets
from ttsr_tf.progress import Progress


def extremes(rows):
    """Of a choice's rows, the best, the median and the worst by PSNR above bicubic.

    Args:
        rows: list of `Row`, not empty.

    Returns:
        A dict of "best", "median", "worst" to `Row`; less where there are less pictures.
    """
    ordered = _ordered(rows)
    places = {"best": 0, "median": (len(rows) - 1) // 2, "worst": len(rows) - 1}
    found = {}
    for name, place in places.items():
        if ordered[place] not in found.values():
            found[name] = ordered[place]
    return found


def candidates(rows, left):
    """Of a choice's rows, those that may be among the `extremes` when more have come.

    Args:
        rows: list of `Row`, not empty.
        left: how many come at most.

    Returns:
        A list of `Row`.
    """
    ordered = _ordered(rows)
    # A row goes down by as many places as come before it, 0 … left; the median at most as far.
    last = (len(rows) + left - 1) // 2
    return [ordered[0], *ordered[max(last - left, 0) : last + 1], ordered[-1]]


def write_sheets(folder, method, choices, *, rows, kept):
    """For every choice, sheets of its best, median and worst picture.

    What was made of a picture is taken from `kept`. If it isn't there, a sheet that an earlier
    start wrote stays; otherwise the picture is enlarged again.

    Args:
        folder: of the sheets; it must be there.
        method: a `Method`.
        choices: list of `Choice`.
        rows: list of `Row`, of these choices and the method's cases.
        kept: a `Kept`.

    Returns:
        A list of (heading, path).
    """
    by_name = {case.name: case for case in method.cases}
    wanted = [
        (choice, place, row)
        for choice in choices
        for place, row in extremes([r for r in rows if r.references == choice.name]).items()
    ]
    progress, sheets_made = Progress(len(wanted), "sheet"), []
    for choice, place, row in wanted:
        name = f"{choice.name}-{place}-{row.picture.replace(os.sep, '_')}.png"
        path = os.path.join(folder, name)
        result = kept.get(row)
        if result or not os.path.exists(path):
            panels = _panels(method, Task(by_name[row.picture], choice), row, result=result)
            files.write(path, sheets.sheet(panels, columns=4))
        sheets_made.append((f"{choice.name}, {place}: {row.picture}, {row.gain:+.2f} dB", path))
        progress.advance()
    progress.close()
    return sheets_made


def _ordered(rows):
    return sorted(rows, key=lambda row: (-row.gain, row.picture))


def _panels(method, task, row, *, result):
    hr, lr, bicubic, refs = measuring.pictures(task, method.cases)
    result = result or method.upscaler.upscale_with_attention(lr, refs, method.memory_gb)
    if task.choice.name == references.STITCHED:
        side = refs[0].shape[1]
        refs = [refs[0][top : top + side] for top in range(0, len(refs[0]), side)]
    enlarged = [
        (f"bicubic {row.bicubic_psnr:.2f} dB / {row.bicubic_ssim:.4f}", bicubic),
        (f"result {row.psnr:.2f} dB / {row.ssim:.4f}", result["sr"]),
    ]
    confidence = result["confidence"]
    return sheets.comparison_panels(lr, refs or [lr], enlarged, hr=hr, confidence=confidence)
