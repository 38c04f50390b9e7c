"""LPIPS: how far apart two pictures look (Zhang et al., CVPR 2018, section 3; version 0.1).

both pictures ─ shift, scale ─ AlexNet or VGG16 ─► five maps, at each place a vector of length 1
squared difference ─ linear head without negative weights ─ mean over places ─► sum of the five
"""

from typing import NamedTuple

import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.images import inputs
from ttsr_tf.weights import lpips as weights

_PICTURE = tf.TensorSpec([None, None, 3], tf.uint8)

# ImageNet's statistics of RGB in [-1, 1], as the authors round them.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_STRIDES_AND_PADDING = {11: (4, 2), 5: (1, 2), 3: (1, 1)}  # by the kernel's side


class _Trunk(NamedTuple):
    """What a network has beside its convolutions, which are counted from 0.

    Attributes:
        compared: convolutions whose map, after its ReLU, is compared.
        pooled: convolutions that a max pool comes before, with strides 2.
        pool_size: side of its window.
        smallest: side of a picture that leaves something of the last map, pixels.
    """

    compared: tuple
    pooled: tuple
    pool_size: int
    smallest: int


_TRUNKS = {
    weights.ALEX: _Trunk((0, 1, 2, 3, 4), pooled=(1, 2), pool_size=3, smallest=31),
    weights.VGG: _Trunk((1, 3, 6, 9, 12), pooled=(2, 4, 7, 10), pool_size=2, smallest=16),
}


class LPIPS:
    """The distance of pictures of any size, traced once.

    Args:
        net: one of `weights.NETS`: "alex" or "vgg".
        crop_border: pixels that are cropped on every side.

    Raises:
        InputError: the weights can't be had.
    """

    def __init__(self, net, crop_border=0):
        self._trunk, self._crop_border = _TRUNKS[net], crop_border
        self._convolutions, self._heads = weights.read(net)

    def __call__(self, hr, sr):
        """The distance, a float from 0, which is none.

        Args:
            hr, sr: uint8 [H, W, 3], within the border from 31×31 for alex, 16×16 for vgg.

        Raises:
            InputError: pictures that are smaller.
        """
        smallest, border = self._trunk.smallest, self._crop_border
        if min(hr.shape[:2]) - 2 * border < smallest:
            raise InputError(
                f"{hr.shape[1]}×{hr.shape[0]} pixels without a border of {border} are less than "
                f"LPIPS' {smallest}×{smallest}. Leave such pictures out, or do without `lpips`."
            )
        rows, columns = (slice(border, size - border) for size in hr.shape[:2])
        return float(self._distance(hr[rows, columns], sr[rows, columns]))

    @tf.function(input_signature=[_PICTURE, _PICTURE], autograph=False)
    def _distance(self, hr, sr):
        distance = 0.0
        for maps, head in zip(self._maps(tf.stack([hr, sr])), self._heads, strict=True):
            distance += tf.reduce_mean(tf.linalg.matvec((maps[0] - maps[1]) ** 2, head))
        return distance

    def _maps(self, pictures):
        """Five maps of both pictures, [2, h, w, C]."""
        x = (inputs.to_float(pictures) - _SHIFT) / _SCALE
        for i, (kernel, bias) in enumerate(self._convolutions):
            if i in self._trunk.pooled:
                x = tf.nn.max_pool2d(x, self._trunk.pool_size, 2, "VALID")
            strides, side = _STRIDES_AND_PADDING[len(kernel)]
            padding = [[0, 0], [side, side], [side, side], [0, 0]]
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, strides, padding) + bias)
            if i in self._trunk.compared:
                length = tf.norm(x, axis=-1, keepdims=True)
                yield x / (length + 1e-10)  # where no channel is above 0, too
