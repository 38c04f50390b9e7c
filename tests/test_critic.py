import numpy as np
import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.models.critic import Critic


def _critic(crop_size):
    critic = Critic(crop_size)
    critic.build()
    return critic


def test_has_the_published_size():
    assert _critic(160).count_params() == 17_821_473


@pytest.mark.parametrize("crop_size", [32, 96])
def test_scores_pictures_of_any_size_that_divides(rng, crop_size):
    pictures = rng.uniform(-1, 1, (3, crop_size, crop_size, 3)).astype(np.float32)
    scores = _critic(crop_size)(pictures).numpy()
    assert scores.shape == (3, 1)
    assert len(np.unique(scores)) == 3


def test_pictures_of_another_size_are_refused():
    """48×32 are as many numbers as there are in one and a half of its pictures."""
    critic = _critic(32)
    for shape in ((2, 48, 32, 3), (1, 32, 32, 1), (32, 32, 3)):
        with pytest.raises(ValueError, match=r"expected (shape=\(None, 32, 32, 3\)|ndim=4)"):
            critic(np.zeros(shape, np.float32))


@pytest.mark.parametrize("crop_size", [0, 48, 100, -32, 32.0])
def test_other_sizes_are_refused(crop_size):
    with pytest.raises(InputError, match=f"must be a multiple of 32, got {crop_size}"):
        Critic(crop_size)


def test_stays_float32(rng):
    critic = Critic(32, dtype="mixed_float16")
    critic.build()
    scores = critic(rng.uniform(-1, 1, (1, 32, 32, 3)).astype(np.float16))
    assert scores.dtype == "float32"
