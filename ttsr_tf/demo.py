"""Enlarges one of two real photographs of a scene with the other, and shows it on a sheet.

python -m ttsr_tf.demo --checkpoint=runs/quickstart --output_dir=demo
"""

import dataclasses
import os

from ttsr_tf import cli
from ttsr_tf.configuration import REQUIRED, Configuration, string
from ttsr_tf.data import sample
from ttsr_tf.files import make_folder
from ttsr_tf.weights import files, naming


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoConfig(Configuration):
    """What is shown, and where."""

    checkpoint: str = string(REQUIRED, "Weights (.safetensors), or a run's folder.")
    output_dir: str = string("demo", "Where to write the pictures.")


def main(config):
    files.read_header(naming.path_of(config.checkpoint))
    ref, hr = (picture[:500, :740] for picture in sample.stereo_pair())
    make_folder(config.output_dir, "output_dir")
    cli.start_tensorflow()
    from ttsr_tf.images import bicubic, metrics, sheets
    from ttsr_tf.images.files import write
    from ttsr_tf.inference import load

    upscaler = load(config.checkpoint)
    lr = bicubic.downscale(hr).numpy()
    print("Enlarging a photograph of a motorcycle with one from beside it …", flush=True)
    result = upscaler.upscale_with_attention(lr, ref)
    plain = bicubic.upscale(lr).numpy()

    def with_psnr(name, picture):
        return f"{name}, PSNR {metrics.psnr(hr, picture).numpy():.2f} dB", picture

    scored = [with_psnr("bicubic", plain), with_psnr("result", result["sr"])]
    attention = sheets.attention_panels(result, [ref])
    panels = [("LR", lr), ("reference", ref), *scored, ("truth", hr), *attention]
    pictures = {"lr": lr, "ref": ref, "sr": result["sr"], "sheet": sheets.sheet(panels, columns=2)}
    for name, picture in pictures.items():
        write(os.path.join(config.output_dir, f"{name}.png"), picture)
    print("\n".join(label for label, _ in scored))
    print(f"Look at {os.path.join(config.output_dir, 'sheet.png')}.")


if __name__ == "__main__":
    cli.run(DemoConfig, main)
