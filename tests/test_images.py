import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.files import written_aside
from ttsr_tf.images import files, inputs


@pytest.fixture
def rgb(rng):
    return rng.integers(256, size=(5, 8, 3), dtype=np.uint8)


def saved(tmp_path, array, mode=None, name="a.png", **options):
    path = str(tmp_path / name)
    PIL.Image.fromarray(array, mode).save(path, **options)
    return path


def test_values_go_there_and_back():
    levels = tf.range(256)
    np.testing.assert_array_equal(inputs.to_uint8(inputs.to_float(levels)), levels)
    # what is beyond is clipped; 127.5 goes to the even level
    np.testing.assert_array_equal(inputs.to_uint8(tf.constant([-3.0, 0, 7])), [0, 128, 255])


def test_rgb(tmp_path, rgb):
    picture = files.read(saved(tmp_path, rgb))
    np.testing.assert_array_equal(picture.rgb, rgb)
    assert picture.alpha is None
    assert not picture.grey


def test_grey(tmp_path, rgb):
    picture = files.read(saved(tmp_path, rgb[..., 0]))
    np.testing.assert_array_equal(picture.rgb, rgb[..., :1].repeat(3, -1))
    assert picture.grey


def test_alpha(tmp_path, rgb, rng):
    alpha = rng.integers(256, size=(5, 8, 1), dtype=np.uint8)
    picture = files.read(saved(tmp_path, np.concatenate([rgb, alpha], -1)))
    np.testing.assert_array_equal(picture.rgb, rgb)
    np.testing.assert_array_equal(picture.alpha, alpha)
    grey = files.read(saved(tmp_path, np.concatenate([rgb[..., :1], alpha], -1)))
    assert grey.grey
    np.testing.assert_array_equal(grey.alpha, alpha)


def test_palette(tmp_path, rgb):
    image = PIL.Image.fromarray(rgb).quantize(4)
    image.save(tmp_path / "p.png", transparency=0)
    picture = files.read(tmp_path / "p.png")
    np.testing.assert_array_equal(picture.rgb, image.convert("RGB"))
    np.testing.assert_array_equal(picture.alpha[..., 0] == 0, np.asarray(image) == 0)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    levels = np.uint16([[0, 257, 32896], [65535, 128, 129]])
    picture = files.read(saved(tmp_path, levels))
    np.testing.assert_array_equal(picture.rgb[..., 0], [[0, 1, 128], [255, 0, 1]])
    assert picture.grey


def test_exif_rotation(tmp_path, rgb):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    picture = files.read(saved(tmp_path, rgb, exif=exif))
    np.testing.assert_array_equal(picture.rgb, np.rot90(rgb, -1))


def test_written_and_read(tmp_path, rgb):
    path = str(tmp_path / "out.png")
    files.write(path, rgb, alpha=rgb[..., :1])
    picture = files.read(path)
    np.testing.assert_array_equal(picture.rgb, rgb)
    np.testing.assert_array_equal(picture.alpha, rgb[..., :1])
    grey = rgb[..., :1].repeat(3, -1)
    files.write(path, grey, grey=True)
    with PIL.Image.open(path) as image:
        assert image.mode == "L"
    np.testing.assert_array_equal(files.read(path).rgb, grey)
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with (
        pytest.raises(InputError, match=r"Can't write .*a\.txt"),
        written_aside(path) as new,
    ):
        with open(new, "w") as file:
            file.write("half")
        raise OSError("No space left on device")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def broken(tmp_path, rgb):
    whole = (tmp_path / "a.png", tmp_path / "cut.png")
    PIL.Image.fromarray(rgb.repeat(40, 0).repeat(40, 1)).save(whole[0])
    content = whole[0].read_bytes()
    whole[1].write_bytes(content[: len(content) // 2])
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    PIL.Image.new("1", (12_000, 10_000)).save(tmp_path / "huge.png")
    PIL.Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cut.png", r"cut\.png can't be read"),
        ("text.png", r"text\.png is not a picture"),
        ("empty.png", r"empty\.png is not a picture"),
        ("none.png", r"none\.png is not a file"),
        (".", "is not a file"),
        ("huge.png", r"huge\.png is too large: 12000×10000, at most 100 megapixels"),
        ("bomb.png", r"bomb\.png is too large"),
    ],
)
def test_bad_files(tmp_path, rgb, name, message):
    broken(tmp_path, rgb)
    with pytest.raises(InputError, match=message):
        files.read(tmp_path / name)


