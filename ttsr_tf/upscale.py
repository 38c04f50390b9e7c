r"""Enlarges pictures four times with the textures of references.

python -m ttsr_tf.upscale --lr=small.png --ref=sharp.jpg --checkpoint=ttsr.safetensors \
    --output=large.png
python -m ttsr_tf.upscale --lr=frames --ref=still.jpg --checkpoint=ttsr.safetensors --output=large
"""

from ttsr_tf import cli
from ttsr_tf.inference import engines
from ttsr_tf.inference.config import UpscaleConfig, check
from ttsr_tf.progress import StopRequest


def main(config):
    _, engine = check(config)
    engines.start(engine)
    from ttsr_tf.inference import upscale_files

    with StopRequest("tile, or picture of a folder") as stop:
        upscale_files(config, stop)


if __name__ == "__main__":
    cli.run(UpscaleConfig, main)
