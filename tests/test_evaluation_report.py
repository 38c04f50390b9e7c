import re

import numpy as np
import pages
import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import references, report

HOSTILE = "<script>alert('x')</script>&amp;\"' onerror=\"x.png"
TABLE = [["references", "PSNR, dB", "published, PSNR / SSIM"], ["bicubic", "20.00", ""]]


def written(tmp_path, sections, **changed):
    content = report.Report(
        table=TABLE,
        notes=["a note"],
        protocol={"data_set": "a set", "crop_border": "0"},
        choices=[references.named("L1")],
        failed=[],
        sections=sections,
    )
    path = tmp_path / "report.html"
    report.write(str(path), content._replace(**changed))
    return pages.Page(path)


def test_all_is_on_the_page(tmp_path, rng):
    photograph, small = (
        rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in ((48, 68), (12, 17))
    )
    figures = [report.photograph("a", photograph, (0.25, 0.5, 0.125, 0.25))]
    insets = [report.pixels("b", small, scale=4)]
    failed = [("c", "L1", "why")]
    sections = [report.Section("a heading", 96, insets, figures)]
    page = written(tmp_path, sections, failed=failed)
    assert page.all("h1") == page.all("title") == ["a set"]
    assert page.table == TABLE
    assert page.all("h2") == ["Failed: 1", "a heading", "Protocol"]
    assert page.all("li") == ["c, L1: why"]
    assert "a note" in page.all("p")
    assert dict(zip(page.all("dt"), page.all("dd"), strict=True)) == {
        "data_set": "a set",
        "crop_border": "0",
        "references: L1": references.named("L1").protocol,
    }
    inset, figure = page.pictures()
    assert (inset[0], inset[2], figure[0], figure[2]) == ("b", "PNG", "a", "JPEG")
    np.testing.assert_array_equal(inset[1], small)
    assert figure[1].shape == photograph.shape
    assert page.all("figcaption") == ["b", "a"]
    (box,) = [tag for name, tag in page.tags if (name, tag.get("class")) == ("span", "box")]
    assert box["style"] == "left:25.000%;top:50.000%;width:12.500%;height:25.000%"
    assert "Failed" not in " ".join(text for _, text in written(tmp_path, sections).texts)


def test_it_asks_for_nothing_and_runs_nothing(tmp_path, rng):
    picture = rng.integers(256, size=(20, 30, 3), dtype=np.uint8)
    figure = report.photograph(HOSTILE, picture)
    page = written(
        tmp_path,
        [report.Section(HOSTILE, 96, [figure], [])],
        protocol={"data_set": HOSTILE, HOSTILE: HOSTILE},
        failed=[(HOSTILE, "L1", HOSTILE)],
        table=[[HOSTILE], [HOSTILE]],
        notes=[HOSTILE],
    )
    assert page.table == [[HOSTILE], [HOSTILE]]
    for tag in ("title", "h1", "figcaption", "dt"):
        assert HOSTILE in page.all(tag), tag
    assert page.all("li") == [f"{HOSTILE}, L1: {HOSTILE}"]
    assert [label for label, *_ in page.pictures()] == [HOSTILE]
    allowed = {
        "src",
        "width",
        "height",
        "alt",
        "class",
        "style",
        "lang",
        "charset",
        "name",
        "content",
    }
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "base")
        assert set(attributes) <= allowed, tag
        assert attributes.get("src", "data:").startswith("data:")
    text = (tmp_path / "report.html").read_text("utf-8")
    assert not re.search(r"url\(|@import|https?:", re.sub(r"base64,[^\"]*", "", text))


def test_large_pictures_are_reduced(rng):
    stripes = np.zeros((300, 2000, 3), np.uint8)
    stripes[:, 1000:] = 255
    for figure in (report.photograph("a", stripes), report.pixels("b", stripes)):
        shown, _ = pages.decoded(figure.source)
        assert shown.shape == (120, 800, 3)
        assert (figure.width, figure.height) == (800, 120)
        assert shown[60, 350].max() < 5 and shown[60, 450].min() > 250
    noise = rng.integers(256, size=(3000, 4000, 3), dtype=np.uint8)
    assert len(report.photograph("a", noise).source) < 1_500_000  # what compresses worst


def test_a_page_that_can_not_be_written(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match=r"Can't write .*report\.html \(Is a directory\)"):
        written(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
