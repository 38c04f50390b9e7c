"""The doors of export/: what is wrong with flags and files is said without TensorFlow and Ray."""

import json
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

# What each command line leaves: exit code and stderr, as JSON.
_WITHOUT = """
import contextlib, importlib, io, json, sys
# Importing them raises.
sys.modules.update(tensorflow=None, keras=None, grpc=None)
for door, *flags in json.loads(sys.argv[1]):
    sys.argv[1:] = flags
    module = importlib.import_module(f"export.{door}")
    (config,) = (value for name, value in vars(module).items() if name.endswith("Config"))
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            module.cli.run(config, module.main)
        except SystemExit as end:
            print(json.dumps([end.code, said.getvalue()]))
assert "ray" not in sys.modules
"""


@pytest.fixture
def place(tmp_path, tiny_weights):
    shutil.copy(tiny_weights, tmp_path)
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "models" / "1").mkdir(parents=True)
    return tmp_path


BAD = {
    "checkpoint": (
        ("saved_model", "--checkpoint=text.png", "--output_dir=out"),
        "text.png is not a checkpoint of ttsr-tf",
    ),
    "output_dir": (
        ("saved_model", "--checkpoint=.", "--output_dir=text.png"),
        "Can't make --output_dir text.png",
    ),
    "versions": (("serve", "--model_base_path=."), "holds no numbered folder"),
    "ports": (("serve", "--model_base_path=models", "--port=8501"), "--port=8501, --rest_api_port"),
    "old name": (("serve", "--model_dir=models"), "--model_dir is now --model_base_path"),
    "picture": (
        ("client", "--lr=text.png", "--ref=text.png", "--output=out.png"),
        "text.png is not a picture",
    ),
    "reference": (
        ("batch", "--input=.", "--ref=none.png", "--checkpoint=.", "--output=out"),
        "--ref=none.png is neither a picture nor a folder",
    ),
    "cluster": (
        (
            *("batch", "--input=.", "--ref=.", "--checkpoint=.", "--output=out"),
            "--ray_address=here",
        ),
        "--ray_address=here must be HOST:PORT, or auto.",
    ),
}


def test_what_is_wrong_is_said_at_once(place):
    lines = json.dumps([arguments for arguments, _ in BAD.values()])
    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT, lines],
        cwd=place,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    ends = map(json.loads, result.stdout.splitlines())
    for (_, message), (code, said) in zip(BAD.values(), ends, strict=True):
        assert code == 1, said
        (line,) = said.splitlines()
        assert line.startswith("error: ")
        assert message in line
    assert not (place / "out").exists()
