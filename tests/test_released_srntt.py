"""SRNTT's released files, made here in their format."""

import io
import os
import pickle
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import convert
from ttsr_tf.errors import InputError
from ttsr_tf.weights import array_lists, checkpoints, released_srntt

N = 64


def convolution(rng, channels, filters, *, size=3, normalised=False):
    """The arrays of a convolution, and of the normalisation after it."""
    made = [rng.standard_normal((size, size, channels, filters)) * (size**2 * channels) ** -0.5]
    if not normalised:
        return [*made, 0.05 * rng.standard_normal(filters)]
    beta, mean = (0.1 * rng.standard_normal(filters) for _ in range(2))
    gamma, variance = rng.uniform(0.1, 0.3, filters), rng.uniform(0.5, 2, filters)
    return [*made, beta, gamma, mean, variance]


def stack(rng, blocks):
    count = 2 * blocks + 1
    return [x for _ in range(count) for x in convolution(rng, N, N, normalised=True)]


def released_arrays(rng):
    content = [
        *convolution(rng, 3, N),
        *stack(rng, 16),
        *convolution(rng, N, 4 * N),
        *convolution(rng, N, 4 * N),
        *convolution(rng, N, 3, size=1),
    ]
    textures = []
    for channels, blocks, filters in ((256, 16, 4 * N), (128, 8, 4 * N), (64, 4, 32)):
        textures += convolution(rng, N + channels, N)
        textures += [*stack(rng, blocks), *convolution(rng, N, filters)]
    textures += convolution(rng, 32, 3, size=1)
    return [[np.float32(x) for x in arrays] for arrays in (content, textures)]


def write(path, arrays, protocol=2):
    """As TensorLayer does: an array of objects, pickled."""
    objects = np.empty(len(arrays), object)
    objects[:] = arrays
    write_pickled(path, pickle.dumps(objects, protocol), len(arrays))


def write_pickled(path, pickled, count=1):
    header = {"descr": "|O", "fortran_order": False, "shape": (count,)}
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("params.npy", member.getvalue() + pickled)


@pytest.fixture(scope="module")
def arrays():
    return released_arrays(np.random.default_rng(3))


@pytest.fixture(scope="module")
def folder(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("SRNTT")
    for name, made in zip(("upscale.npz", "srntt.npz"), arrays, strict=True):
        write(folder / name, made)
    init = [x.copy() for x in arrays[1]]
    init[-1] += 1
    write(folder / "srntt_init.npz", init, protocol=3)
    return folder


@pytest.fixture(scope="module")
def vgg19_file(tmp_path_factory):
    network = keras.applications.VGG19(include_top=False, weights=None)
    path = str(tmp_path_factory.mktemp("vgg19") / "vgg19.weights.h5")
    network.save_weights(path)
    return path


@pytest.fixture(scope="module")
def model(folder, vgg19_file):
    return released_srntt.to_model(released_srntt.read(folder), vgg19_file)


def test_parameters_of_the_published_network(model):
    without_vgg19 = model.count_params() - 555_328
    # Each of 33 + 33 + 17 + 9 normalisations has four arrays, of which one becomes a bias.
    content, head, textures = 1_222_528, 295_619, 2_865_347
    folded = N * (33 + 33 + 17 + 9)
    published = content + head + textures
    # The facts count what is trained, beta and gamma: gamma disappears.
    assert without_vgg19 == published - folded


def test_normalisation_is_folded(model, arrays, rng):
    """The content extractor, with its normalisation by moving statistics."""
    left = iter(arrays[0])

    def conv(x, normalised):
        x = tf.nn.conv2d(x, next(left), 1, "SAME")
        if not normalised:
            return x + next(left)
        beta, gamma, mean, variance = (next(left) for _ in range(4))
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5)

    lr = tf.constant(rng.uniform(-1, 1, (1, 6, 9, 3)), tf.float32)
    first = x = tf.nn.relu(conv(lr, False))
    for _ in range(16):
        x += conv(tf.nn.relu(conv(x, True)), True)
    x = first + conv(x, True)
    for _ in range(2):
        x = tf.nn.relu(tf.nn.depth_to_space(conv(x, False), 2))
    expected = tf.tanh(conv(x, False))
    assert next(left, None) is None
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(model.single_image({"lr": lr}), expected, atol=1e-4)


def test_maps_are_taken_at_the_size_of_vgg19s_own(model, arrays, rng):
    x, swapped = (tf.constant(rng.standard_normal((1, 4, 5, c)), tf.float32) for c in (N, 256))
    kernel, bias = arrays[1][:2]
    expected = tf.nn.relu(
        tf.nn.conv2d(tf.concat([x, 57.63 * swapped], -1), kernel, 1, "SAME") + bias
    )
    np.testing.assert_allclose(model.join[0]([x, swapped]), expected, rtol=1e-4, atol=1e-3)


