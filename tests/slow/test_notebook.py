"""README's Python, as it stands there."""

import re
import subprocess
import sys

from conftest import ROOT

from ttsr_tf.images import files

README = (ROOT / "README.md").read_text()


def test_a_notebook_trains_evaluates_and_enlarges(tmp_path):
    (script,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL)
        if "train(" in block
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "'psnr_bicubic': 3" in result.stdout  # run.scores
    assert "'L1'" in result.stdout or "'match-1'" in result.stdout  # measured.means
    assert files.read(str(tmp_path / "large.png")).rgb.shape == (4 * 96, 4 * 120, 3)
    assert (tmp_path / "results" / "report.html").exists()
