"""Which picture goes where, found before the work begins."""

import os
from typing import NamedTuple

from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder
from ttsr_tf.images import files


class Jobs(NamedTuple):
    """Paths.

    Attributes:
        lr: list of the small pictures.
        refs: list of the references, which serve all of them.
        outputs: list of the large pictures, one for each of `lr`.
    """

    lr: list
    refs: list
    outputs: list


def of(config):
    """The `Jobs` of an `UpscaleConfig`.

    Raises:
        InputError: something that isn't there, isn't a picture, or can't be written.
    """
    lr = files.listed(config.lr)
    refs = [path for given in config.ref for path in files.listed(given)]
    for path in refs:
        files.header(path)
    return Jobs(lr, refs, _outputs(config, lr, refs))


def _outputs(config, lr, refs):
    inputs = [*lr, *refs, config.checkpoint]
    if not os.path.isdir(config.lr):
        header = files.header(config.lr)
        size = 4 * header.height, 4 * header.width
        files.check_output(config.output, inputs, header.transparent, size=size)
        if config.attention_map:
            files.check_output(config.attention_map, [*inputs, config.output])
        return [config.output]
    if config.attention_map:
        raise InputError("`attention_map` goes with one picture, and `lr` is a folder.")
    names = [f"{os.path.splitext(os.path.basename(path))[0]}.png" for path in lr]
    if len(set(names)) < len(names):
        raise InputError(f"{config.lr} has names that differ only in their ending. Rename them.")
    outputs = [os.path.join(config.output, name) for name in names]
    if os.path.isfile(config.output):
        raise InputError(f"`output`={config.output} is a file, and `lr` a folder. Give a folder.")
    if not os.path.isdir(config.output):
        if files.is_picture(config.output):
            raise InputError(
                f"`output`={config.output} is a picture's name, and `lr` a folder. Give a folder's."
            )
        check_folder(os.path.dirname(os.path.abspath(config.output)))
        return outputs
    check_folder(config.output)
    files.check_unused(outputs, inputs)
    if folders := list(filter(os.path.isdir, outputs)):
        raise InputError(f"{folders[0]} is a folder, and would be a picture. Rename it.")
    return outputs
