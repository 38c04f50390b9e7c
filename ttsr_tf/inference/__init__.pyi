from .config import UpscaleConfig as UpscaleConfig
from .run import upscale_files as upscale_files
from .upscaler import Reference as Reference
from .upscaler import Upscaler as Upscaler
from .upscaler import load as load
