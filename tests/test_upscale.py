"""Files that are enlarged, with a network of one convolution; and `python -m ttsr_tf.upscale`, as a
person runs it, with the published one.
"""

import re
import time

import numpy as np
import PIL.Image
import pytest

import ttsr_tf
from ttsr_tf import TTSR, configuration
from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic, files, sheets
from ttsr_tf.inference import UpscaleConfig, memory, said, upscale_files
from ttsr_tf.inference.config import check
from ttsr_tf.models.srntt import SRNTT
from ttsr_tf.weights import checkpoints


@pytest.fixture
def place(tmp_path, small_checkpoint, rng):
    lr = PIL.Image.fromarray(rng.integers(256, size=(14, 18, 3), dtype=np.uint8))
    lr.save(tmp_path / "lr.png")
    lr.resize((50, 41)).save(tmp_path / "ref.jpg")
    lr.resize((1, 1)).save(tmp_path / "dot.png")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "frames").mkdir()
    (tmp_path / "full" / "0.png").mkdir(parents=True)
    lr.save(tmp_path / "frames" / "0.bmp")
    return tmp_path


@pytest.fixture
def config(place):
    def given(**changed):
        values = {
            "lr": str(place / "lr.png"),
            "ref": (str(place / "ref.jpg"),),
            "checkpoint": str(place / "model.safetensors"),
            "output": str(place / "out.png"),
            **changed,
        }
        return UpscaleConfig(**values)

    return given


def test_the_command(place, run):
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    checkpoints.save(model, str(place / "ttsr.safetensors"))
    flags = f"--checkpoint={place / 'ttsr.safetensors'}", f"--attention_map={place / 'map.png'}"
    pictures = f"--lr={place / 'lr.png'}", f"--ref={place / 'ref.jpg'}"
    result = run("upscale", *flags, *pictures, f"--output={place / 'out.png'}")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # nor what TensorFlow prints of its kernels
    assert "lr 18×14, reference 50×41 → 72×56 pixels." in result.stdout
    assert "Similarity of the reference: 0." in result.stdout
    lr, ref = (files.read(place / name).rgb for name in ("lr.png", "ref.jpg"))
    expected = ttsr_tf.Upscaler(model).upscale_with_attention(lr, ref)
    np.testing.assert_array_equal(files.read(place / "out.png").rgb, expected["sr"])
    panels = sheets.attention_panels(expected, [ref])
    np.testing.assert_array_equal(files.read(place / "map.png").rgb, sheets.sheet(panels))
    assert not list(place.glob(".*"))


