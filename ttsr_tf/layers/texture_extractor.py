"""LTE: the learnable texture extractor."""

import keras
import tensorflow as tf

from ttsr_tf.layers.convolution import Convolution

# ImageNet's statistics, of RGB in [0, 1].
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalise(x):
    """RGB in [-1, 1] to what VGG19 is fed with: zero mean and unit variance over ImageNet."""
    return ((x + 1) / 2 - tf.constant(MEAN, x.dtype)) / tf.constant(STD, x.dtype)


class TextureExtractor(keras.layers.Layer):
    """The first five convolutions of VGG19, trainable (LTE; paper, section 3.1).

    New weights are random; `ttsr_tf.vgg.initialise` gives it VGG19's.

    Input: RGB in [-1, 1], [B, H, W, 3].
    Output: relu3_1 [B, H // 4, W // 4, 256], relu2_1 [B, H // 2, W // 2, 128] and
    relu1_1 [B, H, W, 64], from coarse to fine.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv1_1 = Convolution(64, relu=True, name="conv1_1")
        self.conv1_2 = Convolution(64, relu=True, name="conv1_2")
        self.conv2_1 = Convolution(128, relu=True, name="conv2_1")
        self.conv2_2 = Convolution(128, relu=True, name="conv2_2")
        self.conv3_1 = Convolution(256, relu=True, name="conv3_1")

    def build(self, input_shape):
        for conv in (self.conv1_1, self.conv1_2, self.conv2_1, self.conv2_2, self.conv3_1):
            conv.build(input_shape)
            input_shape = (*input_shape[:-1], conv.filters)
        self.built = True

    def call(self, x):
        relu1_1 = self.conv1_1(normalise(x))
        relu2_1 = self.conv2_1(_pool(self.conv1_2(relu1_1)))
        relu3_1 = self.conv3_1(_pool(self.conv2_2(relu2_1)))
        return relu3_1, relu2_1, relu1_1

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape
        return tuple(
            (batch, *(n if n is None else n // scale for n in size), channels)
            for scale, channels in ((4, 256), (2, 128), (1, 64))
        )


def _pool(x):
    return tf.nn.max_pool2d(x, 2, 2, "VALID")
