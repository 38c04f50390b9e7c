"""What a step of the training consists of."""

from typing import NamedTuple

PHASES = PRETRAIN, RECONSTRUCTION, FULL = "pretrain", "reconstruction", "full"


class Schedule(NamedTuple):
    """How a step is made.

    Attributes:
        pretrain_steps: steps with the reconstruction loss only, of what the network pretrains if it
            does, otherwise of all of it.
        reconstruction_steps: further ones of all of it.
        critic_steps: steps of the critic for one of the generator.
        micro_batch_size: how many pairs' activations are in memory at once; None: a batch's. The
            gradient is the whole batch's all the same.
        global_clipnorm: bound on the norm of the generator's gradient and of the critic's, or None.
    """

    pretrain_steps: int = 2 * 1319
    critic_steps: int = 2
    micro_batch_size: int | None = None
    global_clipnorm: float | None = None
    reconstruction_steps: int = 0

    def phase(self, done):
        """Which of `PHASES` the next step is of, after a number of steps."""
        if done < self.pretrain_steps:
            return PRETRAIN
        return RECONSTRUCTION if done < self.pretrain_steps + self.reconstruction_steps else FULL


PUBLISHED = Schedule()
