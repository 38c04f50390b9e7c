from . import losses as losses
from .config import TrainingConfig as TrainingConfig
from .gan import GAN as GAN
from .losses import LossWeights as LossWeights
from .optimizers import Adam as Adam
from .run import TrainingResult as TrainingResult
from .run import train as train
from .schedule import Schedule as Schedule
