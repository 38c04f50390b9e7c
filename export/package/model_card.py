"""What a model is, beside it: assets.extra/model_card.json."""

import json
import os
import platform

import keras
import tensorflow as tf

from ttsr_tf import __version__
from ttsr_tf.weights import checkpoints

from ..graph.signatures import INTERFACE

FILE = os.path.join("assets.extra", "model_card.json")


def write(folder, model, limits, **facts):
    """Writes the card.

    Args:
        folder: the SavedModel's.
        model: the network in it.
        limits: its `Limits`.
        **facts: what else is known, such as the checkpoint's hash; as JSON takes it.
    """
    card = {
        "model": f"{type(model).__name__}: four times larger pictures, textures from a reference",
        "config": checkpoints.arguments(model),
        "parameters": model.count_params(),
        **facts,
        "smallest": {
            name: f"{side}×{side}"
            for name, side in (("lr", model.smallest_lr), ("ref", model.smallest_ref))
        },
        "most_pixels_of_one_picture": limits._asdict(),
        "signatures": INTERFACE,
        "versions": {
            "ttsr-tf": __version__,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "python": platform.python_version(),
        },
    }
    path = os.path.join(folder, FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(card, file, indent=2, ensure_ascii=False)
