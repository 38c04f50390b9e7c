"""What a training can be told, and what of it can be judged without TensorFlow."""

import dataclasses

from ttsr_tf import compat
from ttsr_tf.configuration import (
    REQUIRED,
    Configuration,
    choice,
    integer,
    integers,
    number,
    string,
    switch,
)
from ttsr_tf.data import pairs
from ttsr_tf.errors import InputError
from ttsr_tf.images import degradation
from ttsr_tf.models import MODELS, NONE, NORMALIZATIONS, OPTIONS, SPECTRAL
from ttsr_tf.training import run_folder
from ttsr_tf.weights import files, naming

CONSTANT, COSINE, PIECEWISE = "constant", "cosine", "piecewise"
FLOAT32 = "float32"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(Configuration):
    """A training; the defaults are the paper's TTSR, each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    run_dir: str = string(REQUIRED, "Where the run's files go.")
    model: str = choice("ttsr", "The network.", enum_values=list(MODELS))
    dataset: str = choice(
        pairs.CUFED5, "What to train on.", enum_values=[pairs.CUFED5, pairs.FOLDER, pairs.SAMPLE]
    )
    data_dir: str | None = string(
        None, "A folder with input/NAME and ref/NAME, or where TFDS built its set."
    )
    cache_gb: float = number(
        4, "Of decoded pictures in memory, GiB.", lower_bound=0, changeable=True
    )
    skip_corrupt: bool = switch(False, "Go on without unreadable pictures.")
    batch_size: int = integer(9, "Pairs of a step, of all devices together.", lower_bound=1)
    crop_size: int = integer(160, "Side of the pictures, pixels.", lower_bound=32)
    degradation: str = choice(
        degradation.BICUBIC,
        "How LR is made; realistic: with a blur before, noise and JPEG after.",
        enum_values=degradation.KINDS,
    )
    max_steps: int = integer(REQUIRED, "Steps in all.", lower_bound=1)
    pretrain_steps: int = integer(
        2638,
        "Of these, the first with the reconstruction loss only. SRNTT's train its single-image "
        "path, which then stays as it is.",
        lower_bound=0,
    )
    reconstruction_steps: int = integer(
        0, "After those, further ones with that loss, of the whole network.", lower_bound=0
    )
    critic_steps: int = integer(2, "For one of the generator.", lower_bound=1)
    critic_normalization: str = choice(
        NONE, "Of the critic's kernels; the paper has none.", enum_values=NORMALIZATIONS
    )
    learning_rate: float = number(
        1e-4, "Of the backbone; the texture extractor's is a tenth.", lower_bound=0
    )
    critic_learning_rate: float = number(1e-4, "Of the critic.", lower_bound=0)
    learning_rate_schedule: str = choice(
        CONSTANT,
        "Of all rates, over the whole run; piecewise: a tenth from half of it on.",
        enum_values=[CONSTANT, COSINE, PIECEWISE],
    )
    reconstruction_weight: float = number(1.0, "Of this loss; 0: none.", lower_bound=0)
    perceptual_weight: float = number(1e-2, "Of this loss; 0: none.", lower_bound=0)
    transferal_weight: float = number(1e-2, "Of this loss; 0: none.", lower_bound=0)
    adversarial_weight: float = number(1e-3, "Of this loss; 0: none.", lower_bound=0)
    weigh_by_confidence: bool = switch(False, "The transferal loss.")
    back_projection_weight: float = number(
        0.0, "Of how the result made small differs from LR; 0: none.", lower_bound=0
    )
    global_clipnorm: float | None = number(
        None, "Bound on the norm of the gradient of all weights.", lower_bound=1e-12
    )
    ema_momentum: float | None = number(
        None, "Of averaged weights to validate and keep.", lower_bound=0, upper_bound=1
    )
    mixed_precision: str = choice(
        FLOAT32, "What layers compute in.", enum_values=[FLOAT32, "float16", "bfloat16"]
    )
    micro_batch_size: int | None = integer(
        None,
        "Pairs of a batch in memory at once. Default: all on GPUs; on CPUs as many as take no more "
        "than one pair of the paper's network.",
        lower_bound=1,
        changeable=True,
    )
    seed: int = integer(0, "Of weights, order and augmentation.", lower_bound=0)
    vgg19_weights: str = string(
        naming.IMAGENET,
        "VGG19 for the texture extractor and the perceptual loss: imagenet (Keras fetches it), a "
        "path, or random.",
    )
    finetune_from: str | None = string(None, "Weights to start from: a file or a run's folder.")
    num_residual_blocks: tuple[int, ...] = integers(
        (16, 16, 8, 4), "Of the shallow features, at ×1, ×2 and ×4.", length=4
    )
    num_features: int = integer(64, "Channels.", lower_bound=2)
    residual: bool = switch(False, "Whether the network's output is added to the enlarged LR.")
    alignment: bool = switch(
        False, "Whether matches are shifted by up to 2 pixels to where the pictures agree best."
    )
    reference: bool = switch(True, "Whether TTSR uses textures of the reference.")
    soft_attention: bool = switch(True, "Whether they count as far as they match.")
    cross_scale: bool = switch(True, "Whether TTSR's scales exchange their features (CSFI).")
    transposed_vgg19: bool = switch(
        False, "Whether VGG19's kernels are transposed, as SRNTT's released weights need it."
    )
    extractor_scale: float = number(
        1.0,
        "What VGG19's maps are multiplied by as the texture extractor's first ones; what matches "
        "doesn't depend on it. With 0.1 they are about as large as a new backbone's.",
        lower_bound=1e-6,
    )
    train_extractor: bool = switch(True, "Whether the texture extractor learns, too.")
    summary_every: int = integer(50, "Steps.", lower_bound=1, changeable=True)
    validate_every: int = integer(1319, "Steps.", lower_bound=1, changeable=True)
    checkpoint_minutes: float = number(
        10, "Between two checkpoints.", lower_bound=0, changeable=True
    )
    keep_checkpoints: int = integer(3, "The last ones.", lower_bound=1, changeable=True)

    @property
    def model_config(self):
        """The arguments of the network's class."""
        names = "num_residual_blocks", "num_features", *OPTIONS.get(self.model, ())
        return {name: getattr(self, name) for name in names}

    @property
    def trains_fully(self):
        """Whether the other losses follow upon the reconstruction's."""
        return self.pretrain_steps + self.reconstruction_steps < self.max_steps

    @property
    def changeable(self):
        """Names of the fields that may be given otherwise when the run goes on."""
        marked = [f.name for f in dataclasses.fields(self) if f.metadata["changeable"]]
        # A decaying rate depends on where it ends.
        return [*marked, "max_steps"] if self.learning_rate_schedule == CONSTANT else marked


