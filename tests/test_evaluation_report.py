import itertools
import json
import math

import pytest

from ttsr_tf.data.sets import Outline
from ttsr_tf.evaluation import comparison, published, references, report
from ttsr_tf.evaluation.results import Row

CHOICES = [references.named("L1"), references.named("stitched")]
CUFED5 = Outline("the set", 126, 5, published_as="CUFED5")
PUBLISHED = {"test_y_channel": True, "crop_border": 0}


def row(picture="a", name="L1", psnr=21.0, bicubic=20.0):
    return Row(picture, name, psnr, 0.5, bicubic, 0.25, 0.75, 1, "r")


ROWS = [row(), row("b", psnr=24.0), row(name="stitched", psnr=19.5)]


def lines(**how):
    return report.table(ROWS, CHOICES, CUFED5, **how).splitlines()[2:]


def test_table():
    bicubic, level, stitched = lines(**PUBLISHED)
    assert bicubic == "| bicubic | 2 | 20.00 | | 0.2500 | | | 24.18 / .684 |"
    assert level.startswith("| L1 | 2 | 22.50 | +2.50 | 0.5000 | +0.2500 | 0.75 | TTSR-rec 26.99")
    assert stitched.startswith("| stitched | 1 | 19.50 | -0.50 |")
    assert stitched.endswith("SRNTT-rec 26.24 / .784, SRNTT 25.61 / .764 |")
    assert len(report.notes(CUFED5, **PUBLISHED)) == 1


@pytest.mark.parametrize(("test_y_channel", "crop_border"), [(False, 0), (True, 4)])
def test_no_published_numbers_beside_others(test_y_channel, crop_border):
    how = {"test_y_channel": test_y_channel, "crop_border": crop_border}
    assert all(line.endswith("|  |") for line in lines(**how))
    measured, warning = report.notes(CUFED5, **how)
    assert "not comparable" in warning
    assert ("RGB" in measured) == (not test_y_channel)
    assert ("4 pixels cropped" in measured) == (crop_border == 4)


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


def test_files(tmp_path):
    failed = [("c", "L1", "why")]
    rows = [*ROWS, row("d", psnr=math.inf)]
    report.write_json(
        tmp_path / "results.json", rows, CHOICES, protocol={"crop_border": "0"}, failed=failed
    )
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["protocol"] == {"crop_border": "0"}
    level, stitched = content["results"]
    assert (level["measured"], level["failed"], level["psnr"]) == (3, 1, None)
    assert (stitched["measured"], stitched["failed"], stitched["psnr"]) == (1, 0, 19.5)
    assert stitched["references_protocol"] == CHOICES[1].protocol
    assert content["failed"] == [{"picture": "c", "references": "L1", "reason": "why"}]

    path = str(tmp_path / "report.md")
    sheets = [("a heading", str(tmp_path / "sheets/a b.png"))]
    report.write_markdown(
        path,
        ["a table", "a note"],
        CHOICES,
        protocol={"data_set": "x"},
        failed=failed,
        sheets=sheets,
    )
    text = (tmp_path / "report.md").read_text()
    for part in ("a table\n\na note\n", "- data_set: x", "- c, L1: why", "](sheets/a%20b.png)"):
        assert part in text


def test_extremes_by_what_is_above_bicubic():
    def extremes(*gains):
        rows = [row(str(i), psnr=20 + gain, bicubic=20) for i, gain in enumerate(gains)]
        return {name: found.picture for name, found in comparison.extremes(rows).items()}

    assert extremes(0, 5, -1, 3) == {"best": "1", "median": "3", "worst": "2"}
    assert extremes(1, 5, 3) == {"best": "1", "median": "2", "worst": "0"}
    assert extremes(1, 2) == {"best": "1", "worst": "0"}
    assert extremes(7) == {"best": "0"}


def test_candidates_hold_the_extremes_of_all_that_may_follow(rng):
    for count, left in itertools.product(range(1, 8), range(8)):
        rows = [row(str(i), psnr=20 + g) for i, g in enumerate(rng.integers(5, size=count + left))]
        found = comparison.candidates(rows[:count], left)
        for failing in range(left + 1):  # some may not come
            extremes = comparison.extremes(rows[: count + left - failing]).values()
            assert {r.picture for r in extremes if r in rows[:count]} <= {r.picture for r in found}
    assert len(comparison.candidates(rows[:count], 0)) <= 3
    many = [row(f"{i:03}", psnr=20 - i) for i in range(126)]
    assert len(set(comparison.candidates(many[:64], 62))) == 64  # never more than half and an end
    assert len(set(comparison.candidates(many[:94], 32))) == 33 + 2
