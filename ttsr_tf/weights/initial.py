"""New weights, by a seed and nothing else."""

import numpy as np

from ttsr_tf.weights.checkpoints import named_variables


def initialise(model, seed):
    """Uniform in ±1/sqrt(fan_in), kernels and biases alike, as the released program starts; zeros
    in the layers that the network has as `zero_at_start`. The vectors of spectral normalization,
    whose direction alone counts, come last: the rest is as without it.

    Args:
        model: a built network or critic, all of whose layers have a kernel and then a bias.
        seed: int, or a sequence of them.
    """
    rng = np.random.default_rng(seed)
    ordered = sorted(
        named_variables(model).items(), key=lambda item: not item[0].endswith(("kernel", "bias"))
    )
    for name, variable in ordered:
        if name.endswith("kernel"):
            bound = np.prod(variable.shape[:-1]) ** -0.5
        variable.assign(rng.uniform(-bound, bound, variable.shape))
    for layer in getattr(model, "zero_at_start", ()):
        layer.set_weights([np.zeros(variable.shape) for variable in layer.weights])
