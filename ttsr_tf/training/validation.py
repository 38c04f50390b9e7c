"""How a network does on pairs that it isn't trained on."""

import numpy as np

from ttsr_tf.images import bicubic, degradation, inputs, metrics, sheets
from ttsr_tf.inference.upscaler import Upscaler

NAMES = "psnr", "ssim", "psnr_bicubic", "ssim_bicubic"


class Validation:
    """Scores a network, as often as wanted; its graphs are traced once.

    Args:
        model: a built network (see `ttsr_tf.models`).
    """

    def __init__(self, model):
        self._upscaler, self._scores = Upscaler(model), metrics.Scores()

    def score(self, pairs, crop_size, *, kind=degradation.BICUBIC, single_image=False):
        """Mean scores on Y, and what the first pair looks like.

        Args:
            pairs: a `Pairs`; of each picture the top left corner is taken.
            crop_size: its side, pixels, a multiple of 4.
            kind: of the degradation; a realistic one is the same in all runs.
            single_image: whether the path without any reference makes the pictures.

        Returns:
            A dict of floats: `psnr`, `ssim`, `psnr_bicubic` (dB), `ssim_bicubic`; and panels for
            `sheets.sheet`.
        """
        measured = []
        for i in range(len(pairs)):
            hr, ref = (picture[:crop_size, :crop_size] for picture in pairs[i])
            lr = inputs.degraded(hr, kind, [0, i]).numpy()
            references = None if single_image else ref
            result = self._upscaler.upscale_with_attention(
                lr, references, single_image=single_image
            )
            plain = bicubic.upscale(lr).numpy()
            measured.append([*self._scores(hr, result["sr"]), *self._scores(hr, plain)])
            if i == 0:
                panels = [
                    ("LR", lr),
                    ("reference", np.asarray(ref)),
                    ("bicubic", plain),
                    ("SR", result["sr"]),
                    ("HR", np.asarray(hr)),
                    *([] if single_image else sheets.attention_panels(result, [ref])),
                ]
        means = np.mean(measured, 0)
        return dict(zip(NAMES, map(float, means), strict=True)), panels
