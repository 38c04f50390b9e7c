import keras
import numpy as np
import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.images import metrics


def test_equal_to_the_stored_scores(shared):
    stored = np.load(shared("parity/metrics.npz"))
    numbers = sorted({name.split("/")[0] for name in stored})
    assert numbers
    for n in numbers:
        hr, sr = (np.moveaxis(stored[f"{n}/{kind}"], -3, -1) for kind in ("hr", "sr"))
        hr = hr[:, : sr.shape[1], : sr.shape[2]]
        np.testing.assert_allclose(metrics.psnr(hr, sr), stored[f"{n}/psnr"], atol=1e-3)
        np.testing.assert_allclose(metrics.ssim(hr, sr), stored[f"{n}/ssim"], atol=1e-4)


def test_psnr_of_a_known_difference():
    hr = np.full((4, 5, 3), 100, np.uint8)
    # Y differs by 10 · (65.738 + 129.057 + 25.064) / 256
    expected = 20 * np.log10(255 / (10 * 219.859 / 256))
    np.testing.assert_allclose(metrics.psnr(hr, hr + 10), expected, rtol=1e-5)


def test_ssim_from_the_formula(rng):
    hr = rng.integers(256, size=(2, 14, 17, 3), dtype=np.uint8)
    sr = np.uint8(np.clip(hr + rng.normal(0, 40, hr.shape), 0, 255))
    np.testing.assert_allclose(metrics.ssim(hr, sr), list(map(_ssim, hr, sr)), atol=1e-5)


def _ssim(*pair):
    return _similar(*(x @ np.array([65.738, 129.057, 25.064]) / 256 + 16 for x in pair))


def _similar(x, y):
    window = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(window, window) / window.sum() ** 2

    def mean(z):
        return np.einsum(
            "hwij,ij->hw", np.lib.stride_tricks.sliding_window_view(z, (11, 11)), window
        )

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
    return (luminance * (2 * cov + c2) / (vx + vy + c2)).mean()


def test_scores_of_rgb_without_a_border(rng):
    hr = rng.integers(256, size=(21, 18, 3), dtype=np.uint8)
    sr = np.uint8(np.clip(hr + rng.normal(0, 40, hr.shape), 0, 255))
    inner = [picture[3:-3, 3:-3] for picture in (hr, sr)]
    psnr, ssim = metrics.Scores(test_y_channel=False, crop_border=3)(hr, sr)
    error = np.mean((np.float64(inner[0]) - inner[1]) ** 2)
    np.testing.assert_allclose(psnr, 10 * np.log10(255**2 / error), rtol=1e-5)
    channels = [_similar(*(np.float64(x[..., c]) for x in inner)) for c in range(3)]
    np.testing.assert_allclose(ssim, np.mean(channels), atol=1e-5)

    scores = metrics.Scores()
    for size in ((21, 18), (11, 15), (14, 11)):  # of any size, traced once
        cut = [picture[: size[0], : size[1]] for picture in (hr, sr)]
        np.testing.assert_allclose(scores(*cut)[0], metrics.psnr(*cut), rtol=1e-5)
        np.testing.assert_allclose(scores(*cut)[1], _ssim(*cut), atol=1e-5)
    assert scores._scores.experimental_get_tracing_count() == 1
    with pytest.raises(InputError, match="18×21 pixels without a border of 4 are less than SSIM's"):
        metrics.Scores(crop_border=4)(hr, sr)


@pytest.mark.parametrize("function", [metrics.psnr, metrics.ssim])
@pytest.mark.parametrize("value_range", [(-1, 1), (0, 1), (0.0, 255.0)])
def test_floats_with_their_range_score_as_bytes(rng, function, value_range):
    hr = rng.integers(256, size=(2, 12, 15, 3), dtype=np.uint8)
    sr = np.uint8(np.clip(hr + rng.normal(0, 30, hr.shape), 0, 255))
    black, white = value_range
    floats = [np.float32(black + x / 255 * (white - black)) for x in (hr, sr)]
    for y in (True, False):
        found = function(*floats, y, value_range=value_range)
        np.testing.assert_allclose(found, function(hr, sr, y), rtol=1e-4)


def test_what_is_not_said_is_not_guessed():
    bytes_, floats = np.zeros((12, 15, 3), np.uint8), np.zeros((12, 15, 3), np.float32)
    for function in metrics.psnr, metrics.ssim:
        with pytest.raises(InputError, match="`hr` is float32, and `value_range` None: give uint8"):
            function(floats, floats)
        with pytest.raises(InputError, match=r"`sr` is int32, and `value_range` \(0, 1\): give"):
            function(floats, np.int32(floats), value_range=(0, 1))
        with pytest.raises(InputError, match="`hr` is uint8, and `value_range`"):
            function(bytes_, bytes_, value_range=(-1, 1))
        with pytest.raises(InputError, match="`hr` must be RGB"):
            function(bytes_[..., :1], bytes_[..., :1])
        with pytest.raises(InputError, match=r"`test_y_channel` must be True, .* got 'RGB'"):
            function(bytes_, bytes_, "RGB")
        with pytest.raises(InputError, match=r"`value_range` must be .* got \(1, -1\)"):
            function(floats, floats, value_range=(1, -1))
    for metric in metrics.PSNR, metrics.SSIM:
        with pytest.raises(InputError, match="`test_y_channel` must be"):
            metric("Y")
        with pytest.raises(InputError, match=r"`value_range` must be .*, got 2"):
            metric(value_range=2)


@pytest.mark.parametrize(
    ("cls", "function"), [(metrics.PSNR, metrics.psnr), (metrics.SSIM, metrics.ssim)]
)
def test_as_keras_metrics(rng, cls, function):
    """The mean over examples of batches of unequal size, and after a round trip through JSON."""
    hr = np.float32(rng.uniform(-1, 1, (5, 13, 12, 3)))
    sr = np.float32(np.clip(hr + rng.normal(0, 0.2, hr.shape), -1, 1))
    metric = cls(test_y_channel=False)
    for part in (slice(0, 2), slice(2, 5)):
        metric.update_state(hr[part], sr[part])
    expected = np.mean(function(hr, sr, False, value_range=(-1, 1)))
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is cls and again.get_config() == metric.get_config()
    again.update_state(hr, sr)
    np.testing.assert_allclose(again.result(), expected, rtol=1e-5)
    metric.reset_state()
    assert float(metric.result()) == 0


def test_keras_metrics_of_bytes(rng):
    hr = rng.integers(256, size=(3, 12, 15, 3), dtype=np.uint8)
    sr = np.uint8(np.clip(hr + rng.normal(0, 30, hr.shape), 0, 255))
    metric = metrics.PSNR(value_range=(0, 255))
    metric.update_state(hr, sr)
    np.testing.assert_allclose(metric.result(), np.mean(metrics.psnr(hr, sr)), rtol=1e-5)
