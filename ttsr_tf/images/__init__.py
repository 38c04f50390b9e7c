"""Pictures: files, Pillow's bicubic, the network's inputs, scores, sheets."""

from ttsr_tf import lazy

__getattr__, __dir__ = lazy.names(
    __name__, {"network_inputs": "inputs", "psnr": "metrics", "read": "files", "ssim": "metrics"}
)