def test_as_a_command(folder, vgg19_file, model, tmp_path, capsys):
    output = str(tmp_path / "srntt.safetensors")
    config = {"srntt_models": folder, "vgg19_weights": vgg19_file, "output": output}
    convert.main(convert.ConvertConfig(**config))
    assert "'transposed_vgg19': True" in capsys.readouterr().out
    again = checkpoints.load(output)
    assert checkpoints.arguments(again) == checkpoints.arguments(model)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    convert.main(convert.ConvertConfig(**config, init=True))
    difference = np.array(checkpoints.load(output).tail[1].bias) - np.array(model.tail[1].bias)
    np.testing.assert_allclose(difference, 1, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Give one of `torch_checkpoint`, `srntt_models`"),
        ({"torch_checkpoint": "a.pt", "srntt_models": "."}, "Give one of"),
        ({"torch_checkpoint": "a.pt", "init": True}, "`init` goes with `srntt_models`"),
        ({"srntt_models": "nowhere"}, "`srntt_models`=nowhere is not a folder"),
        ({"srntt_models": ".", "vgg19_weights": "random"}, "`vgg19_weights`=random doesn't go"),
        ({"srntt_models": ".", "vgg19_weights": "none.h5"}, "No VGG19 weights at 'none.h5'"),
        ({"srntt_models": ".", "vgg19_weights": __file__}, "upscale.npz is not a file"),
    ],
)
def test_what_does_not_go_together(options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        convert.main(convert.ConvertConfig(**options, output="a.safetensors"))
    assert os.listdir() == []


def changed(arrays, place, array):
    return [*arrays[:place], *([] if array is None else [array]), *arrays[place + 1 :]]


def test_arrays_that_do_not_fit_are_named(arrays):
    content, textures = arrays

    def attempt(content=content, textures=textures):
        released_srntt.to_model({"upscale.npz": content, "srntt.npz": textures}, "none")

    with pytest.raises(InputError, match=r"array 3 of upscale\.npz must be beta of shape \[64\]"):
        attempt(changed(content, 3, np.zeros((1, 2))))
    with pytest.raises(InputError, match=r"array 2 of srntt\.npz must be a kernel of .*got \[64\]"):
        attempt(textures=changed(textures, 2, None))
    with pytest.raises(InputError, match=r"upscale\.npz ends after 172 arrays"):
        attempt(content[:-1])
    with pytest.raises(InputError, match=r"srntt\.npz has 2 arrays more than 309"):
        attempt(textures=[*textures, *textures[:2]])
    with pytest.raises(InputError, match=r"array 6 of upscale\.npz, moving variance, holds"):
        attempt(changed(content, 6, -np.ones(N)))
    with pytest.raises(InputError, match=r"array 308 of srntt\.npz, a bias, holds"):
        attempt(textures=changed(textures, 308, np.float32([0, np.nan, 0])))


class Evil:
    def __reduce__(self):
        return print, ("code in a file was run",)


def test_a_file_can_not_run_code(tmp_path, capsys):
    path = str(tmp_path / "srntt.npz")
    for protocol in (2, 4):
        write(path, [np.zeros(3), Evil()], protocol)
        with pytest.raises(
            InputError, match=r"asks for (__builtin__|builtins)\.print, which is no"
        ):
            array_lists.read(path)
    write_pickled(path, b"c_codecs\nencode\n(Vx\nVzlib\ntR.")
    with pytest.raises(InputError, match="can't be read"):
        array_lists.read(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_as_every_python_pickles_them(tmp_path, protocol):
    path, given = str(tmp_path / "a.npz"), [np.float32([[1, 2]]), np.float32([3, 4, 5])]
    write(path, given, protocol)
    for a, b in zip(array_lists.read(path), given, strict=True):
        np.testing.assert_array_equal(a, b)


def test_as_numpy_writes_it(tmp_path):
    path, given = str(tmp_path / "a.npz"), np.empty(2, object)
    given[:] = [np.float32([[1, 2]]), np.float32([3, 4, 5])]
    np.savez(path, params=given)
    np.testing.assert_array_equal(array_lists.read(path)[1], [3, 4, 5])


def test_what_is_no_list_of_arrays(tmp_path):
    path = tmp_path / "a.npz"
    path.write_text("hello")
    with pytest.raises(
        InputError, match=r"a\.npz can't be read: it must be an \.npz with `params`"
    ):
        array_lists.read(str(path))
    np.savez(path, weights=np.zeros(3))
    with pytest.raises(InputError, match="can't be read"):
        array_lists.read(str(path))
    write(path, [np.zeros(3), "text"])
    with pytest.raises(InputError, match="must hold arrays of floats only"):
        array_lists.read(str(path))
    write_pickled(path, pickle.dumps(7))
    with pytest.raises(InputError, match="can't be read"):
        array_lists.read(str(path))
