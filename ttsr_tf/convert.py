"""Converts weights of the authors' programs: TTSR's (PyTorch), SRNTT's (TensorFlow 1).

python -m ttsr_tf.convert --torch_checkpoint=TTSR.pt --output=ttsr.safetensors
python -m ttsr_tf.convert --srntt_models=SRNTT/models/SRNTT --output=srntt.safetensors
"""

import dataclasses
import os

from ttsr_tf import cli
from ttsr_tf.configuration import REQUIRED, Configuration, string, switch
from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder
from ttsr_tf.weights import files, names


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertConfig(Configuration):
    """What is converted: one of the two."""

    torch_checkpoint: str | None = string(None, "TTSR's file, such as TTSR.pt.")
    srntt_models: str | None = string(
        None, "The folder of SRNTT's upscale.npz and srntt.npz, in its repository models/SRNTT."
    )
    init: bool = switch(
        False, "Take srntt_init.npz, trained with the reconstruction loss only, for srntt.npz."
    )
    vgg19_weights: str = string(
        names.IMAGENET,
        "VGG19, which SRNTT's files are without: imagenet (Keras fetches it), or the path of "
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5.",
    )
    output: str = string(REQUIRED, "Where to write the weights; must end in .safetensors.")


def main(config):
    _check(config)
    cli.start_tensorflow()
    from ttsr_tf.weights import checkpoints

    model = _converted(config)
    checkpoints.save(model, config.output)
    print(f"{config.output}: {model.count_params():,} parameters, {model.get_config()}")


def _check(config):
    files.check_name("output", config.output)
    check_folder(os.path.dirname(config.output) or ".")
    if (config.torch_checkpoint is None) == (config.srntt_models is None):
        raise InputError("Give one of `torch_checkpoint` and `srntt_models`.")
    if config.torch_checkpoint is not None:
        if config.init:
            raise InputError("`init` goes with `srntt_models`. Leave it.")
        if not os.path.isfile(config.torch_checkpoint):
            raise InputError(f"{config.torch_checkpoint} is not a file. Check the path.")
        return
    if not os.path.isdir(config.srntt_models):
        raise InputError(f"`srntt_models`={config.srntt_models} is not a folder. Check the path.")
    names.check_vgg19(config.vgg19_weights)
    if config.vgg19_weights == names.RANDOM:
        raise InputError(
            "`vgg19_weights`=random doesn't go with SRNTT's weights. Give imagenet or a path."
        )


def _converted(config):
    if config.torch_checkpoint is not None:
        from ttsr_tf.weights import released

        return released.to_model(released.read(config.torch_checkpoint))
    from ttsr_tf.weights import released_srntt

    arrays = released_srntt.read(config.srntt_models, config.init)
    return released_srntt.to_model(arrays, config.vgg19_weights)


if __name__ == "__main__":
    cli.run(ConvertConfig, main)
