"""What every command does around its work."""

import platform
import subprocess
import sys
import time

import pytest
from conftest import ROOT

DOORS = "train", "evaluate", "upscale", "convert", "demo", "page"
EXPORT_DOORS = "saved_model", "serve", "client", "batch"


@pytest.fixture
def python():
    """Runs a line of Python in the project's folder."""

    def run(line):
        command = [sys.executable, "-c", line]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    return run


def test_ctrl_c_ends_with_one_line(python):
    result = python(
        "from ttsr_tf import cli, convert\n"
        "def main(_): raise KeyboardInterrupt\n"
        "import sys; sys.argv += ['--torch_checkpoint=a', '--output=b']\n"
        "cli.run(convert.ConvertConfig, main, 'Bye.')"
    )
    assert (result.returncode, result.stderr) == (130, "\nBye.\n")


def test_what_tensorflow_says_is_kept_and_shown_if_it_fails(python):
    said = "import os; from ttsr_tf import cli\nwith cli.stderr_kept() as said:\n"
    result = python(f"{said}    os.write(2, b'noise')\nprint(*said)")
    assert (result.stdout, result.stderr) == ("noise\n", "")
    result = python(f"{said}    os.write(2, b'noise\\n'); raise SystemExit(3)")
    assert (result.returncode, result.stderr) == (3, "noise\n")


def test_missing_flags_are_named(fails):
    line = fails("convert")
    assert line == "error: --output is missing. (see --help)"


def test_what_is_no_flag(fails):
    assert "unexpected 'picture.png': give every value as --flag=value" in fails(
        "convert", "picture.png", "--torch_checkpoint=a.pt", "--output=b.safetensors"
    )


def test_arguments_are_called_as_flags(fails):
    line = fails("convert", "--torch_checkpoint=a.pt", "--output=b.h5")
    assert line == "error: --output=b.h5 must end in .safetensors."


@pytest.mark.parametrize(
    "module", [*(f"ttsr_tf.{door}" for door in DOORS), *(f"export.{door}" for door in EXPORT_DOORS)]
)
def test_help_does_not_wait(module):
    start = time.monotonic()
    command = [sys.executable, "-X", "importtime", "-m", module, "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0
    assert f"python -m {module}" in result.stdout
    assert "--checkpoint: " in result.stdout or "required" in result.stdout
    imported = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    assert not imported & {"tensorflow", "keras", "ray", "gradio"}
    assert time.monotonic() - start < 5  # 0.3 alone; whatever else the machine does


def test_the_console_command():
    def ttsr(*arguments):
        command = [sys.executable, "-m", "ttsr_tf", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert "export.saved_model" in ttsr("export", "--help").stdout
    result = ttsr("upscale", "--lr=a.png")
    assert result.returncode == 1
    assert result.stderr == "error: --output is missing. (see --help)\n"
    assert "there is no command 'enlarge': upscale, train" in ttsr("enlarge").stderr


_FAULTS = """
import resource, sys
import numpy as np
from ttsr_tf import cli
if len(sys.argv) > 1:
    cli.keep_freed_memory()
def touch():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**25, np.uint8)[0]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
touch()
print(touch())
"""


def test_freed_memory_is_used_again():
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("NOT TESTED: needs glibc")
    plain, kept = (
        int(subprocess.check_output([sys.executable, "-c", _FAULTS, *given], cwd=ROOT))
        for given in ([], ["kept"])
    )
    assert plain > 10 and kept < plain / 5
