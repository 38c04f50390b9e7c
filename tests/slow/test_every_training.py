"""Any network of `MODELS` is trained by the same function, and goes on where it was stopped."""

import numpy as np
import pytest
from small_trainings import StopAfter, assert_same

from ttsr_tf import load
from ttsr_tf.data import pairs
from ttsr_tf.images import bicubic, metrics
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


def test_while_only_the_single_image_path_learns_it_is_validated_and_never_the_best(tmp_path):
    result = train(training(tmp_path, "srntt", max_steps=1))
    assert result.done and not (tmp_path / "best.safetensors").exists()
    upscaler = load(tmp_path)
    options = {"crop_size": 32, "seed": 0, "cache_gb": 1, "skip_corrupt": False}
    _, validated_on = pairs.load("sample", None, **options)
    psnr = []
    for i in range(len(validated_on)):
        hr = np.asarray(validated_on[i][0])[:32, :32]
        sr = upscaler.upscale(bicubic.downscale(hr).numpy(), single_image=True)
        psnr.append(metrics.Scores()(hr, sr)[0])
    assert result.scores["psnr"] == pytest.approx(np.mean(psnr), abs=1e-6)
