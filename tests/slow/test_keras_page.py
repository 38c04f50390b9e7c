"""docs/keras.md's Python, as it stands there."""

import re
import subprocess
import sys

from conftest import ROOT

REPORT = """
assert gan.steps_done == 4
assert history["val_psnr"][-1] > 0
assert history["critic"][0] == 0 != history["critic"][1]
exported = tf.saved_model.load("exported")
again = keras.saving.load_model("model.keras")
small = bicubic.downscale(hr)
tf.debugging.assert_near(exported.serve([small, ref]), model([small, ref]), atol=1e-5)
tf.debugging.assert_near(again([small, ref]), model([small, ref]))
print(sr.shape, sr.dtype)
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
    assert result.stdout.splitlines()[-1] == "(48, 48, 3) uint8"
