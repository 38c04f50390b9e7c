"""What of the page's files Gradio removes after an hour."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

pytest.importorskip("gradio", reason="NOT TESTED: needs the extra `page`")

# Gradio's own hand that removes files, when all of them are old. In a process, since Gradio leaves
# its loops open.
_AN_HOUR_LATER = """
import sys, warnings
warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
from gradio.route_utils import delete_files_created_by_app
from ttsr_tf.web import layout
from ttsr_tf.web.actions import Actions
from ttsr_tf.web.run import write_examples
(folder,) = sys.argv[1:]
page = layout.page(Actions(None, None, folder), **write_examples(folder))
page.upload_file_set.add(f"{folder}/upload.png")
delete_files_created_by_app(page, age=-1)
"""


def test_examples_stay_and_uploads_go(tmp_path):
    (tmp_path / "upload.png").touch()
    result = subprocess.run(
        [sys.executable, "-c", _AN_HOUR_LATER, tmp_path],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    examples = {f"{name}-{i}.png" for name in ("small", "reference") for i in (1, 2)}
    assert {path.name for path in tmp_path.glob("*.png")} == examples | {"photograph.png"}
