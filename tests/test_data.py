import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from ttsr_tf.data import batches, sample
from ttsr_tf.data.batches import Share, Stream
from ttsr_tf.data.pairs import Pairs
from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic, inputs


@pytest.fixture
def pictures(rng):
    return rng.integers(256, size=(2, 6, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def pairs(pictures):
    return Pairs(list("abcdef"), lambda i: tuple(pictures[:, i]))


def test_batches_hold_degraded_pairs(pairs, pictures):
    hr, _ = pictures
    batch = next(iter(batches.batches(pairs, Stream(16, 4, seed=5))))
    epsilon = batch.pop("epsilon")
    assert epsilon.shape == (4, 2)
    assert len(np.unique(epsilon)) == 8
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
        small = _turned(bicubic.downscale(hr[n]).numpy())[k]
        np.testing.assert_allclose(batch["lr"][i], small / 127.5 - 1, atol=1e-6)
        np.testing.assert_array_equal(
            np.rint((batch["lr_up"][i] + 1) * 127.5),
            _turned(bicubic.upscale(bicubic.downscale(hr[n])).numpy())[k],
        )
        found.add(n)
    assert len(found) == 4


def test_realistic_batches_are_those_of_the_seed_and_the_number(pairs, pictures):
    def stream(seed):
        return batches.batches(pairs, Stream(16, 2, seed, degradation="realistic"))

    whole = list(stream(5).take(3))
    for first, again in zip(whole, stream(5).take(3), strict=True):
        np.testing.assert_array_equal(first["lr"], again["lr"])
    for number in range(6):
        hr = pictures[0, batches.place(number, 6, seed=5)]
        small = inputs.degraded(hr, "realistic", [5, number])
        batch = whole[number // 2]
        lr, lr_up, truth = (
            np.rint((batch[name][number % 2] + 1) * 127.5) for name in ("lr", "lr_up", "hr")
        )
        # All turned alike.
        (k, *_) = [k for k, x in enumerate(_turned(hr)) if np.array_equal(x, truth)]
        np.testing.assert_array_equal(lr, _turned(small.numpy())[k])
        np.testing.assert_array_equal(lr_up, _turned(bicubic.upscale(small).numpy())[k])


def _turned(x):
    """The eight orientations of a square picture."""
    return [np.rot90(y, k) for y in (x, x[:, ::-1]) for k in range(4)]


def test_the_reference_turns_on_its_own():
    picture = tf.reshape(tf.range(48.0), [4, 4, 3])
    alike = 0
    for n in range(40):
        turned = batches.augmented(
            {"hr": picture, "ref": picture, "lr": picture}, tf.constant([1, n])
        )
        np.testing.assert_array_equal(turned["hr"], turned["lr"])
        alike += np.array_equal(turned["hr"], turned["ref"])
    assert 0 < alike < 20  # one in eight by chance


def test_both_pictures_of_the_reference_turn_alike():
    picture = tf.reshape(tf.range(48.0), [4, 4, 3])
    names = "hr", "lr", "lr_up", "ref", "ref_down_up"
    for n in range(20):
        turned = batches.augmented(dict.fromkeys(names, picture), tf.constant([1, n]))
        np.testing.assert_array_equal(turned["hr"], turned["lr_up"])
        np.testing.assert_array_equal(turned["ref"], turned["ref_down_up"])


def _numbers(batches, count):
    return np.concatenate([b["epsilon"] for b in batches.take(count)])


def test_only_the_seed_decides(pairs):
    def first_three(seed):
        return [b["ref"].numpy() for b in batches.batches(pairs, Stream(16, 2, seed)).take(3)]

    np.testing.assert_array_equal(first_three(1), first_three(1))
    assert (np.array(first_three(1)) != np.array(first_three(2))).any()


def test_goes_on_anywhere(pairs):
    whole = list(batches.batches(pairs, Stream(16, 4, seed=1)).take(5))
    rest = list(batches.batches(pairs, Stream(16, 4, seed=1), first_step=3).take(2))
    for a, b in zip(whole[3:], rest, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_every_epoch_holds_every_pair_in_its_own_order():
    epochs = [[batches.place(6 * epoch + i, 6, seed=1) for i in range(6)] for epoch in range(5)]
    assert all(sorted(epoch) == list(range(6)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


def test_workers_and_replicas_share_a_batch(pairs):
    stream = Stream(16, 8, seed=1)
    whole = _numbers(batches.batches(pairs, stream), 2).reshape(2, 8, 2)
    for worker in (0, 1):
        part = batches.batches(pairs, stream, share=Share(worker, workers=2, replicas=2))
        assert next(iter(part))["hr"].shape == (2, 16, 16, 3)
        part = _numbers(part, 4).reshape(2, 4, 2)
        np.testing.assert_array_equal(part, whole[:, 4 * worker : 4 * worker + 4])


def test_larger_pictures_are_cropped_at_the_same_place():
    rows, columns = np.mgrid[:40, :60]
    hr = np.uint8(np.stack([rows, columns, rows], -1))
    pairs = Pairs(["a"], lambda _: (hr, hr[::2, ::2]))
    corners = set()
    for number in range(50):
        crop, ref = batches.cropped(pairs, number, crop_size=16, seed=1)
        assert crop.shape == ref.shape == (16, 16, 3)
        # Both rooms, 24 and 4 rows, 44 and 14 columns, are divided at the same fraction.
        fraction = np.random.default_rng([1, 1, number]).uniform(size=2)
        corner, ref_corner = ((fraction * room).astype(int) for room in ((25, 45), (5, 15)))
        np.testing.assert_array_equal(crop[0, 0, :2], corner)
        np.testing.assert_array_equal(ref[0, 0, :2], 2 * ref_corner)
        np.testing.assert_array_equal(crop[-1, -1, :2], corner + 15)
        corners.add(tuple(corner))
    assert len(corners) > 30


def test_small_references_are_padded_after_they_were_degraded(rng):
    hr = rng.integers(256, size=(16, 16, 3), dtype=np.uint8)
    ref = rng.integers(256, size=(9, 14, 3), dtype=np.uint8)
    example = batches.network_example(hr, bicubic.downscale(hr), ref)
    small = PIL.Image.fromarray(ref).resize((3, 2), PIL.Image.Resampling.BICUBIC)
    down_up = np.asarray(small.resize((14, 9), PIL.Image.Resampling.BICUBIC))
    for name, expected in (("ref", ref), ("ref_down_up", down_up)):
        picture = example[name].numpy()
        np.testing.assert_allclose(picture[:9, :14], expected / 127.5 - 1, atol=1e-6)
        assert (picture[9:] == -1).all() and (picture[:, 14:] == -1).all()


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


def test_shown_pairs_are_not_trained_on():
    from skimage import data

    pairs = sample.shown_pairs()
    (hr, ref), (portrait, turned) = pairs.values()
    left, right = sample.stereo_pair()
    np.testing.assert_array_equal(hr, right[:500, :740])
    np.testing.assert_array_equal(ref, left[:500, :740])
    np.testing.assert_array_equal(portrait, data.astronaut())
    assert "astronaut" not in sample._PHOTOGRAPHS
    assert turned.dtype == np.uint8 and turned.shape == (448, 448, 3)
    # The middle of the portrait is in the middle of it, but not as it stands there.
    same = np.abs(portrait[224:288, 224:288].mean((0, 1)) - turned[192:256, 192:256].mean((0, 1)))
    assert same.max() < 40
    assert np.abs(np.float32(portrait[32:480, 32:480]) - turned).mean() > 20


def test_validation_pairs_are_another_photograph():
    hr, ref = sample.validation_pairs(96)
    assert hr.shape == ref.shape == (8, 96, 96, 3)
    assert len(np.unique(hr.reshape(8, -1), axis=0)) == 8
    with pytest.raises(InputError, match="have 300 rows: no crops of 320"):
        sample.training_pairs(1, 320, seed=0)
