"""Y of pictures, and PSNR on it, where no graph is needed; see metrics.py for the rest."""

import numpy as np

WEIGHTS = 65.738 / 256, 129.057 / 256, 25.064 / 256  # of R, G, B; ITU-R BT.601
OFFSET = 16


def psnr(hr, sr):
    """Peak signal-to-noise ratio on Y, as `metrics.psnr`.

    Args:
        hr, sr: uint8 [H, W, 3].

    Returns:
        float, dB.
    """
    difference = (np.float32(hr) - np.float32(sr)) @ np.float32(WEIGHTS)
    return 10 * np.log10(255**2 / np.mean(difference**2))
