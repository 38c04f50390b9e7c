"""What the page does with pictures, without a browser; with a network of one convolution."""

import numpy as np
import PIL.Image
import pytest

import ttsr_tf
from ttsr_tf.errors import InputError
from ttsr_tf.images import attention, bicubic, files
from ttsr_tf.inference import memory
from ttsr_tf.web import photograph
from ttsr_tf.web.config import PageConfig
from ttsr_tf.web.enlarging import enlarge, read

pytest.importorskip("gradio", reason="NOT TESTED: needs the extra `page`")
import gradio

from ttsr_tf.web.actions import BICUBIC, TRUTH, Actions


@pytest.fixture
def upscaler(small_checkpoint):
    return ttsr_tf.load(small_checkpoint)


@pytest.fixture
def actions(upscaler, tmp_path):
    config = PageConfig(checkpoint="any", max_lr_pixels=300, max_ref_pixels=2000)
    return Actions(upscaler, config, str(tmp_path))


@pytest.fixture
def uploaded(tmp_path, rng):
    """Writes a picture; gives it as Gradio gives an upload, and its pixels."""

    def upload(name, height, width):
        pixels = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / name)
        return {"path": str(tmp_path / name)}, pixels

    return upload


def test_from_one_photograph_both():
    """A photograph of waves so long that interpolation is exact but for rounding."""
    height, width = 200, 340

    def waves(x, y):
        phases = x / 9 + y / 23, x / 17 - y / 13, x / 31 + y / 11
        return np.stack([0.5 + 0.4 * np.sin(phase) for phase in phases], -1)

    y, x = np.mgrid[:height, :width] + 0.5
    hr, ref = photograph.pair(np.uint8(np.rint(255 * waves(x, y))))
    # 0.6 of each side, down to multiples of 4, in the middle.
    assert hr.shape == ref.shape == (120, 204, 3)
    expected = 255 * waves(x, y)[40:160, 68:272]
    np.testing.assert_allclose(hr, expected, rtol=0, atol=0.5001)
    # The reference's pixel at v from its middle shows the photograph's at rotation · v / 1.1.
    v, u = np.mgrid[:120, :204] + 0.5
    u, v = (u - 102) / 1.1, (v - 60) / 1.1
    cos, sin = np.cos(np.radians(8)), np.sin(np.radians(8))
    seen = waves(width / 2 + cos * u - sin * v, height / 2 + sin * u + cos * v)
    expected = 255 * np.clip(np.array([1.06, 1, 0.92]) * seen**1.1 + 0.02, 0, 1)
    # Rounded four times, and Pillow's bicubic and Lanczos of the shortest wave, 45 pixels.
    np.testing.assert_allclose(ref, expected, rtol=0, atol=3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((3000, 4000), (460, 612)), ((64, 900), (36, 76)), ((900, 64), (76, 36))],
)
def test_large_and_long_photographs(size, expected, rng):
    picture = rng.integers(1, 256, size=(*size, 3), dtype=np.uint8)
    hr, ref = photograph.pair(picture)
    assert hr.shape == ref.shape == (*expected, 3)
    assert (ref > 0).any(-1).all()  # nothing from beyond the photograph, which would be black


def test_a_photograph_that_is_too_small():
    with pytest.raises(InputError, match="`photograph` is 80×63 pixels, at least 64×64"):
        photograph.pair(np.zeros([63, 80, 3], np.uint8))


def test_too_large_a_picture(uploaded):
    path = uploaded("lr.png", 20, 30)[0]["path"]
    assert read(path, "the small picture", 600).rgb.shape == (20, 30, 3)
    with pytest.raises(InputError) as error:
        read(path, "the small picture", 599)
    assert str(error.value) == (
        "The small picture is 30×20 pixels, at most 599 are taken here, such as 24×24. Crop it or "
        "make it smaller."
    )


def test_enlarge(upscaler, rng):
    lr = rng.integers(256, size=(11, 14, 3), dtype=np.uint8)
    ref = rng.integers(256, size=(26, 35, 3), dtype=np.uint8)
    said = []
    enlarged = enlarge(upscaler, lr, ref, progress=lambda *values: said.append(values))
    expected = upscaler.upscale_with_attention(lr, ref)
    for name in ("sr", "index", "confidence"):
        np.testing.assert_array_equal(getattr(enlarged, name), expected[name])
    plain = PIL.Image.fromarray(lr).resize((56, 44), PIL.Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(enlarged.plain, plain)
    np.testing.assert_array_equal(enlarged.ref, ref)
    assert enlarged.hr is None
    shares = [share for share, _ in said]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0, 1)
    assert said[0][1].startswith("Looking at the reference; all will take about ")


