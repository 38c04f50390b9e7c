"""The parts of the texture transformer; none knows of model, training or data."""

from ttsr_tf.layers.convolution import Convolution, uniform
from ttsr_tf.layers.cross_scale import CrossScaleIntegration
from ttsr_tf.layers.fusion import SoftFusion
from ttsr_tf.layers.relevance import Relevance
from ttsr_tf.layers.resampling import Downsample, SubPixelUpsample, Upsample, resize_up
from ttsr_tf.layers.residual import ResidualBlock, ResidualStack
from ttsr_tf.layers.texture_extractor import TextureExtractor
from ttsr_tf.layers.transfer import Transfer

__all__ = [
    "Convolution",
    "CrossScaleIntegration",
    "Downsample",
    "Relevance",
    "ResidualBlock",
    "ResidualStack",
    "SoftFusion",
    "SubPixelUpsample",
    "TextureExtractor",
    "Transfer",
    "Upsample",
    "resize_up",
    "uniform",
]
