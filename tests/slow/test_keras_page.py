"""docs/keras.md's Python, as it stands there."""

import re
import subprocess
import sys

from conftest import ROOT

REPORT = """
assert gan.steps_done == 4
assert history["val_psnr"][-1] > 0
assert history["critic"][0] == 0 != history["critic"][1]
pictures = [tf.constant(bicubic.downscale(hr)), tf.constant(ref)]
sr = model(pictures)
# Means: where two places match alike, rounding decides which texture is taken.
for again in (exported.serve, keras.saving.load_model("model.keras")):
    assert tf.reduce_mean(abs(again(pictures) - sr)) < 1e-4
tf.debugging.assert_equal(upscaler.model.get_weights()[0], gan.generator.get_weights()[0])
"""


def test_the_page_runs(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "keras.md").read_text(), re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-c", "\n".join([*blocks, REPORT])],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
