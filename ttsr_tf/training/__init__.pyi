from .config import TrainingConfig as TrainingConfig
from .gan import GAN as GAN
from .gan import Schedule as Schedule
from .losses import LossWeights as LossWeights
from .run import TrainingResult as TrainingResult
from .run import train as train
