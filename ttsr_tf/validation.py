"""How a network does on the pairs that were held out."""

import numpy as np

from ttsr_tf import degrade, metrics, sheets

NAMES = "psnr", "ssim", "psnr_bicubic", "ssim_bicubic"


def score(model, pairs, crop_size):
    """Mean scores on Y, and what the first pair looks like.

    Args:
        model: a built `TTSR`.
        pairs: a `Pairs`; of each picture the top left corner is taken.
        crop_size: its side, pixels, a multiple of 4.

    Returns:
        A dict of floats: `psnr`, `ssim`, `psnr_bicubic` (dB), `ssim_bicubic`; and panels for
        `sheets.sheet`.
    """
    measured, scores = [], metrics.Scores()
    for i in range(len(pairs)):
        hr, ref = (picture[:crop_size, :crop_size] for picture in pairs[i])
        lr = degrade.shrink(hr).numpy()
        result = model.upscale_with_attention(lr, ref)
        bicubic = degrade.enlarge(lr).numpy()
        measured.append([*scores(hr, result["sr"]), *scores(hr, bicubic)])
        if i == 0:
            panels = [
                ("LR", lr),
                ("reference", np.asarray(ref)),
                ("bicubic", bicubic),
                ("SR", result["sr"]),
                ("HR", np.asarray(hr)),
                *sheets.attention_panels(result, [ref]),
            ]
    means = np.mean(measured, 0)
    return dict(zip(NAMES, map(float, means), strict=True)), panels
