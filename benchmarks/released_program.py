"""The authors' program, from a checkout at $RELEASED, as `cold_start` and `train_step` measure it.

It is only run, with random weights in the place of torchvision's VGG19, which need no download.
"""

import itertools
import logging
import os
import statistics
import sys
import time
import types

from process_memory import peak

_WEIGHTS = {"per_w": 1e-2, "tpl_w": 1e-2, "adv_w": 1e-3}  # of the losses, as published


def _network(**options):
    """The authors' network with random weights, their options, and torch."""
    import torch

    def vgg19(pretrained):
        layers, inputs = [], 3
        for width, count in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
            for _ in range(count):
                layers += [torch.nn.Conv2d(inputs, width, 3, padding=1), torch.nn.ReLU()]
                inputs = width
            layers.append(torch.nn.MaxPool2d(2))
        return types.SimpleNamespace(features=layers)

    vision = types.ModuleType("torchvision")
    vision.models, vision.utils = types.SimpleNamespace(vgg19=vgg19), types.ModuleType("utils")
    sys.modules |= {"torchvision": vision, "torchvision.utils": vision.utils}
    sys.path.insert(0, os.environ["RELEASED"])
    sys.argv = ["main.py", "--cpu=true", *(f"--{name}={value}" for name, value in options.items())]
    from model.TTSR import TTSR
    from option import args

    return torch, TTSR(args), args


def picture(folder, phases):
    """A picture twice, the second one warm.

    Args:
        folder: has lr.png and ref.png.
        phases: as of `cold_start`; it is returned.
    """
    import numpy as np
    import PIL.Image

    torch, network, _ = _network()
    phases.end("import, network")

    def tensor(picture, width=None, height=None):
        picture = picture.resize((width, height), PIL.Image.BICUBIC) if width else picture
        values = np.asarray(picture, np.float32).transpose(2, 0, 1)[None]
        return torch.from_numpy(values / 127.5 - 1)

    lr, ref = (PIL.Image.open(os.path.join(folder, f"{name}.png")) for name in ("lr", "ref"))
    width, height = (n // 4 * 4 for n in ref.size)
    ref = ref.crop((0, 0, width, height))
    down = ref.resize((width // 4, height // 4), PIL.Image.BICUBIC)
    inputs = {"lrsr": tensor(lr, 4 * lr.width, 4 * lr.height), "refsr": tensor(down, *ref.size)}
    for name in ("first picture", "second picture"):
        with torch.no_grad():
            network(lr=tensor(lr), ref=tensor(ref), **inputs)
        phases.end(name)
    return phases


def train(side, batch_size, steps, *, full):
    """Some training steps of one kind.

    Args:
        side: of HR and of its reference, pixels.
        steps: their number.
        full: whether with all losses, or with the reconstruction loss alone.

    Returns:
        list of the steps' seconds.
    """
    torch, network, args = _network(**(_WEIGHTS if full else {}))
    torch.optim.Adam = _adam(torch.optim.Adam)
    from loss.loss import get_loss_dict
    from trainer import Trainer

    sides = dict.fromkeys(("LR_sr", "HR", "Ref", "Ref_sr"), side) | {"LR": side // 4}
    starts = []

    def batches():
        for _ in range(steps):
            batch = {name: torch.rand(batch_size, 3, n, n) * 2 - 1 for name, n in sides.items()}
            starts.append(time.perf_counter())
            yield batch
        starts.append(time.perf_counter())

    logger = logging.getLogger("released")
    trainer = Trainer(args, logger, {"train": batches()}, network, get_loss_dict(args, logger))
    trainer.train(current_epoch=1, is_init=not full)
    return [after - before for before, after in itertools.pairwise(starts)]


def _adam(of_torch):
    """PyTorch 2 refuses the whole number that is the critic's first beta."""

    def adam(parameters, betas, **kwargs):
        return of_torch(parameters, betas=tuple(map(float, betas)), **kwargs)

    return adam


def main(kind, *numbers):
    """Prints the cells of `train_step`: of the first step apart, since it is the slowest."""
    first, *seconds = train(*map(int, numbers), full=kind == "full")
    print(f"{statistics.median(seconds):.2f} | {peak():.0f} | {first:.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
