"""Sheets of the pictures that came out best, in the middle and worst."""

import os

from ttsr_tf.evaluation import measuring, references
from ttsr_tf.evaluation.measuring import Task
from ttsr_tf.images import files
from ttsr_tf.images.files import sheets
from ttsr_tf.progress import Progress


def extremes(rows):
    """Of a choice's rows, the best, the median and the worst by PSNR above bicubic.

    Args:
        rows: list of `Row`, not empty.

    Returns:
        A dict of "best", "median", "worst" to `Row`; less where there are less pictures.
    """
    ordered = sorted(rows, key=lambda row: (-row.gain, row.picture))
    places = {"best": 0, "median": (len(rows) - 1) // 2, "worst": len(rows) - 1}
    found = {}
    for name, place in places.items():
        if ordered[place] not in found.values():
            found[name] = ordered[place]
    return found


def write_sheets(folder, model, choices, cases, rows, memory_gb=None):
    """For every choice, sheets of its best, median and worst picture; what is there is kept.

    Args:
        folder: of the sheets; it must be there.
        model: a built `TTSR`.
        choices: list of `Choice`.
        cases: all of the set.
        rows: list of `Row`, of these choices and cases.
        memory_gb: as of `TTSR.upscale`.

    Returns:
        A list of (heading, path).
    """
    by_name = {case.name: case for case in cases}
    wanted = [
        (choice, place, row)
        for choice in choices
        for place, row in extremes([r for r in rows if r.references == choice.name]).items()
    ]
    progress, sheets_made = Progress(len(wanted), "sheet"), []
    for choice, place, row in wanted:
        name = f"{choice.name}-{place}-{row.picture.replace(os.sep, '_')}.png"
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            _write_sheet(path, model, Task(by_name[row.picture], choice), cases, row, memory_gb)
        sheets_made.append((f"{choice.name}, {place}: {row.picture}, {row.gain:+.2f} dB", path))
        progress.advance()
    progress.close()
    return sheets_made


def _write_sheet(path, model, task, cases, row, memory_gb):
    hr, lr, bicubic, refs = measuring.pictures(task, cases)
    result = model.upscale_with_attention(lr, refs, memory_gb)
    if task.choice.name == references.STITCHED:
        side = refs[0].shape[1]
        refs = [refs[0][top : top + side] for top in range(0, len(refs[0]), side)]
    enlarged = [
        (f"bicubic {row.bicubic_psnr:.2f} dB / {row.bicubic_ssim:.4f}", bicubic),
        (f"result {row.psnr:.2f} dB / {row.ssim:.4f}", result["sr"]),
    ]
    panels = sheets.comparison_panels(lr, refs or [lr], enlarged, hr, result["confidence"])
    files.write(path, sheets.sheet(panels, columns=4))
