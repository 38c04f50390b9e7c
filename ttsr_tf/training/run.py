"""A training from its configuration to its run's folder."""

from typing import NamedTuple

import keras
import tensorflow as tf

from ttsr_tf.data import pairs
from ttsr_tf.data.batches import Stream
from ttsr_tf.files import make_folder
from ttsr_tf.models import model_class
from ttsr_tf.models.critic import Critic
from ttsr_tf.training import config as configs
from ttsr_tf.training import distribution, run_folder, validation
from ttsr_tf.training.gan import GAN
from ttsr_tf.training.loop import Loop, Plan
from ttsr_tf.training.losses import LossWeights
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.training.schedule import Schedule
from ttsr_tf.training.state import TrainingState
from ttsr_tf.training.summaries import Summaries
from ttsr_tf.weights import checkpoints, vgg19
from ttsr_tf.weights.initial import initialise


class TrainingResult(NamedTuple):
    """How a training ended.

    Attributes:
        run_dir: its folder, which `ttsr_tf.load` takes.
        done: whether all steps are; if not, somebody wanted to stop.
        scores: of the last validation, a dict: `psnr`, `psnr_bicubic` (dB), `ssim`,
            `ssim_bicubic`; None if there was none.
        skipped: names of pairs that could not be read, sorted.
    """

    run_dir: str
    done: bool
    scores: dict[str, float] | None
    skipped: list[str]


def train(
    config: configs.TrainingConfig,
    strategy: tf.distribute.Strategy | None = None,
    stop: object = None,
) -> TrainingResult:
    """Trains, or goes on with the run that is in the folder.

    Args:
        config: a `TrainingConfig`.
        strategy: a `tf.distribute.Strategy`, made before any operation; default: all GPUs of this
            machine, or its CPU.
        stop: an object whose `requested` becomes true when the training shall save and end.

    Returns:
        A `TrainingResult`.

    Raises:
        InputError: what can't be used, by name; a loss that isn't finite; a full disk.
    """
    configs.check(config)
    strategy = strategy or distribution.choose()
    distribution.check_batch_size(strategy, config.batch_size)
    trained_on, validated_on = pairs.load(
        config.dataset,
        config.data_dir,
        crop_size=config.crop_size,
        seed=config.seed,
        cache_gb=config.cache_gb,
        skip_corrupt=config.skip_corrupt,
    )
    with strategy.scope():
        gan = _gan(config)
    writes = distribution.is_chief(strategy)
    if writes:
        make_folder(config.run_dir, "run_dir")
    state = TrainingState(gan, config.run_dir, config.keep_checkpoints)
    state.restore(config.max_steps)
    if writes:  # only now: bad input must not change the flags of a run that is there
        run_folder.write_flags(config)
    names = [*gan.reported, "steps_per_second", *validation.NAMES]
    summaries = Summaries(config.run_dir, names, state.step) if writes else None
    parameters = f"{gan.generator.count_params():,} parameters"
    counts = f"{len(trained_on)} pairs to train on, {len(validated_on)} to validate on"
    print(f"{counts}, {parameters}, step {state.step}.", flush=True)
    plan = Plan(
        config.max_steps, config.summary_every, config.validate_every, config.checkpoint_minutes
    )
    loop = Loop(strategy, gan, state, plan=plan, run_dir=config.run_dir, summaries=summaries)
    stream = Stream(
        config.crop_size, config.batch_size, config.seed, config.critic_steps, config.degradation
    )
    with distribution.lost_workers_reported(strategy, lambda: state.last):
        done = loop.run(trained_on, validated_on, stream, stop=stop)
    return TrainingResult(config.run_dir, done, loop.scores, sorted(trained_on.skipped))


def _gan(config):
    """Networks, losses and optimizers."""
    precision = config.mixed_precision
    policy = precision if precision == configs.FLOAT32 else f"mixed_{precision}"
    generator = model_class(config.model)(**config.model_config, dtype=policy)
    generator.build()
    if config.finetune_from:
        checkpoints.load_into(generator, config.finetune_from)
    else:
        initialise(generator, [config.seed, 0])
        vgg19.initialise(generator.texture_extractor, config.vgg19_weights, config.extractor_scale)
    generator.texture_extractor.trainable = config.train_extractor
    critic = features = None
    if config.trains_fully and config.adversarial_weight:
        critic = Critic(config.crop_size, config.critic_normalization)
        critic.build()
        initialise(critic, [config.seed, 1])
    if config.trains_fully and config.perceptual_weight:
        features = vgg19.features(config.vgg19_weights)
    weights = LossWeights(
        config.reconstruction_weight,
        config.perceptual_weight,
        config.transferal_weight,
        config.adversarial_weight,
        config.weigh_by_confidence,
        config.back_projection_weight,
    )
    schedule = Schedule(
        config.pretrain_steps,
        config.critic_steps,
        config.micro_batch_size
        or distribution.micro_batch_size(config.crop_size, config.num_features),
        config.global_clipnorm,
        config.reconstruction_steps,
    )
    gan = GAN(generator, critic, features, weights=weights, schedule=schedule)
    _compile(gan, config)
    return gan


def _compile(gan, config):
    """Gives every part its optimizer, with a rate that follows its own updates."""
    rate, averaged = config.learning_rate, {}
    if config.ema_momentum is not None:
        averaged = {"use_ema": True, "ema_momentum": config.ema_momentum}
    pretrained = min(config.pretrain_steps, config.max_steps) if gan.generator.pretrained else 0
    updates = len(gan.ways) * (config.max_steps - pretrained)
    of_critic = {"beta_1": 0.0, "beta_2": 0.9}
    gan.compile(
        _adam(config, rate, updates, **averaged),
        _adam(config, rate / 10, updates, **averaged),
        _adam(config, config.critic_learning_rate, config.critic_steps * updates, **of_critic),
        pretrained_optimizer=_adam(config, rate, pretrained) if gan.generator.pretrained else None,
    )


def _adam(config, rate, updates, **options):
    """Adam whose rate falls over a number of updates, if it does."""
    if config.learning_rate_schedule == configs.COSINE:
        rate = keras.optimizers.schedules.CosineDecay(rate, max(updates, 1))
    elif config.learning_rate_schedule == configs.PIECEWISE:
        # A rate holds up to its boundary, which an update counted from 0 must be beyond.
        boundary = updates // 2 - 1
        rate = keras.optimizers.schedules.PiecewiseConstantDecay([boundary], [rate, rate / 10])
    return Adam(rate, epsilon=1e-8, **options)
