"""What depends on TensorFlow's kernels, with Eigen's where the fast tests have oneDNN's, as on all
CPUs with AVX2, and the other way round.
"""

import os
import subprocess
import sys

from conftest import ROOT

from ttsr_tf import processor

NAMES = "convolved critic gan layers parity relevance resampling torch transfer ttsr vgg19"


def test_layers_and_steps_with_the_other_kernels():
    on = processor.uses_onednn()
    files = [f"tests/test_{name}.py" for name in NAMES.split()]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": str(int(not on)), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-5000:]
    assert " passed" in result.stdout