def test_bad_outputs(tmp_path):
    with pytest.raises(InputError, match=r"a\.xyz must end in one of \.png"):
        files.check_output(f"{tmp_path}/a.xyz")
    with pytest.raises(InputError, match=r"a\.jpg must end in .* to keep the transparency"):
        files.check_output(f"{tmp_path}/a.jpg", alpha=True)
    with pytest.raises(InputError, match="is already used by this command"):
        files.check_output(f"{tmp_path}/a.png", [f"{tmp_path}/../{tmp_path.name}/a.png"])
    with pytest.raises(InputError, match="Can't write to the folder"):
        files.check_output(f"{tmp_path}/none/a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        files.check_output(f"{tmp_path}/folder.png")


def test_floating_point_in_the_unit_range(tmp_path, rng):
    values = rng.uniform(size=(9, 14)).astype(np.float32)
    PIL.Image.fromarray(values).save(tmp_path / "float.tif")
    found = files.read(tmp_path / "float.tif")
    np.testing.assert_array_equal(found.rgb, np.uint8(np.rint(255 * values))[..., None] + [0] * 3)
    assert found.grey and found.alpha is None


@pytest.mark.parametrize(("factor", "value"), [(255, 3.0), (1, np.nan), (-1, -0.5)])
def test_floating_point_beyond_it_is_refused(tmp_path, factor, value):
    values = np.full((9, 14), value, np.float32)
    values[0, 0] = 0.25 * factor
    PIL.Image.fromarray(values).save(tmp_path / "float.tif")
    with pytest.raises(
        InputError, match=r"float\.tif has floating point values from .* in \[0, 1\]"
    ):
        files.read(tmp_path / "float.tif")


SRGB = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
SWAPPED = (
    SRGB.replace(b"rXYZ", b"swap", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"swap", b"gXYZ", 1)
)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_those_of_the_profile(tmp_path, rng, mode):
    """Of one whose red and green are each other's, whatever its description says."""
    colours = rng.integers(256, size=(5, 7, 3), dtype=np.uint8)
    image = PIL.Image.fromarray(colours).convert(mode)
    if mode == "RGBA":
        image.putalpha(77)
    image.save(tmp_path / "a.png", icc_profile=SWAPPED)
    found = files.read(tmp_path / "a.png")
    shown = np.asarray(image.convert("RGB"))
    np.testing.assert_allclose(found.rgb, np.int16(shown)[..., [1, 0, 2]], atol=2)  # of 8 bits
    assert (found.alpha == 77).all() if mode == "RGBA" else found.alpha is None


# With names of their own, since a profile has the second in it in which it was made, and both
# processes of a test run must know the tests by the same names.
@pytest.mark.parametrize(
    "profile", [None, SRGB, b"damaged", SWAPPED[:200]], ids=["none", "srgb", "damaged", "cut"]
)
def test_without_another_profile_no_bit_changes(tmp_path, rng, profile):
    colours = rng.integers(256, size=(40, 60, 3), dtype=np.uint8)
    PIL.Image.fromarray(colours).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(files.read(tmp_path / "a.png").rgb, colours)


def test_a_grey_picture_with_a_colour_profile_stays_grey(tmp_path, rng):
    grey = rng.integers(256, size=(9, 8), dtype=np.uint8)
    PIL.Image.fromarray(grey).save(tmp_path / "a.png", icc_profile=SWAPPED)
    found = files.read(tmp_path / "a.png")
    assert found.grey
    np.testing.assert_array_equal(found.rgb, grey[..., None].repeat(3, -1))
