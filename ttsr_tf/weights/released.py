"""The authors' PyTorch checkpoints: their arrays, and the network that they describe."""

import os
import re

import numpy as np

from ttsr_tf.errors import InputError, first_of
from ttsr_tf.layers.vgg19 import MEAN, STD
from ttsr_tf.models.ttsr import TTSR


def read(path):
    """The arrays of a torch checkpoint; no code in it is run (`weights_only=True`).

    Args:
        path: file name.

    Returns:
        A dict from name to float32 array.

    Raises:
        InputError: no torch, no such file, or not a file of plain tensors.
    """
    try:
        import torch
    except ImportError:
        raise InputError("Converting needs PyTorch: pip install 'ttsr-tf[convert]'.") from None
    if not os.path.isfile(path):
        raise InputError(f"{path} is not a file. Check the path.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises whatever unpickling meets
        # Without its text, which advises to let the file run code.
        raise InputError(
            f"{path} can't be read: it must be a torch checkpoint of plain tensors. Is it whole?"
        ) from None
    if not isinstance(state, dict) or not all(torch.is_tensor(x) for x in state.values()):
        raise InputError(f"{path} must hold a dict of tensors, as the released files do.")
    return {str(name): x.detach().float().numpy() for name, x in state.items()}


def to_model(state):
    """The model that a checkpoint's arrays describe.

    Args:
        state: dict from the released program's names to arrays; a `module.` prefix and
            `LTE_copy.` arrays are ignored.

    Returns:
        A built `TTSR`.

    Raises:
        InputError: naming an array that is missing, extra, misshapen or not finite.
    """
    state = {name.removeprefix("module."): x for name, x in state.items()}
    state = {name: x for name, x in state.items() if not name.startswith("LTE_copy.")}
    model = TTSR(**_sizes(state))
    model.build()
    _check_normalisation(state)
    for name, layer in torch_layers(model).items():
        shuffled = layer in (model.enlarge_x2.conv, model.enlarge_x4.conv)
        height, width, channels, filters = layer.kernel.shape
        kernel = _taken(state, f"{name}.weight", (filters, channels, height, width))
        bias = _taken(state, f"{name}.bias", layer.bias.shape)
        if shuffled:
            kernel, bias = _pixel_shuffle_order(kernel), _pixel_shuffle_order(bias)
        layer.set_weights([kernel.transpose(2, 3, 1, 0), bias])
    if state:
        raise InputError(
            f"The checkpoint has arrays that TTSR has not: {first_of(sorted(state), most=5)}."
        )
    return model


def torch_layers(model):
    """The released program's name of every convolution: a dict from name to layer."""
    extractor = model.texture_extractor
    names = {
        "LTE.slice1.0": extractor.conv1_1,
        "LTE.slice2.2": extractor.conv1_2,
        "LTE.slice2.5": extractor.conv2_1,
        "LTE.slice3.7": extractor.conv2_2,
        "LTE.slice3.10": extractor.conv3_1,
        "MainNet.SFE.conv_head": model.head,
        "MainNet.conv11_head": model.fuse_x1.conv,
        "MainNet.conv12": model.enlarge_x2.conv,
        "MainNet.conv22_head": model.fuse_x2.conv,
        "MainNet.conv23": model.enlarge_x4.conv,
        "MainNet.conv33_head": model.fuse_x4.conv,
        "MainNet.merge_tail.conv13": model.tail_x1.conv,
        "MainNet.merge_tail.conv23": model.tail_x2.conv,
        "MainNet.merge_tail.conv_merge": model.tail[0],
        "MainNet.merge_tail.conv_tail1": model.tail[1],
        "MainNet.merge_tail.conv_tail2": model.tail[2],
    }
    stacks = {
        ("SFE.RBs", "SFE.conv_tail"): model.shallow,
        ("RB11", "conv11_tail"): model.refine_1,
        **{(f"RB2{i}", f"conv2{i}_tail"): model.refine_12[i - 1] for i in (1, 2)},
        **{(f"RB3{i}", f"conv3{i}_tail"): model.refine_124[i - 1] for i in (1, 2, 3)},
    }
    for (blocks, tail), stack in stacks.items():
        for i, block in enumerate(stack.blocks):
            names[f"MainNet.{blocks}.{i}.conv1"] = block.conv1
            names[f"MainNet.{blocks}.{i}.conv2"] = block.conv2
        names[f"MainNet.{tail}"] = stack.tail
    for prefix, exchange in (("ex12", model.exchange_12), ("ex123", model.exchange_124)):
        for layer in exchange.exchanges:
            # up01 brings scale 1 to 2 in the released program's counting from 1.
            move = "".join(str(int(digit) + 1) for digit in layer.name[-2:])
            if layer.name.startswith("up"):
                names[f"MainNet.{prefix}.conv{move}"] = layer.conv
            elif len(layer.convs) == 1:
                names[f"MainNet.{prefix}.conv{move}"] = layer.convs[0]
            else:
                for i, conv in enumerate(layer.convs):
                    names[f"MainNet.{prefix}.conv{move}_{i + 1}"] = conv
        for i, merge in enumerate(exchange.merges):
            names[f"MainNet.{prefix}.conv_merge{i + 1}"] = merge
    return names


def _sizes(state):
    blocks = []
    for stack in ("SFE.RBs", "RB11", "RB21", "RB31"):
        numbers = [re.match(rf"MainNet\.{stack}\.(\d+)\.", name) for name in state]
        blocks.append(1 + max((int(n[1]) for n in numbers if n), default=-1))
    head = state.get("MainNet.SFE.conv_head.weight")
    if head is None:
        raise InputError(
            "The checkpoint has no array MainNet.SFE.conv_head.weight: it is not a TTSR network."
        )
    return {"num_residual_blocks": blocks, "num_features": head.shape[0]}


def _taken(state, name, shape):
    array = state.pop(name, None)
    if array is None:
        raise InputError(f"The checkpoint has no array {name}. Is the file whole?")
    if array.shape != tuple(shape):
        raise InputError(f"{name} must have the shape {list(shape)}, got {list(array.shape)}.")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds numbers that are not finite. Is the file whole?")
    return np.float32(array)


def _check_normalisation(state):
    weight = _taken(state, "LTE.sub_mean.weight", (3, 3, 1, 1))
    bias = _taken(state, "LTE.sub_mean.bias", (3,))
    expected = np.diag(1 / np.float32(STD)), -np.float32(MEAN) / np.float32(STD)
    # float16 files hold them to three digits
    if not (
        np.allclose(weight[..., 0, 0], expected[0], rtol=1e-3)
        and np.allclose(bias, expected[1], rtol=1e-3)
    ):
        raise InputError("LTE.sub_mean.weight and .bias are not the ImageNet normalisation.")


def _pixel_shuffle_order(array):
    """Output channels c·4 + offset, as torch shuffles them, to offset·C + c, as TensorFlow does."""
    return array.reshape(-1, 4, *array.shape[1:]).swapaxes(0, 1).reshape(array.shape)
