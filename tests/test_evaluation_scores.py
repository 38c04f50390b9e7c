import json
import math

import pytest

from ttsr_tf.data.sets import Outline
from ttsr_tf.evaluation import published, references, scores
from ttsr_tf.evaluation.config import EvaluationConfig
from ttsr_tf.evaluation.results import Row

CHOICES = [references.named("L1"), references.named("stitched")]
CUFED5 = Outline("the set", 126, 5, published_as="CUFED5")


def config(**how):
    return EvaluationConfig(checkpoint="a", output_dir="b", **how)


def row(picture="a", name="L1", psnr=21.0, bicubic=20.0):
    return Row(picture, name, psnr, 0.5, bicubic, 0.25, 0.75, 1, "r")


ROWS = [row(), row("b", psnr=24.0), row(name="stitched", psnr=19.5)]


def lines(rows=ROWS, **how):
    table = scores.table(rows, CHOICES, CUFED5, config=config(**how))
    return scores.markdown(table).splitlines()


def test_table():
    header, rule, bicubic, level, stitched = lines()
    assert header.endswith("| similarity | published, PSNR / SSIM |")
    assert rule.count("|") == header.count("|")
    assert bicubic == "| bicubic | 2 | 20.00 |  | 0.2500 |  |  | 24.18 / .684 |"
    assert level.startswith("| L1 | 2 | 22.50 | +2.50 | 0.5000 | +0.2500 | 0.75 | TTSR-rec 26.99")
    assert stitched.startswith("| stitched | 1 | 19.50 | -0.50 |")
    assert stitched.endswith("SRNTT-rec 26.24 / .784, SRNTT 25.61 / .764 |")
    assert len(scores.notes(CUFED5, config())) == 1


@pytest.mark.parametrize(("test_y_channel", "crop_border"), [(False, 0), (True, 4)])
def test_no_published_numbers_beside_others(test_y_channel, crop_border):
    how = {"test_y_channel": test_y_channel, "crop_border": crop_border}
    header, _, bicubic, *_ = lines(**how)
    assert header.endswith("| similarity |")
    assert bicubic == "| bicubic | 2 | 20.00 |  | 0.2500 |  |  |"
    measured, warning = scores.notes(CUFED5, config(**how))
    assert "not comparable" in warning
    assert ("RGB" in measured) == (not test_y_channel)
    assert ("4 pixels cropped" in measured) == (crop_border == 4)


def test_no_published_numbers_beside_other_references_or_lr():
    warped = [references.named("L1@5"), references.named("match-1@5")]
    rows = [row(name=choice.name) for choice in warped]
    for known in ("CUFED5", "Sun80"):
        outline = Outline("the set", published.PICTURES[known], 5, published_as=known)
        table = scores.table(rows, warped, outline, config=config())
        assert [cells[-1] for cells in table[2:]] == ["", ""]
    header, *_ = lines(degradation="realistic")
    assert header.endswith("| similarity |")
    assert "not comparable" in scores.notes(CUFED5, config(degradation="realistic"))[1]


def test_lpips_where_it_was_measured():
    rows = [
        row()._replace(lpips=0.25, bicubic_lpips=0.5),
        row("b")._replace(lpips=0.375, bicubic_lpips=0.75),
    ]
    header, _, bicubic, level = lines(rows, lpips="vgg")
    assert "| LPIPS, vgg | above bicubic | similarity |" in header
    assert bicubic.startswith("| bicubic | 2 | 20.00 |  | 0.2500 |  | 0.6250 |  |  |")
    assert "| 0.3125 | -0.3125 | 0.75 |" in level
    _, about = scores.notes(CUFED5, config(lpips="vgg", crop_border=0))
    assert about.startswith("LPIPS 0.1 with vgg, on RGB, no border cropped")
    assert "LPIPS" not in " ".join([*lines(), *scores.notes(CUFED5, config())])


def test_published():
    assert published.of("CUFED5", "best-of-five") == published.of(None, "self") == ""
    assert published.of("CUFED5", "L5") == published.of("Urban100", "random-1") == ""
    assert published.of("CUFED5", "self") == "TTSR-rec 26.43 / .782"
    assert published.of("Sun80", "match-1").startswith("TTSR-rec 30.02 / .814, TTSR 28.59")
    assert published.of("Urban100", "self").startswith("TTSR-rec 25.87 / .784")
    for name in ("self", "random-3"):
        assert published.of("Manga109", name).startswith("TTSR-rec 30.09 / .907")
    assert published.bicubic("Manga109") == published.warning("Manga109", 109) == ""
    assert published.warning(None, 3) == ""
    assert published.warning("Sun80", 79).startswith("79 pictures, not 80: this is not Sun80.")


def test_json(tmp_path):
    failed = [("c", "L1", "why")]
    rows = [*ROWS, row("d", psnr=math.inf)]
    scores.write_json(
        tmp_path / "results.json", rows, CHOICES, protocol={"crop_border": "0"}, failed=failed
    )
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["protocol"] == {"crop_border": "0"}
    level, stitched = content["results"]
    assert (level["measured"], level["failed"], level["psnr"]) == (3, 1, None)
    assert (stitched["measured"], stitched["failed"], stitched["psnr"]) == (1, 0, 19.5)
    assert stitched["references_protocol"] == CHOICES[1].protocol
    assert content["failed"] == [{"picture": "c", "references": "L1", "reason": "why"}]
