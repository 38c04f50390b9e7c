import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from ttsr_tf import data, degrade, losses, sample
from ttsr_tf.errors import InputError


@pytest.fixture
def pairs(rng):
    return (rng.integers(256, size=(6, 16, 16, 3), dtype=np.uint8) for _ in range(2))


def test_batches_hold_degraded_pairs(pairs):
    hr, ref = pairs
    batch = next(iter(data.batches(hr, ref, 4, seed=5)))
    assert {name: tuple(x.shape) for name, x in batch.items()} == {
        "lr": (4, 4, 4, 3),
        "lr_up": (4, 16, 16, 3),
        "ref": (4, 16, 16, 3),
        "ref_down_up": (4, 16, 16, 3),
        "hr": (4, 16, 16, 3),
    }
    found = set()
    for i in range(4):
        # Which pair, turned how: the input's pictures alike.
        matches = [
            (n, k)
            for n in range(6)
            for k, turned in enumerate(_turned(hr[n]))
            if np.array_equal(turned, np.rint((batch["hr"][i] + 1) * 127.5))
        ]
        (n, k), *_ = matches
        small = _turned(degrade.shrink(hr[n]).numpy())[k]
        np.testing.assert_allclose(batch["lr"][i], small / 127.5 - 1, atol=1e-6)
        np.testing.assert_array_equal(
            np.rint((batch["lr_up"][i] + 1) * 127.5),
            _turned(degrade.enlarge(degrade.shrink(hr[n])).numpy())[k],
        )
        found.add(n)
    assert len(found) == 4


def _turned(x):
    """The eight orientations of a square picture."""
    return [np.rot90(y, k) for y in (x, x[:, ::-1]) for k in range(4)]


def test_the_reference_turns_on_its_own():
    picture = tf.reshape(tf.range(48.0), [4, 4, 3])
    alike = 0
    for n in range(40):
        turned = data.augmented({"hr": picture, "ref": picture, "lr": picture}, tf.constant([1, n]))
        np.testing.assert_array_equal(turned["hr"], turned["lr"])
        alike += np.array_equal(turned["hr"], turned["ref"])
    assert 0 < alike < 20  # one in eight by chance


def test_only_the_seed_decides(pairs):
    hr, ref = pairs

    def first_three(seed):
        return [b["ref"].numpy() for b in data.batches(hr, ref, 2, seed).take(3)]

    np.testing.assert_array_equal(first_three(1), first_three(1))
    assert (np.array(first_three(1)) != np.array(first_three(2))).any()


def test_sample_pairs_show_the_same_place():
    hr, ref = sample.training_pairs(8, 64, seed=3)
    assert hr.shape == ref.shape == (8, 64, 64, 3)
    assert hr.dtype == ref.dtype == np.uint8
    for a, b in zip(hr, ref, strict=True):
        assert np.abs(np.float32(a) - b).mean() > 1
        # Photographs of the same place have nearly the same mean colour.
        assert np.abs(a.mean((0, 1)) - b.mean((0, 1))).max() < 60
    again, _ = sample.training_pairs(8, 64, seed=3)
    np.testing.assert_array_equal(again, hr)


def test_held_out_pairs_are_another_photograph():
    hr, ref = sample.held_out_pairs(96)
    assert hr.shape == ref.shape == (8, 96, 96, 3)
    assert len(np.unique(hr.reshape(8, -1), axis=0)) == 8
    with pytest.raises(InputError, match="have 300 rows: no crops of 320"):
        sample.training_pairs(1, 320, seed=0)


@pytest.fixture
def folder(tmp_path, rng):
    for kind in ("input", "ref"):
        (tmp_path / "train" / kind).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(256, size=(36, 40, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "train" / kind / f"{i}.png")
    return tmp_path


def test_folder(folder):
    train, held_out = data.load("folder", str(folder), 32, seed=0)
    assert [x.shape for x in (*train, *held_out)] == [(2, 32, 32, 3)] * 2 + [(8, 32, 32, 3)] * 2
    with PIL.Image.open(folder / "train/ref/9.png") as image:
        np.testing.assert_array_equal(train[1][1], np.asarray(image)[:32, :32])


def test_bad_folders(folder, tmp_path):
    with pytest.raises(InputError, match="--dataset=folder needs --data_dir"):
        data.load("folder", None, 32, seed=0)
    with pytest.raises(InputError, match=r"0\.png is 40×36 pixels: no crop of 40"):
        data.load("folder", str(folder), 40, seed=0)
    (folder / "train/ref/3.png").unlink()
    with pytest.raises(InputError, match=r"1 pictures without a partner .* such as 3\.png"):
        data.load("folder", str(folder), 32, seed=0)
    with pytest.raises(InputError, match=r"input is missing: pairs are input/NAME"):
        data.load("folder", str(folder / "train/ref"), 32, seed=0)
    with pytest.raises(InputError, match="must be sample or folder, got 'disk'"):
        data.load("disk", None, 32, seed=0)


def test_reconstruction_is_the_mean_absolute_difference(rng):
    hr, sr = rng.standard_normal((2, 2, 3, 5, 3))
    np.testing.assert_allclose(losses.reconstruction(hr, sr), np.abs(hr - sr).mean(), rtol=1e-6)
