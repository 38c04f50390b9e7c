"""`python -m ttsr_tf.page` as a person sees it: a real process, in a real headless Chromium.

One process for all tests, which follow each other; each has browser windows of its own.
"""

import io
import json
import signal

import numpy as np
import PIL.Image
import psutil
import pytest
from conftest import ports_beyond_this_machine
from page_process import browser, changes, enlarge, give, opened, pictures, server, shown  # noqa: F401

import ttsr_tf
from ttsr_tf.images import attention, bicubic
from ttsr_tf.web import photograph

pytestmark = pytest.mark.xdist_group("page")

PHONE = {"width": 390, "height": 844}


def test_two_pictures(opened, pictures, tiny_weights, tmp_path):
    page, (paths, (rgba, ref)) = opened(), pictures
    enlarge(page, *paths)
    lr = rgba[..., :3]
    expected = ttsr_tf.load(tiny_weights).upscale_with_attention(lr, ref)
    sr, plain = expected["sr"], bicubic.upscale(lr).numpy()
    left, right = (shown(page, f"#slider img >> nth={i}") for i in range(2))
    assert {left.tobytes(), right.tobytes()} == {plain.tobytes(), sr.tobytes()}

    with page.expect_download() as download:
        page.get_by_role("button", name="Download (PNG, 120 × 80)").click()
    download.value.save_as(tmp_path / "large.png")
    with PIL.Image.open(tmp_path / "large.png") as image:
        large = np.asarray(image)
    np.testing.assert_array_equal(large[..., :3], sr)
    np.testing.assert_array_equal(large[..., 3:], bicubic.upscale(rgba[..., 3:]).numpy())

    # A click on pixel (50, 33) of the result, which is shown larger.
    box = page.locator("#result img").bounding_box()
    at = {"x": 50.5 / 120 * box["width"], "y": 33.5 / 80 * box["height"]}
    place = 8, 12
    source = divmod(int(expected["index"][place]), 15)
    marked = changes(page, "#source img", lambda: page.locator("#result img").click(position=at))
    np.testing.assert_array_equal(marked, attention.marked(ref, source))
    similarity = f"{attention.similarity(expected['confidence'][place]):.2f}"
    assert f"two marked places: {similarity}" in page.locator("#hint").inner_text()
    np.testing.assert_array_equal(shown(page, "#result img"), attention.marked(sr, place))

    tinted = attention.confidence_overlay(sr, expected["confidence"])
    check = page.get_by_label("Show the similarity").check
    np.testing.assert_array_equal(
        changes(page, "#result img", check), attention.marked(tinted, place)
    )


def test_the_slider_moves(opened, pictures):
    page = opened(viewport={"width": 1280, "height": 1200})
    enlarge(page, *pictures[0])
    slider = page.locator("#slider")
    page.wait_for_function("[...document.querySelectorAll('#slider img')].every(i => i.complete)")
    page.wait_for_timeout(1000)  # both are drawn, and in view
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2

    def at(share):
        """A small part of what is seen there."""
        x = box["x"] + share * box["width"]
        picture = page.screenshot(clip={"x": x, "y": middle + 50, "width": 20, "height": 20})
        with PIL.Image.open(io.BytesIO(picture)) as image:
            return np.asarray(image.convert("RGB")).astype(int)

    before = {share: at(share) for share in (0.25, 0.65, 0.95)}
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], middle, steps=5)
    page.mouse.up()
    page.wait_for_timeout(1000)
    # Only between the old place of the line and the new one the other picture is seen.
    changed = {share: np.abs(at(share) - part).mean() for share, part in before.items()}
    assert [change > 5 for change in changed.values()] == [False, True, False], changed


def test_one_photograph(opened, tmp_path, rng):
    large = rng.integers(256, size=(90, 120, 3), dtype=np.uint8)
    PIL.Image.fromarray(large).save(tmp_path / "any.png")
    page = opened()
    page.get_by_role("tab", name="One photograph").click()
    with page.expect_response(lambda answer: "/upload" in answer.url):
        page.locator("input[type=file]").last.set_input_files(tmp_path / "any.png")
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("has a PSNR of").wait_for()
    hr, ref = photograph.pair(large)
    np.testing.assert_array_equal(shown(page, "#source img"), ref)
    other = changes(page, "#slider img >> nth=0", page.get_by_label("Original").check)
    pictures = [other, shown(page, "#slider img >> nth=1")]
    assert any(np.array_equal(picture, hr) for picture in pictures)


