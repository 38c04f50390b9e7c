"""The authors' program, from a checkout at $RELEASED, as `cold_start` measures it.

It is only run, with random weights in the place of torchvision's VGG19, which need no download.
"""

import os
import sys
import types


def _network():
    """The authors' network with random weights, and torch."""
    import torch

    def block(inputs, outputs):
        return torch.nn.Conv2d(inputs, outputs, 3, padding=1), torch.nn.ReLU()

    def vgg19(pretrained):
        pool = torch.nn.MaxPool2d(2)
        x1, x2 = [*block(3, 64), *block(64, 64), pool], [*block(64, 128), *block(128, 128), pool]
        return types.SimpleNamespace(features=[*x1, *x2, *block(128, 256)])

    vision = types.ModuleType("torchvision")
    vision.models = types.SimpleNamespace(vgg19=vgg19)
    sys.modules["torchvision"] = vision
    sys.path.insert(0, os.environ["RELEASED"])
    from model.TTSR import TTSR

    sizes = {"num_res_blocks": "16+16+8+4", "n_feats": 64, "res_scale": 1.0}
    return torch, TTSR(types.SimpleNamespace(**sizes))


def picture(folder, phases):
    """A picture twice, the second one warm.

    Args:
        folder: has lr.png and ref.png.
        phases: as of `cold_start`; it is returned.
    """
    import numpy as np
    import PIL.Image

    torch, network = _network()
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


def reconstruction(sizes, phases):
    """A step with the reconstruction loss twice.

    Args:
        sizes: dict from the batch's pictures to their sides, pixels.
        phases: as of `cold_start`; it is returned.
    """
    torch, network = _network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    phases.end("import, network")
    batch = {name: torch.rand(1, 3, n, n) * 2 - 1 for name, n in sizes.items()}
    for name in ("first step", "second step"):
        optimizer.zero_grad()
        pictures = {"lrsr": batch["lr_up"], "refsr": batch["ref_down_up"]}
        sr, *_ = network(lr=batch["lr"], ref=batch["ref"], **pictures)
        torch.nn.functional.l1_loss(sr, batch["hr"]).backward()
        optimizer.step()
        phases.end(name)
    return phases
