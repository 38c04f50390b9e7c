"""VGG19's convolutions, cut where somebody wants to look: textures, perceptual loss."""

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.layers.convolution import Convolution

# ImageNet's statistics, of RGB in [0, 1]; and the mean that VGG19 was trained with at Oxford.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
OXFORD_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
# What folded weights divide every map by, so that activations are near 1 as torchvision's are.
ACTIVATION_SCALE = 57.63

# Channels of the convolutions at each of five scales; a 2×2 max pool lies between two scales.
_SCALES = (64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4
CHANNELS = {
    f"{scale}_{number}": channels
    for scale, of_scale in enumerate(_SCALES, 1)
    for number, channels in enumerate(of_scale, 1)
}


@keras.saving.register_keras_serializable("ttsr_tf")
class VGG19(keras.layers.Layer):
    """VGG19 (Simonyan and Zisserman 2015) up to the last map that is wanted.

    With relu3_1, relu2_1 and relu1_1 it is TTSR's texture extractor (LTE; Yang et al. 2020,
    section 3.1); with relu5_1, frozen, what the perceptual loss compares (equation 9). New weights
    are random: see `ttsr_tf.weights.vgg19`.

    Args:
        cuts: names of the maps, from relu1_1 to relu5_4, in the order that they are wanted in.
        mean: of RGB in [0, 1]; what is subtracted before the division by ImageNet's standard
            deviation. Zeros beyond the picture's border are this colour.
        transposed: whether height and width of every kernel are exchanged, as SRNTT's program
            reads them and as its released weights need it.

    Input: RGB in [-1, 1], [B, H, W, 3].
    Output: a tuple of maps after their ReLU; those of reluS_… are
    [B, H // 2^(S-1), W // 2^(S-1), 64 to 512].

    Raises:
        InputError: there is no such map.
    """

    def __init__(self, cuts, *, mean=MEAN, transposed=False, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.cuts = tuple(cuts)
        self.mean = tuple(mean)
        self.transposed = transposed
        wanted = [name.removeprefix("relu") for name in self.cuts]
        if not wanted or not set(wanted) <= set(CHANNELS):
            raise InputError(f"`cuts` must be names such as relu3_1, got {self.cuts}.")
        last = max(map(list(CHANNELS).index, wanted))
        self._places = tuple(CHANNELS)[: last + 1]
        for place in self._places:
            layer = Convolution(
                CHANNELS[place],
                activation="relu",
                name=f"conv{place}",
                dtype=self.dtype_policy,
            )
            setattr(self, layer.name, layer)

    @property
    def convs(self):
        """The convolutions in order."""
        return [getattr(self, f"conv{place}") for place in self._places]

    def build(self, input_shape):
        for conv in self.convs:
            conv.build(input_shape)
            input_shape = (*input_shape[:-1], conv.filters)
        self.built = True

    def call(self, x):
        x = ((x + 1) / 2 - tf.constant(self.mean, x.dtype)) / tf.constant(STD, x.dtype)
        if self.transposed:  # exchanging the picture's instead of every kernel's is the same
            return tuple(map(_exchanged, self._maps(_exchanged(x))))
        return self._maps(x)

    def _maps(self, x):
        maps = {}
        for place, conv in zip(self._places, self.convs, strict=True):
            if place.endswith("_1") and place != "1_1":
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            maps[f"relu{place}"] = x = conv(x)
        return tuple(maps[name] for name in self.cuts)

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape
        shapes = []
        for name in self.cuts:
            place = name.removeprefix("relu")
            scale = 2 ** (int(place[0]) - 1)
            small = (n if n is None else n // scale for n in size)
            shapes.append((batch, *small, CHANNELS[place]))
        return tuple(shapes)

    def get_config(self):
        own = {"cuts": self.cuts, "mean": self.mean, "transposed": self.transposed}
        return {**super().get_config(), **own}


def _exchanged(x):
    """[B, H, W, C] → [B, W, H, C]."""
    return tf.transpose(x, [0, 2, 1, 3])
