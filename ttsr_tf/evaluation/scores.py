"""What was measured as a table, with the sentences that it needs, and as results.json."""

import json
import math

from ttsr_tf.evaluation import published
from ttsr_tf.evaluation.results import means
from ttsr_tf.files import written_aside
from ttsr_tf.images import degradation

_ABOVE = "above bicubic"


def table(rows, choices, outline, *, config):
    """The scores of every choice beside bicubic's and the published ones.

    Args:
        rows: list of `Row`, not empty.
        choices: list of `Choice`.
        outline: the test set's `Outline`.
        config: an `EvaluationConfig`.

    Returns:
        A list of rows, each a list of str; the first is the header.
    """
    known = outline.published_as if is_as_published(config) else None
    pictures = {row.picture: row for row in rows}
    bicubic = means(list(pictures.values()))
    measured = [(choice, found) for choice, found in _by_choice(rows, choices) if found]
    columns = [
        ["references", "bicubic", *(choice.name for choice, _ in measured)],
        ["pictures", str(len(pictures)), *(str(len(found)) for _, found in measured)],
    ]
    network = [means(found) for _, found in measured]
    for name, title, digits in (
        ("psnr", "PSNR, dB", 2),
        ("ssim", "SSIM", 4),
        ("lpips", f"LPIPS, {config.lpips}", 4),
    ):
        if name in bicubic:
            plain = f"bicubic_{name}"
            scores = [bicubic[plain], *(mean[name] for mean in network)]
            columns += [
                [title, *(f"{score:.{digits}f}" for score in scores)],
                [_ABOVE, "", *(f"{mean[name] - mean[plain]:+.{digits}f}" for mean in network)],
            ]
    columns.append(["similarity", "", *(f"{mean['similarity']:.2f}" for mean in network)])
    # Nothing is published of other angles.
    names = ["" if choice.angle else choice.name for choice, _ in measured]
    beside = [published.bicubic(known), *(published.of(known, name) for name in names)]
    if any(beside):
        columns.append(["published, PSNR / SSIM", *beside])
    return [list(row) for row in zip(*columns, strict=True)]


def markdown(table):
    """A table as Markdown."""
    header, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join([header, "|---" * len(table[0]) + "|", *rows])


def notes(outline, config):
    """Sentences without which the table may be misread.

    Args:
        outline: the test set's `Outline`.
        config: an `EvaluationConfig`.
    """
    y = "Y = (65.738 R + 129.057 G + 25.064 B) / 256 + 16, not rounded"
    of, border = y if config.test_y_channel else "RGB", config.crop_border
    cropped = f"{border} pixels cropped on every side" if border else "no border cropped"
    sentences = [
        f"Means over pictures. PSNR and SSIM on {of}, {cropped}; peak 255, SSIM with a Gaussian "
        "11×11, σ 1.5, K 0.01 and 0.03. Similarity is (c − 0.77) / 0.23, c the match's "
        "mean confidence, from 0 (photographs of other places) to 1 (the same). HR and "
        "references are cropped at the top left to multiples of 4."
    ]
    if config.lpips:
        sentences.append(
            f"LPIPS 0.1 with {config.lpips}, on RGB, {cropped}: 0 is no difference, so less is "
            "better."
        )
    if not is_as_published(config):
        sentences.append(
            "Published numbers are on Y without a border, of LR made bicubically: not comparable "
            "with these."
        )
    elif about := published.warning(outline.published_as, outline.count):
        sentences.append(about)
    return sentences


def is_as_published(config):
    """Whether numbers measured so may stand beside the published ones."""
    return (
        config.test_y_channel
        and config.crop_border == 0
        and config.degradation == degradation.BICUBIC
    )


def write_json(path, rows, choices, *, protocol, failed):
    """Means and protocol for programs.

    Args:
        path: file name.
        rows: list of `Row`.
        choices: list of `Choice`.
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


def _by_choice(rows, choices):
    return [(c, [row for row in rows if row.references == c.name]) for c in choices]


def _number(value):
    """JSON knows no infinity: a mean over a picture that came out exactly is null."""
    return value if math.isfinite(value) else None
