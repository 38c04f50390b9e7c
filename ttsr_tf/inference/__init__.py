"""Enlarging pictures: `upscale_files(UpscaleConfig(…))`, or an `Upscaler` and arrays."""

from ttsr_tf import lazy

__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "Reference": "upscaler",
        "UpscaleConfig": "config",
        "Upscaler": "upscaler",
        "load": "upscaler",
        "upscale_files": "run",
    },
)
