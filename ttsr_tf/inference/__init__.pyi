from .config import UpscaleConfig as UpscaleConfig
from .encoding import Reference as Reference
from .loading import load as load
from .run import upscale_files as upscale_files
from .upscaler import Upscaler as Upscaler
