"""Enlarges one of two real photographs of a scene with the other, and shows it on a sheet.

python -m ttsr_tf.demo --checkpoint=runs/quickstart --output_dir=demo
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split

import os

import numpy as np
from absl import flags

from ttsr_tf import checkpoints, degrade, images, metrics, sample, sheets

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Weights (.weights.h5) or a run folder.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", "demo", "Where to write the pictures.")


def main():
    os.makedirs(_OUTPUT_DIR.value, exist_ok=True)
    model = checkpoints.load(_CHECKPOINT.value)
    ref, hr = (picture[:500, :740] for picture in sample.stereo_pair())
    lr = degrade.shrink(hr).numpy()
    print("Enlarging a photograph of a motorcycle with one from beside it …", flush=True)
    result = model.upscale_with_attention(lr, ref)
    bicubic = degrade.enlarge(lr).numpy()

    panels = [
        ("LR", lr),
        ("reference", ref),
        (_with_psnr("bicubic", hr, bicubic), bicubic),
        (_with_psnr("result", hr, result["sr"]), result["sr"]),
        ("truth", hr),
        *sheets.attention_panels(result, [ref]),
    ]
    for name, picture in (("lr", lr), ("ref", ref), ("sr", result["sr"])):
        images.write(os.path.join(_OUTPUT_DIR.value, f"{name}.png"), picture)
    path = os.path.join(_OUTPUT_DIR.value, "sheet.png")
    images.write(path, sheets.sheet(panels, columns=2))
    print("\n".join(label for label, _ in panels[2:4]))
    print(f"Look at {path}.")


def _with_psnr(name, hr, picture):
    return f"{name}, PSNR {np.float32(metrics.psnr(hr, picture)):.2f} dB"


if __name__ == "__main__":
    cli.run(main)
