from . import metrics as metrics
from .files import read as read
from .files import write as write
from .inputs import network_inputs as network_inputs
from .metrics import psnr as psnr
from .metrics import ssim as ssim
