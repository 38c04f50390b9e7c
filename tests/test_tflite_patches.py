"""Networks that share weights: the second one stored as what differs from the first."""

import os
import shutil

import numpy as np
import pytest
from lite_networks import lite_network, small_lite  # noqa: F401

import ttsr_tf
from ttsr_tf.errors import InputError
from ttsr_tf.weights import checkpoints, files, naming, tflite

pytestmark = pytest.mark.xdist_group("litert")


@pytest.fixture(scope="module")
def patched(small_lite, tmp_path_factory):
    """The paths of a .tflite, and of a checkpoint and its patch: the same network, trained on."""
    folder = tmp_path_factory.mktemp("patched")
    base = shutil.copy(small_lite[1], folder / "base.tflite")
    model = checkpoints.load(small_lite[0])
    rng = np.random.default_rng(5)
    for name, variable in checkpoints.named_variables(model).items():
        if not name.startswith("texture_extractor"):
            noise = rng.normal(size=variable.shape, scale=1e-2)
            variable.assign(np.asarray(variable) + np.float32(noise))
    return str(base), *lite_network(folder, model, "float32", base=str(base))


def test_it_is_the_checkpoint(patched):
    base, checkpoint, patch = patched
    assert files.read_header(patch) == files.read_header(checkpoint)
    expected, found, of_base = files.read(checkpoint), files.read(patch), files.read(base)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        extractor = name.startswith("texture_extractor")
        assert np.array_equal(of_base[name], array) == extractor


def test_both_engines_read_it(patched, rng):
    _, checkpoint, patch = patched
    lr, ref = (rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in [(13, 17), (30, 41)])
    expected = ttsr_tf.load(checkpoint).upscale(lr, ref)
    np.testing.assert_array_equal(ttsr_tf.load(patch, "tensorflow").upscale(lr, ref), expected)
    found = np.int32(ttsr_tf.load(patch, "litert").upscale(lr, ref))
    assert np.abs(found - expected).max() <= 1


def test_what_is_shared_takes_no_place(patched):
    base, _, patch = patched
    shared = sum(
        array.nbytes for name, array in files.read(base).items() if name.startswith("texture_ext")
    )
    assert os.path.getsize(patch) < os.path.getsize(base) - 0.9 * shared


def test_without_its_base(patched, tmp_path):
    patch = shutil.copy(patched[2], tmp_path)
    with pytest.raises(InputError, match=f"^{patch} is a patch of base.tflite, which must lie"):
        ttsr_tf.load(patch)


def test_with_another_base(patched, tmp_path):
    base, _, patch = patched
    patch = shutil.copy(patch, tmp_path)
    about, content = tflite.read(base)
    other = bytearray(content)
    other[len(other) // 2] ^= 1
    tflite.write(tmp_path / "base.tflite", about, bytes(other))
    with pytest.raises(InputError, match=rf"^{patch} is damaged, or .*base\.tflite is not what"):
        ttsr_tf.load(patch)
    tflite.write(tmp_path / "base.tflite", about, content[:-4])
    with pytest.raises(InputError, match=rf"^{patch} is damaged, or .*base\.tflite is not what"):
        ttsr_tf.load(patch)


def test_a_damaged_base_is_named(patched, tmp_path):
    base, _, patch = patched
    base, patch = (shutil.copy(path, tmp_path) for path in (base, patch))
    with open(base, "r+b") as file:
        file.seek(1000)
        file.write(b"\xff\x00\xff")
    with pytest.raises(InputError, match=f"^{base} is damaged"):
        ttsr_tf.load(patch)


def test_a_damaged_patch(patched, tmp_path):
    base, _, patch = patched
    for path in (base, patch):
        shutil.copy(path, tmp_path)
    path = tmp_path / os.path.basename(patch)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 3] ^= 255
    path.write_bytes(whole)
    with pytest.raises(InputError, match=f"^{path} is damaged"):
        ttsr_tf.load(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=f"^{path} is not a file that"):
        ttsr_tf.load(path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"output": "b.tflite"}, r"`output`=.*b\.tflite must end in \.tflite\.patch\."),
        ({"base": "model.safetensors"}, "model.safetensors is not a file that"),
        ({"base": "none.tflite"}, "none.tflite is not a file that"),
        ({"base": naming.path_of(naming.DEFAULT)}, "`base`=.* is of another network than the"),
        ({"output": "elsewhere/b.tflite.patch"}, "`base`=.* must lie in the folder of `output`, "),
    ],
)
def test_what_cannot_be_written(patched, tmp_path, given, said):
    from export.lite.config import LiteRTConfig, check

    (tmp_path / "elsewhere").mkdir()
    base, checkpoint, _ = patched
    base = shutil.copy(base, tmp_path)
    shutil.copy(checkpoint, tmp_path / "model.safetensors")
    paths = {"base": base, "output": "b.tflite.patch"} | given
    paths = {name: str(tmp_path / path) for name, path in paths.items()}
    with pytest.raises(InputError, match=said):
        check(LiteRTConfig(checkpoint=checkpoint, **paths))