def test_progress_tells_of_tiles(upscaler, rng):
    lr = rng.integers(256, size=(50, 40, 3), dtype=np.uint8)
    said = []
    whole = memory.needed(upscaler.model, (50, 40), [(48, 40)])
    memory_gb = (whole - 100_000) / 2**30  # not in one piece
    enlarge(upscaler, lr, lr, memory_gb=memory_gb, progress=lambda *values: said.append(values))
    parts = [words for _, words in said if "part" in words]
    assert len(parts) > 1 and parts[-1] == f"Enlarging, part {len(parts)} of {len(parts)} done"


def test_two_pictures(actions, upscaler, uploaded):
    (lr_file, lr), (ref_file, ref) = uploaded("lr.png", 12, 15), uploaded("ref.png", 26, 35)
    said, enlarged, place, column, caption, pair, other, *rest = actions.enlarge_picture(
        lr_file, ref_file
    )
    download, hint, tinted, result, source = rest
    sr = upscaler.upscale(lr, ref)
    assert said.startswith("60 × 48 pixels after ") and "PSNR" not in said
    assert place is None and tinted is False and column.visible and not other.visible
    assert caption.startswith("Left of the line: plain enlargement")
    np.testing.assert_array_equal(pair, [bicubic.upscale(lr), sr])
    np.testing.assert_array_equal(files.read(download.value["path"]).rgb, sr)
    similarity = attention.similarity(enlarged.confidence.mean())
    assert f"on average: {similarity:.2f} " in hint
    np.testing.assert_array_equal(result, sr)
    np.testing.assert_array_equal(source, ref)


def test_one_photograph(actions, upscaler, uploaded):
    file, pixels = uploaded("photograph.png", 70, 90)
    said, enlarged, *_, other, _, _, _, result, source = actions.enlarge_photograph(file)
    hr, ref = photograph.pair(pixels)
    lr = PIL.Image.fromarray(hr).resize((13, 10), PIL.Image.Resampling.BICUBIC)
    sr = upscaler.upscale(np.asarray(lr), ref)
    np.testing.assert_array_equal(result, sr)
    np.testing.assert_array_equal(source, ref)
    assert other.visible

    def psnr(picture):
        y = np.array([65.738, 129.057, 25.064]) / 256
        return 10 * np.log10(255**2 / np.mean(((np.float64(picture) - hr) @ y) ** 2))

    assert f"PSNR of {psnr(enlarged.plain):.2f} dB and the result **{psnr(sr):.2f} dB**" in said
    _, (left, right) = actions.compare(enlarged, TRUTH)
    assert (left is enlarged.hr) and (right is enlarged.sr)
    np.testing.assert_array_equal(left, hr)


def test_a_click(actions, uploaded, rng):
    (lr_file, _), (ref_file, ref) = uploaded("lr.png", 12, 15), uploaded("ref.png", 26, 35)
    enlarged = actions.enlarge_picture(lr_file, ref_file)[1]
    event = gradio.SelectData(None, {"index": [37, 21], "value": None})
    place, result, source, hint = actions.locate(enlarged, False, event)
    assert place == (5, 9)
    row, column = np.unravel_index(enlarged.index[5, 9], (6, 8))
    np.testing.assert_array_equal(result, attention.marked(enlarged.sr, (5, 9)))
    np.testing.assert_array_equal(source, attention.marked(ref, (row, column)))
    assert f"**{attention.similarity(enlarged.confidence[5, 9]):.2f}**" in hint
    tinted = attention.confidence_overlay(enlarged.sr, enlarged.confidence)
    np.testing.assert_array_equal(actions.show(enlarged, True), tinted)
    np.testing.assert_array_equal(
        actions.show(enlarged, True, place), attention.marked(tinted, place)
    )


def test_errors_are_words(actions, uploaded):
    lr, ref = (uploaded(name, 12, 15)[0] for name in ("lr.png", "ref.png"))
    dot, large = uploaded("dot.png", 2, 15)[0], uploaded("large.png", 50, 60)[0]
    for (small, reference), message in (
        ((None, ref), "The small picture is missing. Drop a picture there, or click to choose"),
        ((lr, None), "The reference is missing."),
        ((dot, ref), "The small picture is 15×2 pixels, at least 3×3 are needed. Give a larger"),
        ((lr, large), "The reference is 60×50 pixels, at most 2,000 are taken here"),
    ):
        with pytest.raises(gradio.Error) as error:
            actions.enlarge_picture(small, reference)
        assert error.value.message.startswith(message)
        assert not error.value.print_exception  # no traceback in the terminal
    for act in (lambda: actions.compare(None, BICUBIC), lambda: actions.show(None, True)):
        with pytest.raises(gradio.Error) as error:
            act()
        assert error.value.message == "This result is no longer kept. Enlarge the picture again."