def test_transparent_grey_without_reference(place, config, capsys, rng):
    pixels = rng.integers(256, size=(13, 20, 2), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(place / "lr.png")
    assert upscale_files(config(ref=())) == [str(place / "out.png")]
    assert "No reference: the picture serves as its own reference." in capsys.readouterr().out
    with PIL.Image.open(place / "out.png") as image:
        assert image.mode == "LA"
    found = files.read(place / "out.png")
    np.testing.assert_array_equal(found.alpha, bicubic.upscale(pixels[..., 1:]))
    sr = ttsr_tf.load(place).upscale(pixels[..., :1].repeat(3, -1))
    grey = np.asarray(PIL.Image.fromarray(sr).convert("L"))
    np.testing.assert_array_equal(found.rgb, grey[..., None].repeat(3, -1))


def test_several_references(place, config, capsys):
    (place / "refs").mkdir()
    for i, size in enumerate(((40, 24), (31, 62))):
        with PIL.Image.open(place / "ref.jpg") as ref:
            ref.resize(size).save(place / f"refs/{i}.png")
    refs = str(place / "ref.jpg"), str(place / "refs")
    upscale_files(config(ref=refs, attention_map=str(place / "map.png")))
    refs = [files.read(place / name).rgb for name in ("ref.jpg", "refs/0.png", "refs/1.png")]
    lr = files.read(place / "lr.png").rgb
    expected = ttsr_tf.load(place).upscale_with_attention(lr, refs)
    np.testing.assert_array_equal(files.read(place / "out.png").rgb, expected["sr"])
    panels = sheets.attention_panels(expected, refs)
    np.testing.assert_array_equal(files.read(place / "map.png").rgb, sheets.sheet(panels))
    shares = [f"{(expected['source'] == i).mean():.0%}" for i in range(3)]
    assert f"Used of each reference: {', '.join(shares)}" in capsys.readouterr().out


def test_a_folder_of_frames(place, config, capsys, rng):
    for i in range(3):
        frame = rng.integers(256, size=(12 + i, 15, 3), dtype=np.uint8)
        PIL.Image.fromarray(frame).save(place / f"frames/{i}.bmp")
    outputs = upscale_files(config(lr=str(place / "frames"), output=str(place / "large")))
    assert outputs == [str(place / f"large/{i}.png") for i in range(3)]
    assert "picture 3/3, similarity 0." in capsys.readouterr().out
    upscaler, ref = ttsr_tf.load(place), files.read(place / "ref.jpg").rgb
    for i in range(3):
        expected = upscaler.upscale(files.read(place / f"frames/{i}.bmp").rgb, ref)
        np.testing.assert_array_equal(files.read(place / f"large/{i}.png").rgb, expected)


def test_a_folder_goes_on(place, config, capsys, rng):
    """Without the pictures that are bad, which are named, and those that are done."""
    for name, size in (("1.png", (12, 15)), ("2.png", (1, 9)), ("4.png", (13, 14))):
        pixels = rng.integers(256, size=(*size, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(place / "frames" / name)
    (place / "frames/3.png").write_text("not a picture")
    given = {"lr": str(place / "frames"), "output": str(place / "large")}
    with pytest.raises(InputError, match=r"^2 of 5 pictures failed and are left out; see above\.$"):
        upscale_files(config(**given))
    said, errors = capsys.readouterr()
    small, text = errors.splitlines()
    assert small.startswith("failed: 2.png: `lr` is 9×1 pixels, at least 3×3 are needed.")
    assert text.startswith("failed: 3.png: ") and "3.png is not a picture" in text
    assert f"Written to {place / 'large'}: 3 of 5 pictures." in said
    assert sorted(path.name for path in (place / "large").iterdir()) == ["0.png", "1.png", "4.png"]

    (place / "frames/3.png").unlink()
    PIL.Image.fromarray(rng.integers(256, size=(5, 9, 3), dtype=np.uint8)).save(
        place / "frames/2.png"
    )
    before = {path.name: path.stat().st_mtime_ns for path in (place / "large").iterdir()}
    outputs = upscale_files(config(**given))
    assert [path.rsplit("/", 1)[1] for path in outputs] == ["0.png", "1.png", "2.png", "4.png"]
    said = capsys.readouterr().out
    assert "3 of 4 are there already; --overwrite does them again." in said
    assert "1 of 4 pictures." in said
    after = {path.name: path.stat().st_mtime_ns for path in (place / "large").iterdir()}
    assert {name: after[name] for name in before} == before and "2.png" in after

    upscale_files(config(**given, overwrite=True))
    again = {path.name: path.stat().st_mtime_ns for path in (place / "large").iterdir()}
    assert all(again[name] > after[name] for name in after)


@pytest.fixture
def large(place, rng):
    """Makes lr.png and a frame a picture that takes tiles in the memory given, GiB."""
    pixels = rng.integers(256, size=(90, 80, 3), dtype=np.uint8)
    for name in ("frames/1.png", "lr.png"):
        PIL.Image.fromarray(pixels).save(place / name)
    model = ttsr_tf.load(place).model
    tile, whole = (
        memory.needed(model, (90, 80), [(41, 50)], tile=size) for size in ((60, 60), (90, 80))
    )
    return (tile + whole) / 2 / 2**30


@pytest.mark.parametrize("lr", ["frames", "lr.png"])
def test_stopped(place, config, large, lr):
    """After the picture of a folder, or the tile, that is being made."""
    upscaled = []

    class Stop:
        @property
        def requested(self):
            upscaled.append(None)
            return len(upscaled) > 1

    output = place / ("large" if lr == "frames" else "out.png")
    with pytest.raises(KeyboardInterrupt):
        upscale_files(config(lr=str(place / lr), output=str(output), memory_gb=large), Stop())
    if lr == "frames":
        assert [path.name for path in output.iterdir()] == ["0.png"]
    else:
        assert not output.exists() and not list(place.glob(".*"))


def test_tiles_are_told_with_their_time(place, config, capsys, large, monkeypatch):
    monkeypatch.setattr(memory, "_flops_per_second", lambda model: 1e6)
    upscale_files(config(memory_gb=9))
    assert re.search(
        r"\nIn one piece: about 0\.\d GiB of memory\. About \d+ s\.\n", capsys.readouterr().out
    )
    upscale_files(config(memory_gb=large))
    said = capsys.readouterr().out
    pattern = r"\n(\d+) tiles; one piece would take about 0\.\d GiB of memory\. About \d+ s\.\n"
    count = re.search(pattern, said)[1]
    steps = re.search(r"part (\d+)/\1\b", said)[1]
    assert int(steps) > int(count) > 1  # of the search, too


def test_a_folder_of_many_frames_is_judged_at_once(place, config):
    for i in range(3000):
        (place / f"frames/{i}.png").touch()
    (place / "frames/0.bmp").unlink()
    (place / "large").mkdir()
    start = time.monotonic()
    check(config(lr=str(place / "frames"), output=str(place / "large")))
    assert time.monotonic() - start < 5  # 0.1 alone; 4 minutes if each is compared with each
    (place / "large/17.png").symlink_to(place / "frames/4.png")
    with pytest.raises(InputError, match=r"17\.png is already used by this command"):
        check(config(lr=str(place / "frames"), output=str(place / "large")))


def test_a_format_that_is_too_small_is_refused_first(place, config):
    PIL.Image.new("RGB", (4100, 3)).save(place / "wide.png")
    given = {"lr": str(place / "wide.png"), "output": str(place / "out.webp")}
    with pytest.raises(
        InputError, match=r"out\.webp would be 16400×12 pixels, \.webp holds at most"
    ):
        check(config(**given))
    check(config(**{**given, "output": str(place / "out.jpg")}))


BAD = {
    "text": ({"lr": "text.png"}, "text.png is not a picture"),
    "dot": ({"lr": "dot.png"}, "`lr` is 1×1 pixels, at least 3×3 are needed"),
    "missing": ({"ref": "none.png"}, "none.png is not a file"),
    "small ref": ({"ref": "dot.png"}, "dot.png is 1×1 pixels, at least 12×12 are needed"),
    "checkpoint": ({"checkpoint": "text.png"}, "text.png is not a checkpoint of ttsr-tf"),
    "extension": ({"output": "a.xyz"}, "a.xyz must end in one of .png"),
    "folder": ({"output": "none/a.png"}, "Can't write to the folder"),
    "empty": ({"lr": "empty"}, "empty holds no pictures"),
    "map": ({"lr": "frames", "attention_map": "map.png"}, "`attention_map` goes with one picture"),
    "file": ({"lr": "frames", "output": "ref.jpg"}, "ref.jpg is a file, and `lr` a folder"),
    "name": ({"lr": "frames", "output": "new.png"}, "new.png is a picture's name, and `lr` a fold"),
    "folder of": ({"lr": "frames", "output": "full"}, "0.png is a folder, and would be a picture"),
    "input": ({"output": "lr.png"}, "is already used by this command"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(place, config, name):
    changed, message = BAD[name]
    before = {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()}
    values = {k: str(place / v) for k, v in changed.items()}
    if "ref" in values:
        values["ref"] = (values["ref"],)
    given = config(**values)
    # A picture's size is known only from the network on.
    judged = upscale_files if "dot.png" in changed.values() else check
    with pytest.raises(InputError) as error:
        judged(given)
    assert message in str(error.value)
    assert {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()} == before


def test_too_little_memory(config):
    with pytest.raises(InputError, match=r"GiB of memory are needed, 0\.20 may be used"):
        upscale_files(config(memory_gb=0.2))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--scale=3"], "Unknown command line flag 'scale'"),
        (["extra"], "unexpected 'extra'"),
        ([], "--lr is missing"),
    ],
)
def test_bad_flags(flags, message):
    with pytest.raises(InputError, match=message):
        configuration.parse(UpscaleConfig, ["--checkpoint=a", "--output=b.png", *flags])


def test_bad_input_is_one_line(place, fails):
    flags = f"--checkpoint={place / 'model.safetensors'}", f"--output={place / 'out.png'}"
    line = fails("upscale", f"--lr={place / 'text.png'}", *flags)
    assert "text.png is not a picture" in line


@pytest.fixture
def srntt(place):
    model = SRNTT((1, 1, 1, 1), 4)
    model.build()
    checkpoints.save(model, str(place / "srntt.safetensors"))
    return ttsr_tf.Upscaler(model)


def test_a_network_with_ways_of_its_own_without_a_reference(place, config, srntt, capsys):
    given = {"ref": (), "checkpoint": str(place / "srntt.safetensors")}
    lr = files.read(place / "lr.png").rgb
    upscale_files(config(**given, attention_map=str(place / "map.png")))
    said = capsys.readouterr().out
    assert (
        "No reference: the picture of the single-image path takes textures from the small" in said
    )
    assert "lr 18×14 → 72×56 pixels." in said
    expected = srntt.upscale_with_attention(lr)
    np.testing.assert_array_equal(files.read(place / "out.png").rgb, expected["sr"])
    panels = sheets.attention_panels(expected, [lr])
    np.testing.assert_array_equal(files.read(place / "map.png").rgb, sheets.sheet(panels))

    upscale_files(config(**given, single_image=True))
    assert "The single-image path makes the picture." in capsys.readouterr().out
    single = srntt.upscale(lr, single_image=True)
    np.testing.assert_array_equal(files.read(place / "out.png").rgb, single)
    folders = {"lr": str(place / "frames"), "output": str(place / "large")}
    upscale_files(config(**{**given, **folders}, single_image=True))
    np.testing.assert_array_equal(files.read(place / "large/0.png").rgb, single)


def test_the_single_image_path_goes_alone(config, place, capsys):
    for changed in ({}, {"ref": (), "attention_map": str(place / "map.png")}):
        with pytest.raises(InputError, match="`single_image` goes without `ref` and"):
            check(config(**changed, single_image=True))
    with pytest.raises(InputError, match="`single_image`: OneConvolution has no path"):
        upscale_files(config(ref=(), single_image=True))
    assert not (place / "out.png").exists() and not capsys.readouterr().out


@pytest.mark.parametrize(
    ("mean", "shown", "warned"), [(0.83, 0.26, False), (0.78, 0.04, True), (0.48, 0.0, True)]
)
def test_a_reference_of_little_use_is_told(mean, shown, warned, capsys):
    confidence = np.full((5, 4), mean, np.float32)
    said.similarity({"confidence": confidence, "source": np.zeros((5, 4), int)}, 1)
    lines = capsys.readouterr().out.splitlines()
    expected = f"Similarity of the reference: {shown:.2f} (1: the same; 0: like photographs of"
    assert lines[0].startswith(expected)
    assert ("It has little that this picture could use" in lines[-1]) == warned
