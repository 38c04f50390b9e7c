"""How near a picture is to the truth."""

import tensorflow as tf


def luma(picture):
    """Y of uint8 or 0..255 RGB [..., 3], not rounded: float32 [...], 16 to 235 (ITU-R BT.601)."""
    weights = tf.constant([65.738, 129.057, 25.064]) / 256
    return tf.linalg.matvec(tf.cast(picture, tf.float32), weights) + 16


def psnr(hr, sr):
    """Peak signal-to-noise ratio on Y with peak 255, no border cropped.

    Args:
        hr, sr: uint8 [..., H, W, 3].

    Returns:
        float32 [...], dB.
    """
    return tf.image.psnr(luma(hr)[..., None], luma(sr)[..., None], max_val=255.0)


def ssim(hr, sr):
    """Structural similarity on Y, no border cropped: a Gaussian window of 11×11, σ 1.5, the windows
    that lie within the picture, K = 0.01 and 0.03, peak 255.

    Args:
        hr, sr: uint8 [..., H, W, 3], from 11×11.

    Returns:
        float32 [...], up to 1.
    """
    return tf.image.ssim(luma(hr)[..., None], luma(sr)[..., None], max_val=255.0)
