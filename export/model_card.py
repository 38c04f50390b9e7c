"""What a model is, beside it: assets.extra/model_card.json."""

import json
import os
import platform

import keras
import tensorflow as tf

from export.graph import ENCODED, SERVING_DEFAULT
from ttsr_tf import __version__

FILE = os.path.join("assets.extra", "model_card.json")

_INTERFACE = {
    SERVING_DEFAULT: {
        "inputs": {
            "lr": "uint8 [B, H, W, 3], RGB, the small pictures",
            "ref": "uint8 [B, h, w, 3], RGB, a sharp picture of something similar for each; used "
            "up to the last multiple of 4",
        },
        "outputs": {
            "sr": "uint8 [B, 4·H, 4·W, 3], RGB, the large pictures",
            "confidence": "float32 [B, H, W], in [-1, 1]: how well the reference matches",
        },
    },
    ENCODED: {
        "inputs": {
            "lr_bytes": "strings [B], PNG or JPEG; sizes may differ between entries",
            "ref_bytes": "strings [B], PNG or JPEG; sizes may differ between entries",
        },
        "outputs": {"sr_bytes": "strings [B], PNG"},
    },
}


def write(folder, model, limits, **facts):
    """Writes the card.

    Args:
        folder: the SavedModel's.
        model: the `TTSR` in it.
        limits: its `Limits`.
        **facts: what else is known, such as the checkpoint's hash; as JSON takes it.
    """
    card = {
        "model": "TTSR: four times larger pictures with textures from a reference",
        "config": model.get_config(),
        "parameters": model.count_params(),
        **facts,
        "smallest": {"lr": "3×3", "ref": "12×12"},
        "most_pixels_of_one_picture": limits._asdict(),
        "signatures": _INTERFACE,
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
