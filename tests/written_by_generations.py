"""What each Keras computes and writes, in tests/generations/; run on each to write it anew:

python tests/written_by_generations.py
"""

import gzip
import json
import pathlib
import tempfile

import h5py
import numpy as np
import tensorflow as tf
from one_convolution import OneConvolution

from ttsr_tf import GAN, TTSR, compat, network_inputs
from ttsr_tf.models.critic import Critic
from ttsr_tf.training.losses import LossWeights
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise

FOLDER = pathlib.Path(__file__).parent / "generations"
FILES = "model.safetensors", "model.weights.h5"


def network():
    """TTSR with random weights, of which few are not 0: its files are small when compressed."""
    model, rng = TTSR((1, 1, 1, 1), 4), np.random.default_rng(5)
    model.build()
    for variable in checkpoints.named_variables(model).values():
        share = max(0.05, min(1, 64 / np.prod(variable.shape)))
        bound = (share * np.prod(variable.shape[:-1])) ** -0.5 if len(variable.shape) > 1 else 0.05
        kept = rng.uniform(size=variable.shape) < share
        variable.assign(bound * np.sign(rng.standard_normal(variable.shape)) * kept)
    return model


def enlarged(model):
    """What a network makes of two pictures, float32 [1, 36, 28, 3]."""
    rng = np.random.default_rng(6)
    lr, ref = (rng.integers(256, size=(1, *n, 3), dtype=np.uint8) for n in ((9, 7), (20, 32)))
    return model(network_inputs(lr, ref))["sr"].numpy()


def losses():
    """What a step with a spectrally normalized critic reports, a dict of floats."""
    generator, critic = OneConvolution(), Critic(32, "spectral")
    for seed, part in enumerate((generator, critic)):
        part.build()
        initialise(part, seed)
    gan = GAN(generator, critic, weights=LossWeights(adversarial=1.0))
    gan.compile(*(Adam(1e-3, epsilon=1e-3) for _ in range(3)))
    rng = np.random.default_rng(7)
    sizes = {"lr": 8, "lr_up": 32, "ref": 32, "ref_down_up": 32, "hr": 32}
    batch = {name: rng.uniform(-1, 1, (2, n, n, 3)) for name, n in sizes.items()}
    batch["epsilon"] = rng.uniform(size=(2, 2))
    batch = {name: tf.constant(x, tf.float32) for name, x in batch.items()}
    return {name: float(value) for name, value in gan.full_step(batch).items()}


def unpacked(generation, name, folder):
    """The path of one of `FILES`, as it was written."""
    path = pathlib.Path(folder) / name
    path.write_bytes(gzip.decompress((FOLDER / generation / f"{name}.gz").read_bytes()))
    return path


def _write():
    place, model = FOLDER / compat.GENERATION.replace(" ", "_").lower(), network()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        new, old = (pathlib.Path(folder) / name for name in FILES)
        checkpoints.save(model, str(new))
        model.save_weights(str(old))
        with h5py.File(old, "a") as file:  # as 0.1 marked its files
            about = {"model": "TTSR", "config": checkpoints.arguments(model)}
            file.attrs["ttsr_tf"] = json.dumps(about)
        for path in (new, old):
            packed = gzip.compress(path.read_bytes(), mtime=0)
            (place / f"{path.name}.gz").write_bytes(packed)
    np.save(place / "sr.npy", enlarged(model))
    (place / "losses.json").write_text(json.dumps(losses(), indent=2) + "\n")


if __name__ == "__main__":
    _write()
