"""Converts weights of the authors' programs, TTSR's (PyTorch) and SRNTT's (TensorFlow 1), or ours
to half their size, or to weights between two.

python -m ttsr_tf.convert --torch_checkpoint=TTSR.pt --output=ttsr.safetensors
python -m ttsr_tf.convert --srntt_models=SRNTT/models/SRNTT --output=srntt.safetensors
python -m ttsr_tf.convert --checkpoint=runs/mini --dtype=float16 --output=mini.safetensors
python -m ttsr_tf.convert --checkpoint=runs/mini_gan --between=ttsr-mini --output=sharp.safetensors
"""

import dataclasses
import os

from ttsr_tf import cli
from ttsr_tf.configuration import REQUIRED, Configuration, choice, number, string, switch
from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder
from ttsr_tf.weights import files, naming

_SOURCES = "torch_checkpoint", "srntt_models", "checkpoint"
_SHARE = 0.8


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertConfig(Configuration):
    """What is converted."""

    torch_checkpoint: str | None = string(None, "TTSR's file, such as TTSR.pt.")
    srntt_models: str | None = string(
        None, "The folder of SRNTT's upscale.npz and srntt.npz, in its repository models/SRNTT."
    )
    init: bool = switch(
        False, "Take srntt_init.npz, trained with the reconstruction loss only, for srntt.npz."
    )
    vgg19_weights: str = string(
        naming.IMAGENET,
        "VGG19, which SRNTT's files are without: imagenet (Keras fetches it), or the path of "
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5.",
    )
    checkpoint: str | None = string(None, naming.MEANING)
    between: str | None = string(
        None,
        "Another one of the same network, such as what `checkpoint` was trained from: the result "
        "is between both, as its pictures are.",
    )
    share: float | None = number(
        None,
        f"Of `checkpoint`, the rest is of `between`; {_SHARE}, if not given.",
        lower_bound=0,
        upper_bound=1,
    )
    dtype: str = choice(
        "float32", "What is written; what it is read as stays float32.", enum_values=files.DTYPES
    )
    output: str = string(REQUIRED, "Where to write the weights; must end in .safetensors.")


def main(config):
    _check(config)
    cli.start_tensorflow()
    from ttsr_tf.weights import checkpoints

    model = _model(config)
    if config.between:
        share = _SHARE if config.share is None else config.share
        checkpoints.interpolate(model, config.between, 1 - share)
    checkpoints.save(model, config.output, dtype=config.dtype)
    print(f"{config.output}: {model.count_params():,} parameters, {checkpoints.arguments(model)}")


def _check(config):
    files.check_name("output", config.output)
    check_folder(os.path.dirname(config.output) or ".")
    if sum(bool(getattr(config, name)) for name in _SOURCES) != 1:
        raise InputError("Give one of `torch_checkpoint`, `srntt_models` and `checkpoint`.")
    if config.init and not config.srntt_models:
        raise InputError("`init` goes with `srntt_models`. Leave it.")
    if config.between and not config.checkpoint:
        raise InputError("`between` goes with `checkpoint`. Give both.")
    if config.share is not None and not config.between:
        raise InputError("`share` goes with `between`. Give both, or leave it.")
    if config.checkpoint:
        files.read_header(naming.path_of(config.checkpoint))
    elif config.srntt_models:
        _check_srntt(config)
    elif not os.path.isfile(config.torch_checkpoint):
        raise InputError(f"{config.torch_checkpoint} is not a file. Check the path.")


def _check_srntt(config):
    if not os.path.isdir(config.srntt_models):
        raise InputError(f"`srntt_models`={config.srntt_models} is not a folder. Check the path.")
    naming.check_vgg19(config.vgg19_weights)
    if config.vgg19_weights == naming.RANDOM:
        raise InputError(
            "`vgg19_weights`=random doesn't go with SRNTT's weights. Give imagenet or a path."
        )


def _model(config):
    from ttsr_tf.weights import checkpoints, released, released_srntt

    if config.checkpoint:
        return checkpoints.load(config.checkpoint)
    if config.srntt_models:
        arrays = released_srntt.read(config.srntt_models, config.init)
        return released_srntt.to_model(arrays, config.vgg19_weights)
    state = released.read(config.torch_checkpoint)
    try:
        return released.to_model(state)
    except InputError as error:
        raise InputError(f"{config.torch_checkpoint}: {error}") from None


if __name__ == "__main__":
    cli.run(ConvertConfig, main)
