"""`python -m ttsr_tf.upscale`, as a person runs it."""

import numpy as np
import PIL.Image
import pytest

import ttsr_tf
from ttsr_tf import TTSR
from ttsr_tf.images import bicubic, files
from ttsr_tf.weights import checkpoints


@pytest.fixture
def place(tmp_path, rng):
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    checkpoints.save(model, str(tmp_path / "model.safetensors"))
    lr = PIL.Image.fromarray(rng.integers(256, size=(14, 18, 3), dtype=np.uint8))
    lr.save(tmp_path / "lr.png")
    lr.resize((50, 41)).save(tmp_path / "ref.jpg")
    lr.resize((1, 1)).save(tmp_path / "dot.png")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "frames").mkdir()
    lr.save(tmp_path / "frames" / "0.bmp")
    return tmp_path


@pytest.fixture
def flags(place):
    def given(**changed):
        named = {
            "lr": place / "lr.png",
            "ref": place / "ref.jpg",
            "checkpoint": place / "model.safetensors",
            "output": place / "out.png",
            **changed,
        }
        return [f"--{name}={value}" for name, value in named.items() if value is not None]

    return given


def test_enlarges(place, flags, run):
    result = run("upscale", *flags(attention_map=place / "map.png"))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # nor what TensorFlow prints of its kernels
    assert "lr 18×14, reference 50×41 → 72×56 pixels." in result.stdout
    assert "Similarity of the reference: 0." in result.stdout
    upscaler = ttsr_tf.load(place)
    expected = upscaler.upscale(files.read(place / "lr.png").rgb, files.read(place / "ref.jpg").rgb)
    np.testing.assert_array_equal(files.read(place / "out.png").rgb, expected)
    assert files.read(place / "map.png").rgb.std() > 0
    assert not list(place.glob(".*"))


def test_transparent_grey_without_reference(place, flags, run, rng):
    pixels = rng.integers(256, size=(13, 20, 2), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(place / "lr.png")
    result = run("upscale", *flags(ref=None))
    assert result.returncode == 0, result.stderr
    assert "No `ref`: the picture serves as its own reference." in result.stdout
    with PIL.Image.open(place / "out.png") as image:
        assert image.mode == "LA"
    alpha = files.read(place / "out.png").alpha
    np.testing.assert_array_equal(alpha, bicubic.upscale(pixels[..., 1:]))


def test_several_references(place, flags, run):
    (place / "refs").mkdir()
    for i, size in enumerate(((40, 24), (31, 62))):
        with PIL.Image.open(place / "ref.jpg") as ref:
            ref.resize(size).save(place / f"refs/{i}.png")
    result = run("upscale", *flags(attention_map=place / "map.png"), f"--ref={place / 'refs'}")
    assert result.returncode == 0, result.stderr
    refs = [files.read(place / name).rgb for name in ("ref.jpg", "refs/0.png", "refs/1.png")]
    lr = files.read(place / "lr.png").rgb
    expected = ttsr_tf.load(place).upscale_with_attention(lr, refs)
    np.testing.assert_array_equal(files.read(place / "out.png").rgb, expected["sr"])
    shares = [f"{(expected['source'] == i).mean():.0%}" for i in range(3)]
    assert f"Used of each reference: {', '.join(shares)}" in result.stdout


def test_a_folder_of_frames(place, flags, run, rng):
    for i in range(3):
        frame = rng.integers(256, size=(12 + i, 15, 3), dtype=np.uint8)
        PIL.Image.fromarray(frame).save(place / f"frames/{i}.bmp")
    result = run("upscale", *flags(lr=place / "frames", output=place / "large"))
    assert result.returncode == 0, result.stderr
    assert "picture 3/3, similarity 0." in result.stdout
    upscaler, ref = ttsr_tf.load(place), files.read(place / "ref.jpg").rgb
    for i in range(3):
        expected = upscaler.upscale(files.read(place / f"frames/{i}.bmp").rgb, ref)
        np.testing.assert_array_equal(files.read(place / f"large/{i}.png").rgb, expected)


BAD = {
    "text": ({"lr": "text.png"}, "text.png is not a picture"),
    "dot": ({"lr": "dot.png"}, "--lr is 1×1 pixels, at least 3×3 are needed"),
    "missing": ({"ref": "none.png"}, "none.png is not a file"),
    "checkpoint": ({"checkpoint": "text.png"}, "text.png is not a checkpoint of ttsr-tf"),
    "extension": ({"output": "a.xyz"}, "a.xyz must end in one of .png"),
    "folder": ({"output": "none/a.png"}, "Can't write to the folder"),
    "empty": ({"lr": "empty"}, "empty holds no pictures"),
    "map": ({"lr": "frames", "attention_map": "map.png"}, "--attention_map goes with one picture"),
    "input": ({"output": "lr.png"}, "is already used by this command"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(place, flags, fails, name):
    changed, message = BAD[name]
    before = {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()}
    line = fails("upscale", *flags(**{flag: place / value for flag, value in changed.items()}))
    assert message in line
    assert {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()} == before


def test_bad_flags(flags, fails):
    assert "GiB of memory are needed, 0.20 may be used" in fails("upscale", *flags(memory_gb=0.2))
    assert "Unknown command line flag 'scale'" in fails("upscale", *flags(scale=3))
    assert "unexpected 'extra'" in fails("upscale", *flags(), "extra")
    assert "--lr is missing." in fails("upscale", *flags(lr=None))
