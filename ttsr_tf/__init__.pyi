from . import evaluation as evaluation
from . import images as images
from . import inference as inference
from . import layers as layers
from . import training as training
from . import weights as weights
from .errors import InputError as InputError
from .images import metrics as metrics
from .images.inputs import network_inputs as network_inputs
from .inference.loading import load as load
from .inference.upscaler import Upscaler as Upscaler
from .models.critic import Critic as Critic
from .models.srntt import SRNTT as SRNTT
from .models.ttsr import TTSR as TTSR
from .training import losses as losses
from .training.gan import GAN as GAN

__version__: str
