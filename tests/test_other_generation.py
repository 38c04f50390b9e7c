"""What was written on the other Keras: a training's checkpoint."""

import pytest
from small_trainings import StopAfter, config

from ttsr_tf import InputError, compat
from ttsr_tf.training import train


def test_a_training_of_the_other_is_refused(one_convolution, tmp_path, monkeypatch):
    given = config(tmp_path, max_steps=3, validate_every=100)
    with monkeypatch.context() as there:
        there.setattr(compat, "GENERATION", "Keras 7")
        assert not train(given, stop=StopAfter(2)).done
    with pytest.raises(InputError, match=r"ckpt-2 was written on Keras 7, and this is Keras \d, "):
        train(given)
