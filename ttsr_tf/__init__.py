"""Reference-based image super-resolution for TensorFlow and Keras."""

from ttsr_tf import lazy

__version__ = "0.2.0.dev0"

# Imported on first use, so that a command's `--help` does not wait for TensorFlow.
__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "Critic": "models.critic",
        "GAN": "training.gan",
        "InputError": "errors",
        "TTSR": "models.ttsr",
        "Upscaler": "inference.upscaler",
        "evaluation": None,
        "images": None,
        "inference": None,
        "layers": None,
        "load": "inference.upscaler",
        "network_inputs": "images.inputs",
        "training": None,
        "weights": None,
    },
)
