"""An export from its configuration to a numbered folder."""

import dataclasses
import os

import tensorflow as tf

from ttsr_tf import inference
from ttsr_tf.errors import InputError
from ttsr_tf.files import sha256
from ttsr_tf.inference import memory
from ttsr_tf.weights import naming

from ..graph.limits import Limits
from ..graph.serving_module import ServingModule
from . import config as configs
from . import model_card, photographs, verification, versions


def export_saved_model(config: configs.SavedModelConfig) -> str:
    """Writes a network as a SavedModel, and says what a request will take.

    Args:
        config: a `SavedModelConfig`.

    Returns:
        The path of the version, such as models/ttsr/1.

    Raises:
        InputError: what can't be used, by name; a full disk; a model whose results differ from the
            checkpoint's.
    """
    configs.check(config)
    limits = Limits(config.max_lr_pixels, config.max_ref_pixels)
    pairs = photographs.pairs(limits) if config.warmup or config.verify else []
    upscaler = inference.load(config.checkpoint, precision=config.precision)
    with versions.aside(config.output_dir) as folder:
        try:
            _write(folder, config, upscaler, limits=limits, pairs=pairs)
        except (tf.errors.OpError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"Can't write to {config.output_dir} ({reason}).") from None
        if config.verify:
            share = verification.verify(folder, upscaler, pairs)
            but = f", but for the rounding of {share:.4%} of the values" if share else ""
            print(
                f"Equal to the checkpoint on {len(pairs)} pairs of photographs, by both "
                f"signatures{but}."
            )
        path = versions.publish(folder, config.output_dir)
    gib = memory.needed(upscaler.model, (1, limits.lr), [(1, limits.ref)]) / 2**30
    print(
        f"A request of the most pixels, {limits.lr:,} of LR and {limits.ref:,} of the reference, "
        f"takes about {gib:.1f} GiB."
    )
    print(f"{path} written.")
    return path


def _write(folder, config, upscaler, *, limits, pairs):
    module = ServingModule(upscaler, limits)
    # Nobody trains through it; its gradients would double the file and take most of the time.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, folder, module.signatures(), options)
    if config.warmup:
        from . import warmup  # needs an extra

        name = os.path.basename(os.path.abspath(config.output_dir))
        warmup.write(folder, name, pairs)
    model_card.write(
        folder,
        upscaler.model,
        limits,
        checkpoint_sha256=sha256(naming.path_of(config.checkpoint)),
        flags=dataclasses.asdict(config),
    )
