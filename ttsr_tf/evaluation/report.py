"""What was measured, for people and programs: the table, results.json, report.md."""

import json
import math
import os

from ttsr_tf.evaluation import published
from ttsr_tf.evaluation.results import means
from ttsr_tf.files import written_aside

_HEADER = (
    "| references | pictures | PSNR, dB | above bicubic | SSIM | above bicubic | similarity "
    "| published, PSNR / SSIM |\n|---|---|---|---|---|---|---|---|"
)


def table(rows, choices, outline, *, test_y_channel, crop_border):
    """The scores of every choice beside bicubic's and the published ones, as Markdown.

    Args:
        rows: list of `Row`.
        choices: list of `Choice`.
        outline: the test set's `Outline`.
        test_y_channel, crop_border: as of `metrics.Scores`.
    """
    as_published = is_as_published(test_y_channel, crop_border)
    known = outline.published_as if as_published else None
    measured = {row.picture: row for row in rows}
    bicubic = means(list(measured.values()))
    lines = [
        _HEADER,
        f"| bicubic | {len(measured)} | {bicubic['bicubic_psnr']:.2f} | "
        f"| {bicubic['bicubic_ssim']:.4f} | | | {published.bicubic(known)} |",
    ]
    for choice, of_choice in _by_choice(rows, choices):
        if of_choice:
            mean = means(of_choice)
            lines.append(
                f"| {choice.name} | {len(of_choice)} "
                f"| {mean['psnr']:.2f} | {mean['psnr'] - mean['bicubic_psnr']:+.2f} "
                f"| {mean['ssim']:.4f} | {mean['ssim'] - mean['bicubic_ssim']:+.4f} "
                f"| {mean['similarity']:.2f} | {published.of(known, choice.name)} |"
            )
    return "\n".join(lines)


def notes(outline, *, test_y_channel, crop_border):
    """Sentences without which the table may be misread.

    Args:
        outline: the test set's `Outline`.
        test_y_channel, crop_border: as of `metrics.Scores`.
    """
    y = "Y = (65.738 R + 129.057 G + 25.064 B) / 256 + 16, not rounded"
    of = y if test_y_channel else "RGB"
    cropped = f"{crop_border} pixels cropped on every side" if crop_border else "no border cropped"
    sentences = [
        f"Means over pictures. PSNR and SSIM on {of}, {cropped}; peak 255, SSIM with a Gaussian "
        "11×11, σ 1.5, K 0.01 and 0.03. Similarity is the match's mean confidence. HR and "
        "references are cropped at the top left to multiples of 4."
    ]
    if not is_as_published(test_y_channel, crop_border):
        sentences.append("Published numbers are on Y without a border: not comparable with these.")
    elif about := published.warning(outline.published_as, outline.count):
        sentences.append(about)
    return sentences


def is_as_published(test_y_channel, crop_border):
    """Whether numbers measured so may stand beside the published ones."""
    return test_y_channel and crop_border == 0


def write_json(path, rows, choices, *, protocol, failed):
    """Means and protocol for programs.

    Args:
        path: file name.
        rows, choices: as of `table`.
        protocol: dict.
        failed: list of (picture, name of the choice, reason).
    """
    content = {
        "protocol": protocol,
        "results": [
            {
                "references": choice.name,
                "references_protocol": choice.protocol,
                "measured": len(of_choice),
                "failed": sum(name == choice.name for _, name, _ in failed),
                **({k: _number(v) for k, v in means(of_choice).items()} if of_choice else {}),
            }
            for choice, of_choice in _by_choice(rows, choices)
        ],
        "failed": [
            dict(zip(("picture", "references", "reason"), failure, strict=True))
            for failure in failed
        ],
    }
    with written_aside(path) as aside, open(aside, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False, allow_nan=False)


def write_markdown(path, numbers, choices, *, protocol, failed, sheets):
    """The report for people.

    Args:
        path: file name.
        numbers: list of paragraphs: the table and its notes.
        choices: list of `Choice`.
        protocol: dict.
        failed: list of (picture, name of the choice, reason).
        sheets: list of (heading, path of a picture).
    """
    folder = os.path.dirname(path)
    lines = [f"# {protocol['data_set']}", "", *(f"{paragraph}\n" for paragraph in numbers)]
    lines += ["## Protocol", ""]
    lines += [f"- {name}: {value}" for name, value in protocol.items()]
    lines += ["", "References:", ""]
    lines += [f"- {choice.name}: {choice.protocol}" for choice in choices]
    if failed:
        lines += ["", f"## Failed: {len(failed)}", ""]
        lines += [f"- {picture}, {choice}: {reason}" for picture, choice, reason in failed]
    lines += ["", "## Pictures", ""]
    for heading, sheet in sheets:
        link = os.path.relpath(sheet, folder).replace(os.sep, "/").replace(" ", "%20")
        lines += [f"### {heading}", "", f"![{heading}]({link})", ""]
    with written_aside(path) as aside, open(aside, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def _by_choice(rows, choices):
    return [(c, [row for row in rows if row.references == c.name]) for c in choices]


def _number(value):
    """JSON knows no infinity: a mean over a picture that came out exactly is null."""
    return value if math.isfinite(value) else None