def test_an_example_needs_one_click(opened):
    page = opened()
    page.locator(".gallery-item").first.click()
    page.get_by_text("320 × 240 pixels after").wait_for()


@pytest.fixture
def bad(tmp_path, pictures):
    (tmp_path / "text.png").write_text("hello")
    PIL.Image.new("RGB", (90, 60)).save(tmp_path / "large.png")
    PIL.Image.new("RGB", (2, 2)).save(tmp_path / "dot.png")
    whole = (tmp_path / "ref.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(whole[: len(whole) // 2])
    return tmp_path


BAD = {
    "text": ("text.png", "ref.png", "The small picture is not a picture that can be read."),
    "broken": ("lr.png", "broken.png", "The reference can't be read (image file is truncated"),
    "large": ("large.png", "ref.png", "is 90×60 pixels, at most 5,000 are taken here"),
    "dot": ("dot.png", "ref.png", "The small picture is 2×2 pixels, at least 3×3 are needed."),
    "missing": ("lr.png", None, "The reference is missing."),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_are_words_on_the_page(opened, bad, name):
    *files, message = BAD[name]
    page = opened(viewport=PHONE)
    give(page, *(bad / file for file in files if file))
    page.get_by_role("button", name="Enlarge").click()
    toast = page.get_by_test_id("toast-body")
    toast.get_by_text(message).wait_for()
    box = toast.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    assert not page.locator("#slider").is_visible()


def test_no_other_file_of_the_server_is_read(server, opened, tmp_path):
    assert server.said() == ""
    PIL.Image.new("RGB", (30, 20)).save(tmp_path / "secret.png")
    page = opened()
    given = [{"path": str(tmp_path / "secret.png"), "meta": {"_type": "gradio.FileData"}}] * 2
    url = f"{server.url}gradio_api/call/enlarge_picture"
    number = page.request.post(url, data={"data": given}).json()["event_id"]
    assert "event: error" in page.request.get(f"{url}/{number}").text()
    assert "InvalidPathError: Cannot move" in server.said()


def test_one_at_a_time(opened, tmp_path, rng):
    """The second person waits, and reads that; the third is refused."""
    large = rng.integers(256, size=(700, 800, 3), dtype=np.uint8)  # takes seconds
    for name, picture in ("lr", large[:60, :80]), ("ref", large):
        PIL.Image.fromarray(picture).save(tmp_path / f"{name}.png")
    pages = [opened() for _ in range(3)]
    for page in pages:
        give(page, tmp_path / "lr.png", tmp_path / "ref.png")
    said = [page.locator("#said") for page in pages]
    for i, text in (0, "all will take about"), (1, "queue: 1/1"):
        pages[i].get_by_role("button", name="Enlarge").click()
        said[i].get_by_text(text).wait_for()
    pages[2].get_by_role("button", name="Enlarge").click()
    pages[2].get_by_text("This application is currently busy").wait_for()
    for i in range(2):
        said[i].get_by_text("pixels after").wait_for()


# That it is scrolled to; the last pixel may be a part of one.
_SEEN = """() => document.querySelector("#slider").getBoundingClientRect().bottom
    <= window.innerHeight + 1"""


def test_a_phone(opened, pictures):
    page = opened(viewport=PHONE, has_touch=True, is_mobile=True)

    def width():
        return page.evaluate("document.documentElement.scrollWidth")

    page.get_by_role("button", name="Enlarge").wait_for()
    assert width() == PHONE["width"]
    enlarge(page, *pictures[0])
    page.wait_for_function(_SEEN)
    assert width() == PHONE["width"]
    page.get_by_role("tab", name="One photograph").tap()
    page.get_by_role("button", name="Try it").wait_for()
    assert width() == PHONE["width"]


def test_the_process(server):
    """Last: it talked to this machine only, and leaves nothing behind."""
    assert not ports_beyond_this_machine(psutil.Process(server.process.pid))
    server.process.send_signal(signal.SIGTERM)
    assert (server.process.wait(timeout=30), server.said()) == (0, "")
    asked = {tuple(json.loads(line)) for line in server.asked.read_text().splitlines()}
    assert {address for _, address in asked} <= {"127.0.0.1", "localhost", None}
    assert {path.name for path in server.folder.iterdir()} == {"asked", "stderr"}
