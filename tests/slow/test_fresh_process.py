"""A fresh process, which imports only this package, loads what Keras has saved."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import ROOT

import ttsr_tf
from ttsr_tf.training import Schedule
from ttsr_tf.training.optimizers import Adam


@pytest.mark.parametrize("imports", ["import keras, ttsr_tf", "import ttsr_tf, keras"])
def test_a_fresh_process_loads_them(tmp_path, rng, imports):
    """A functional model with a metric, and a `GAN`, in either order of imports."""
    ttsr, critic = ttsr_tf.TTSR((1, 1, 1, 1), 4), ttsr_tf.Critic(32)
    ttsr.build(), critic.build()
    inputs = [keras.Input((None, None, 3), dtype="uint8") for _ in range(2)]
    model = keras.Model(inputs, ttsr(ttsr_tf.network_inputs(*inputs))["sr"])
    model.compile(loss="mae", metrics=[ttsr_tf.metrics.PSNR()])
    pictures = [
        rng.integers(256, size=(2, *size, 3), dtype=np.uint8) for size in ((5, 7), (24, 16))
    ]
    np.savez(tmp_path / "pictures.npz", *pictures, model(pictures))
    model.save(tmp_path / "model.keras")
    gan = ttsr_tf.GAN(ttsr, critic, schedule=Schedule(pretrain_steps=3))
    gan.compile(Adam(1e-3))
    gan.save(tmp_path / "gan.keras")
    code = f"""
{imports}
import numpy as np
stored = np.load("pictures.npz")
*pictures, sr = (stored[f"arr_{{i}}"] for i in range(3))
load = keras.saving.load_model
np.testing.assert_allclose(load("model.keras")(pictures), sr, atol=1e-4)
assert load("gan.keras").schedule.pretrain_steps == 3
"""
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
