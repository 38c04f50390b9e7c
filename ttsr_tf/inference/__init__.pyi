from .config import UpscaleConfig as UpscaleConfig
from .encoding import Reference as Reference
from .run import upscale_files as upscale_files
from .upscaler import Upscaler as Upscaler
from .upscaler import load as load
