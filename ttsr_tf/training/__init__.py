"""Training, as published and with variations: `train(TrainingConfig(…))`."""

from ttsr_tf import lazy

__getattr__, __dir__ = lazy.names(
    __name__, {"GAN": "gan", "TrainingConfig": "config", "TrainingResult": "run", "train": "run"}
)
