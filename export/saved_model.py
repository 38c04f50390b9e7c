"""Writes a network as a SavedModel, which TF Serving and other runtimes load without this package.

python -m export.saved_model --checkpoint=ttsr.weights.h5 --output_dir=models/ttsr
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import os

import tensorflow as tf
from absl import flags

from export import model_card, photographs, verification, versions, warmup
from export.graph import Served
from export.limits import Limits
from ttsr_tf.errors import InputError
from ttsr_tf.inference import memory
from ttsr_tf.weights import checkpoints

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Weights (.weights.h5) or a run folder.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "The model's folder, which its clients call it by; a numbered version is added to it.",
    required=True,
)
_MAX_LR_PIXELS = flags.DEFINE_integer(
    "max_lr_pixels",
    256 * 256,
    "Height times width of the largest LR; larger ones are refused.",
    lower_bound=40 * 40,
)
_MAX_REF_PIXELS = flags.DEFINE_integer(
    "max_ref_pixels",
    1024 * 1024,
    "Height times width of the largest reference; larger ones are refused.",
    lower_bound=160 * 160,
)
_VERIFY = flags.DEFINE_bool(
    "verify", True, "Compare the written model with the checkpoint on photographs."
)
_WARMUP = flags.DEFINE_bool(
    "warmup", True, "Write requests that TF Serving warms up with; needs the extra `serving`."
)


def main():
    tf.get_logger().setLevel("ERROR")  # it would call the loader that servers use deprecated
    limits = Limits(_MAX_LR_PIXELS.value, _MAX_REF_PIXELS.value)
    if _WARMUP.value:
        warmup.protocol()
    pairs = photographs.pairs(limits) if _WARMUP.value or _VERIFY.value else []
    model = checkpoints.load(_CHECKPOINT.value)
    with versions.aside(_OUTPUT_DIR.value) as folder:
        try:
            _write(folder, model, limits, pairs)
        except (tf.errors.OpError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"Can't write to {_OUTPUT_DIR.value} ({reason}).") from None
        if _VERIFY.value:
            verification.verify(folder, model, pairs)
        path = versions.publish(folder, _OUTPUT_DIR.value)
    _report(path, limits, len(pairs))


def _write(folder, model, limits, pairs):
    served = Served(model, limits)
    # Nobody trains through it; its gradients would double the file and take most of the time.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(served, folder, served.signatures(), options)
    if _WARMUP.value:
        name = os.path.basename(os.path.abspath(_OUTPUT_DIR.value))
        warmup.write(folder, name, pairs)
    model_card.write(
        folder,
        model,
        limits,
        checkpoint_sha256=checkpoints.sha256(_CHECKPOINT.value),
        flags={
            flag.name: flag.value
            for flag in (
                _CHECKPOINT,
                _OUTPUT_DIR,
                _MAX_LR_PIXELS,
                _MAX_REF_PIXELS,
                _VERIFY,
                _WARMUP,
            )
        },
    )


def _report(path, limits, pairs):
    if _VERIFY.value:
        print(f"Equal to the checkpoint on {pairs} pairs of photographs, by both signatures.")
    memory = memory.memory((1, limits.lr), [(1, limits.ref)]) / 2**30
    print(
        f"A request of the most pixels, {limits.lr:,} of LR and {limits.ref:,} of the reference, "
        f"takes about {memory:.1f} GiB."
    )
    print(f"{path} written.")


if __name__ == "__main__":
    cli.run(main)
