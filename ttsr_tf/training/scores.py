"""What `evaluate` reports of pictures, as Keras' metrics."""

import keras

from ttsr_tf.errors import InputError
from ttsr_tf.images.metrics import PSNR, SSIM


def reported(added):
    """A dict from names to metrics: the reconstruction loss, PSNR and SSIM on Y, and those of a
    list, which take the place of the former if they have the same name.
    """
    always = keras.metrics.MeanAbsoluteError("reconstruction"), PSNR(), SSIM()
    return {metric.name: metric for metric in (*always, *added)}


def metrics(given):
    """Metrics of what a user gave.

    Args:
        given: a list of `keras.metrics.Metric`, names of them, and functions of `hr` and `sr`; or
            None.

    Raises:
        InputError: anything else.
    """
    if not isinstance(given, (list, tuple, type(None))):
        raise InputError(f"`metrics` must be a list of metrics of `hr` and `sr`, got {given!r}.")
    return [_metric(one) for one in given or []]


def _metric(given):
    try:
        found = keras.metrics.get(given)
    except (ValueError, TypeError):
        found = None
    if not callable(found):  # Keras 2 gives a name back that it doesn't know
        raise InputError(f"`metrics` must hold Keras' metrics or their names, got {given!r}.")
    if isinstance(found, keras.metrics.Metric):
        return found
    return keras.metrics.MeanMetricWrapper(found, found.__name__)
