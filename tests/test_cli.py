"""What every command does around its work."""

import subprocess
import sys

from conftest import ROOT


def test_ctrl_c_ends_with_one_line():
    code = "from ttsr_tf import cli\ndef main(): raise KeyboardInterrupt\ncli.run(main, 'Bye.')"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (130, "\nBye.\n")


def test_missing_flags_are_named(fails):
    line = fails("convert")
    assert line == "error: --torch_checkpoint is missing. --output is missing. (see --help)"


def test_what_is_no_flag(fails):
    assert "unexpected 'picture.png': give every value as --flag=value" in fails(
        "convert", "picture.png", "--torch_checkpoint=a.pt", "--output=b.weights.h5"
    )
