"""Any network of `MODELS` is trained by the same function, and goes on where it was stopped."""

import numpy as np
import pytest
from small_trainings import StopAfter, assert_same

from ttsr_tf import load
from ttsr_tf.models import MODELS, model_class
from ttsr_tf.training import TrainingConfig, train


def training(run_dir, model, **changed):
    small = {"num_residual_blocks": (1, 1, 1, 1), "num_features": 4, "crop_size": 32}
    steps = {"pretrain_steps": 1, "reconstruction_steps": 1, "max_steps": 3, "batch_size": 2}
    data = {"dataset": "sample", "vgg19_weights": "random", "perceptual_weight": 0}
    given = {"run_dir": str(run_dir), "model": model, "learning_rate_schedule": "piecewise"}
    return TrainingConfig(**{**small, **steps, **data, **given, **changed})


@pytest.mark.parametrize("model", MODELS)
def test_trains_through_its_phases_stops_and_goes_on(model, tmp_path, rng):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(training(whole, model)).done
    for steps in (1, 1):
        assert not train(training(parts, model), stop=StopAfter(steps)).done
    assert train(training(parts, model)).done
    assert_same(whole, parts)
    trained = load(whole)
    assert type(trained.model) is model_class(model)
    picture = rng.integers(256, size=(14, 18, 3), dtype=np.uint8)
    assert trained.upscale(picture).shape == (56, 72, 3)
    start = training(tmp_path / "tuned", model, finetune_from=str(whole), max_steps=1)
    assert train(start).done
