from . import checkpoints as checkpoints
from . import vgg19 as vgg19
from .naming import names as names