def check(config):
    """Finds what would make a training fail, before TensorFlow is there.

    Args:
        config: a `TrainingConfig`.

    Raises:
        InputError: values that don't go together, files that aren't there, a run with others.
    """
    _check_options(config)
    if config.degradation != degradation.BICUBIC and config.back_projection_weight:
        raise InputError(
            f"`back_projection_weight` goes with `degradation`={degradation.BICUBIC}, not "
            f"{config.degradation}, which has noise that the result must not have. Leave it."
        )
    if config.crop_size % 4:
        raise InputError(f"`crop_size`={config.crop_size} must be a multiple of 4.")
    if config.trains_fully and config.adversarial_weight and config.crop_size % 32:
        raise InputError(
            f"`crop_size`={config.crop_size} must be a multiple of 32, which the critic needs; or "
            "give `adversarial_weight`=0."
        )
    if config.train_extractor and not config.reference:
        raise InputError(
            "Without `reference`, `train_extractor` has nothing to learn. Switch it off."
        )
    if config.critic_normalization == SPECTRAL:
        compat.check_spectral_normalization()
    naming.check_vgg19(config.vgg19_weights)
    if config.trains_fully and config.perceptual_weight and config.vgg19_weights == naming.RANDOM:
        raise InputError(
            "`vgg19_weights`=random can't judge pictures: give VGG19's, or `perceptual_weight`=0."
        )
    if config.finetune_from:
        path = naming.path_of(config.finetune_from)
        there, wanted = files.read_header(path), files.Header(config.model, config.model_config)
        if there != wanted:
            raise InputError(
                f"{path} is of {there.model} with {there.config}, not {wanted.model} with "
                f"{wanted.config}. Give the same values."
            )
    pairs.check(config.dataset, config.data_dir)
    run_folder.check(config)


def _check_options(config):
    """Raises InputError if an option of other networks is given."""
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    for model, names in OPTIONS.items():
        for name in names:
            if model != config.model and getattr(config, name) != defaults[name]:
                raise InputError(
                    f"`{name}` goes with `model`={model}, not {config.model}. Leave it."
                )
