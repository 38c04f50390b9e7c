"""Trains a network; the run's folder is what `ttsr_tf.upscale --checkpoint` takes.

python -m ttsr_tf.train --flagfile=configs/ttsr.flags

The same command again goes on with a run that was interrupted.
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import os

import keras
from absl import flags

from ttsr_tf import checkpoints, pairs, run_folder, strategies, validation, vgg
from ttsr_tf.adam import Adam
from ttsr_tf.critic import Critic
from ttsr_tf.errors import InputError
from ttsr_tf.gan import GAN
from ttsr_tf.loop import Loop, Plan
from ttsr_tf.losses import LossWeights
from ttsr_tf.model import TTSR
from ttsr_tf.stopping import StopRequest
from ttsr_tf.summaries import Summaries
from ttsr_tf.training_state import TrainingState

CONSTANT, COSINE = "none", "cosine"
FLOAT32 = "float32"

_RUN_DIR = flags.DEFINE_string("run_dir", None, "Where the run's files go.", required=True)
_DATASET = flags.DEFINE_enum(
    "dataset", pairs.CUFED5, [pairs.CUFED5, pairs.FOLDER, pairs.SAMPLE], "What to train on."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "A folder with input/NAME and ref/NAME, or where TFDS built its set."
)
_CACHE_GB = flags.DEFINE_float("cache_gb", 4, "Of decoded pictures in memory.", lower_bound=0)
_SKIP_CORRUPT = flags.DEFINE_bool("skip_corrupt", False, "Go on without unreadable pictures.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 9, "Pairs of a step.", lower_bound=1)
_CROP_SIZE = flags.DEFINE_integer("crop_size", 160, "Side of the pictures.", lower_bound=32)
_MAX_STEPS = flags.DEFINE_integer("max_steps", None, "Steps.", lower_bound=1, required=True)
_WARM_UP_STEPS = flags.DEFINE_integer("warm_up_steps", 2638, "Reconstruction only.", lower_bound=0)
_CRITIC_STEPS = flags.DEFINE_integer("critic_steps", 2, "For one of the generator.", lower_bound=1)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", 1e-4, "Of the backbone; the texture extractor's is a tenth.", lower_bound=0
)
_CRITIC_LEARNING_RATE = flags.DEFINE_float("critic_learning_rate", 1e-4, "", lower_bound=0)
_DECAY = flags.DEFINE_enum(
    "learning_rate_decay", CONSTANT, [CONSTANT, COSINE], "Of all rates, over the whole run."
)
_WEIGHTS = {
    name: flags.DEFINE_float(f"{name}_weight", default, "Of this loss; 0: none.", lower_bound=0)
    for name, default in LossWeights()._asdict().items()
}
_WEIGH_BY_CONFIDENCE = flags.DEFINE_bool("weigh_by_confidence", False, "The transferal loss.")
_GRADIENT_CLIP = flags.DEFINE_float("gradient_clip", None, "Bound on the norm.", lower_bound=1e-12)
_EMA = flags.DEFINE_float(
    "ema", None, "Momentum of averaged weights to validate and keep.", lower_bound=0, upper_bound=1
)
_MIXED_PRECISION = flags.DEFINE_enum(
    "mixed_precision", FLOAT32, [FLOAT32, "float16", "bfloat16"], "What layers compute in."
)
_PAIRS_AT_ONCE = flags.DEFINE_integer(
    "pairs_at_once", None, "Of a batch in memory. Default: 1 on CPUs, all on GPUs.", lower_bound=1
)
_SEED = flags.DEFINE_integer("seed", 0, "Of weights, order and augmentation.", lower_bound=0)
_VGG19_WEIGHTS = flags.DEFINE_string(
    "vgg19_weights",
    vgg.IMAGENET,
    "VGG19 for the texture extractor and the perceptual loss: imagenet (Keras fetches it), a path, "
    "or random.",
)
_FINETUNE_FROM = flags.DEFINE_string("finetune_from", None, "Weights to start from (.weights.h5).")
_NUM_RESIDUAL_BLOCKS = flags.DEFINE_list(
    "num_residual_blocks", "16,16,8,4", "Of the shallow features, at ×1, ×2 and ×4."
)
_NUM_FEATURES = flags.DEFINE_integer("num_features", 64, "Channels.", lower_bound=2)
_SUMMARY_EVERY = flags.DEFINE_integer("summary_every", 50, "Steps.", lower_bound=1)
_VALIDATE_EVERY = flags.DEFINE_integer("validate_every", 1319, "Steps.", lower_bound=1)
_MINUTES = flags.DEFINE_float("checkpoint_minutes", 10, "Between two.", lower_bound=0)
_KEEP_CHECKPOINTS = flags.DEFINE_integer("keep_checkpoints", 3, "The last ones.", lower_bound=1)

# What may change when a run goes on; --max_steps too, if the learning rate doesn't depend on it.
_FREE = (
    "cache_gb",
    "pairs_at_once",
    "summary_every",
    "validate_every",
    "checkpoint_minutes",
    "keep_checkpoints",
)


def main():
    strategy = strategies.choose()
    _check_flags()
    strategies.check_batch_size(strategy, _BATCH_SIZE.value)
    keras.utils.set_random_seed(_SEED.value)
    precision = _MIXED_PRECISION.value
    policy = precision if precision == FLOAT32 else f"mixed_{precision}"
    keras.mixed_precision.set_global_policy(policy)
    source = _DATASET.value, _DATA_DIR.value, _CROP_SIZE.value, _SEED.value
    train, held_out = pairs.load(*source, _CACHE_GB.value, _SKIP_CORRUPT.value)
    with strategy.scope():
        gan = _gan()
    if writes := strategies.is_chief(strategy):
        free = _FREE if _DECAY.value == COSINE else (*_FREE, "max_steps")
        run_folder.claim(_RUN_DIR.value, cli.flag_lines(), free)
    state = TrainingState(gan, _RUN_DIR.value, _KEEP_CHECKPOINTS.value)
    state.restore(_MAX_STEPS.value)
    if writes:  # only now: bad input must not change the flags of a run that is there
        run_folder.write_flags(_RUN_DIR.value, cli.flag_lines())
    names = [*gan.reported, "steps_per_second", *validation.NAMES]
    summaries = Summaries(_RUN_DIR.value, names, state.step) if writes else None
    parameters = f"{gan.generator.count_params():,} parameters"
    print(f"{len(train)} pairs, {parameters}, step {state.step}.", flush=True)
    plan = Plan(*(flag.value for flag in (_MAX_STEPS, _SUMMARY_EVERY, _VALIDATE_EVERY, _MINUTES)))
    loop = Loop(strategy, gan, state, plan, _RUN_DIR.value, summaries)
    stream = {flag.name: flag.value for flag in (_CROP_SIZE, _BATCH_SIZE, _SEED)}
    with StopRequest() as stop, strategies.lost_workers_reported(lambda: state.last):
        done = loop.run(train, held_out, stream, stop)
    if train.skipped:
        print(f"Left out, since they can't be read: {', '.join(sorted(train.skipped))}.")
    if scores := loop.scores:
        ours, bicubic = scores["psnr"], scores["psnr_bicubic"]
        print(f"Held-out crops: PSNR {ours:.2f} dB, bicubic {bicubic:.2f} dB.")
    if done:
        use = f"python -m ttsr_tf.upscale --checkpoint={_RUN_DIR.value}"
        print(f"Now: {use} --lr=… --ref=… --output=…")
    else:
        flagfile = os.path.join(_RUN_DIR.value, run_folder.FLAGS)
        print(f"Stopped. To go on: python -m ttsr_tf.train --flagfile={flagfile}")


def _check_flags():
    if _CROP_SIZE.value % 4:
        raise InputError(f"--crop_size={_CROP_SIZE.value} must be a multiple of 4.")
    blocks = _NUM_RESIDUAL_BLOCKS.value
    if len(blocks) != 4 or not all(n.isdecimal() for n in blocks):
        raise InputError(
            f"--num_residual_blocks={','.join(blocks)} must be four numbers, such as 16,16,8,4."
        )
    if _DATASET.value == pairs.SAMPLE and _DATA_DIR.value:
        raise InputError("--data_dir goes with --dataset=folder or tfds_cufed5, not sample.")
    if _trains_fully() and _WEIGHTS["perceptual"].value and _VGG19_WEIGHTS.value == vgg.RANDOM:
        raise InputError(
            "--vgg19_weights=random can't judge pictures: give VGG19's, or --perceptual_weight=0."
        )


def _trains_fully():
    return _WARM_UP_STEPS.value < _MAX_STEPS.value


def _gan():
    """Networks, losses and optimizers."""
    sizes = list(map(int, _NUM_RESIDUAL_BLOCKS.value)), _NUM_FEATURES.value
    if _FINETUNE_FROM.value:
        generator = checkpoints.load_same_size(_FINETUNE_FROM.value, *sizes)
    else:
        generator = TTSR(*sizes)
        generator.build()
        vgg.initialise(generator, _VGG19_WEIGHTS.value)
    critic = features = None
    if _trains_fully() and _WEIGHTS["adversarial"].value:
        critic = Critic(_CROP_SIZE.value)
        critic.build()
    if _trains_fully() and _WEIGHTS["perceptual"].value:
        features = vgg.features(_VGG19_WEIGHTS.value)
    gan = GAN(
        generator,
        critic,
        features,
        LossWeights(**{name: flag.value for name, flag in _WEIGHTS.items()}),
        _WARM_UP_STEPS.value,
        _CRITIC_STEPS.value,
        _GRADIENT_CLIP.value,
        _WEIGH_BY_CONFIDENCE.value,
        _PAIRS_AT_ONCE.value or strategies.pairs_at_once(),
    )
    averaged = {"use_ema": True, "ema_momentum": _EMA.value} if _EMA.value is not None else {}
    gan.compile(
        _adam(_LEARNING_RATE.value, **averaged),
        _adam(_LEARNING_RATE.value / 10, **averaged),
        _adam(_CRITIC_LEARNING_RATE.value, _CRITIC_STEPS.value, beta_1=0.0, beta_2=0.9),
    )
    return gan


def _adam(rate, times=1, **options):
    if _DECAY.value == COSINE:
        rate = keras.optimizers.schedules.CosineDecay(rate, times * _MAX_STEPS.value)
    return Adam(rate, epsilon=1e-8, **options)


if __name__ == "__main__":
    cli.run(main)
