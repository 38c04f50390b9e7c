"""`train` on realistic LR: what it validates on, and which run it goes on with."""

import numpy as np
import pytest
from small_trainings import config

from ttsr_tf.data import sample
from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic, inputs, metrics
from ttsr_tf.training import train

REALISTIC = {"degradation": "realistic", "max_steps": 4, "pretrain_steps": 4, "validate_every": 4}


def test_a_run_on_realistic_lr(one_convolution, tmp_path):
    result = train(config(tmp_path / "run", **REALISTIC))
    pictures, _ = sample.validation_pairs(32)
    plain = [
        bicubic.upscale(inputs.degraded(hr, "realistic", [0, i])).numpy()
        for i, hr in enumerate(pictures)
    ]
    expected = np.mean([metrics.psnr(*pair) for pair in zip(pictures, plain, strict=True)])
    assert result.scores["psnr_bicubic"] == pytest.approx(expected, abs=1e-4)  # float32
    assert expected < 28  # 35.0 without, so this can't be that
    with pytest.raises(
        InputError, match="`degradation`=realistic there, `degradation`=bicubic now"
    ):
        train(config(tmp_path / "run", **REALISTIC | {"degradation": "bicubic"}))
