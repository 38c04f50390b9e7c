"""`train` with a network of one convolution: rates, and what ends it or is left out of it."""

import re

import numpy as np
import PIL.Image
import pytest
from small_trainings import config

import ttsr_tf
from ttsr_tf.errors import InputError
from ttsr_tf.training import distribution, train
from ttsr_tf.weights.initial import initialise

SEED = 3


@pytest.fixture(autouse=True)
def one_network(one_convolution):
    pass


def test_a_loss_that_is_not_finite_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"Step 2 is not finite: .*Its pictures: \d+, \d+\. The l"):
        train(config(tmp_path, learning_rate=1e38))


def test_it_is_noticed_at_the_next_reading_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(distribution, "read_every", lambda: 4)
    done = []

    class Count:
        @property
        def requested(self):
            done.append(None)
            return False

    values = {"learning_rate": 1e38, "summary_every": 50, "validate_every": 50, "max_steps": 50}
    with pytest.raises(InputError, match=r"Step 2 is not finite: .* good checkpoint is none\."):
        train(config(tmp_path, **values), stop=Count())
    assert len(done) == 4
    assert not (tmp_path / "model.safetensors").exists()


def test_the_extractor_learns_at_a_tenth_of_the_rate(tmp_path, one_convolution):
    start = one_convolution()
    start.build()
    initialise(start, [SEED, 0])
    train(config(tmp_path, max_steps=1, seed=SEED))
    trained = ttsr_tf.load(tmp_path).model
    for part, rate in (("convolution", 1e-3), ("texture_extractor", 1e-4)):
        before, after = (getattr(model, part).get_weights() for model in (start, trained))
        change = max(np.abs(a - b).max() for a, b in zip(before, after, strict=True))
        # Adam's first step is the rate, whatever the gradient; weights have 24 bits.
        assert change == pytest.approx(rate, rel=2e-3)


@pytest.fixture
def pictures(tmp_path, rng):
    """A folder of ten pairs, one of which ends early."""
    for kind in "input", "ref":
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(256, size=(40, 36, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / f"pairs/{kind}/{i}.png")
    half = tmp_path / "pairs/input/9.png"
    half.write_bytes(half.read_bytes()[:2000])
    return tmp_path / "pairs"


@pytest.mark.parametrize("cache_gb", [0, 1])  # read again when it is wanted, or once
def test_bad_pictures_are_named_or_left_out(pictures, tmp_path, cache_gb, capsys):
    values = {"dataset": "folder", "data_dir": str(pictures), "cache_gb": cache_gb, "max_steps": 2}
    with pytest.raises(InputError, match=r"9\.png can't be read"):
        train(config(tmp_path / "a", **values))
    result = train(config(tmp_path / "b", **values, skip_corrupt=True))
    assert result.done
    assert result.skipped == []  # later, that is
    assert re.search(r"Left out: 1 pairs\. .*9\.png", capsys.readouterr().out)
