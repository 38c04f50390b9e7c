"""What was written on the other Keras (`written_by_generations`): weights, a training."""

import json

import numpy as np
import pytest
import written_by_generations as written
from small_trainings import StopAfter, config

from ttsr_tf import InputError, compat
from ttsr_tf.training import train
from ttsr_tf.weights import checkpoints

GENERATIONS = "keras_2", "keras_3"


def test_a_training_of_the_other_is_refused(one_convolution, tmp_path, monkeypatch):
    given = config(tmp_path, max_steps=3, validate_every=100)
    with monkeypatch.context() as there:
        there.setattr(compat, "GENERATION", "Keras 7")
        assert not train(given, stop=StopAfter(2)).done
    with pytest.raises(InputError, match=r"ckpt-2 was written on Keras 7, and this is Keras \d, "):
        train(given)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_weights_of_both_make_the_same_picture(generation, tmp_path):
    path = written.unpacked(generation, "model.safetensors", tmp_path)
    found = written.enlarged(checkpoints.load(path))
    expected = np.load(written.FOLDER / generation / "sr.npy")
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_old_weights_of_both(generation, tmp_path):
    path = written.unpacked(generation, "model.weights.h5", tmp_path)
    if (compat.GENERATION, generation) == ("Keras 2", "keras_3"):
        with pytest.raises(InputError, match=r"^.*h5 can't be read by Keras 2 .* \.safetensors "):
            checkpoints.load(path)
        return
    expected = np.load(written.FOLDER / generation / "sr.npy")
    np.testing.assert_allclose(written.enlarged(checkpoints.load(path)), expected, atol=1e-5)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_step_with_a_normalized_critic_has_the_same_losses(generation):
    expected = json.loads((written.FOLDER / generation / "losses.json").read_text())
    assert written.losses() == pytest.approx(expected, rel=1e-4, abs=1e-4)
