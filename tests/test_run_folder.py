"""A run's folder: what its flags may be when a run goes on."""

import re

import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.training import run_folder

FLAGS = ["--batch_size=9", "--noskip_corrupt", "--seed=0"]


@pytest.fixture
def folder(tmp_path):
    run_folder.claim(tmp_path / "run", FLAGS)
    run_folder.write_flags(tmp_path / "run", FLAGS)
    (tmp_path / "run" / "checkpoints").mkdir()
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([*FLAGS[:2], "--seed=1"], "--seed=0 there, --seed=1 now"),
        (FLAGS[:2], "--seed=0 there, none of these now"),
        ([*FLAGS, "--ema=0.9"], "none of these there, --ema=0.9 now"),
        (["--skip_corrupt", *FLAGS[::2]], "--noskip_corrupt there, --skip_corrupt now"),
    ],
)
def test_other_flags_are_named(folder, flags, message):
    with pytest.raises(InputError, match=re.escape(f"other flags: {message}. To go on")):
        run_folder.claim(folder, flags)
    assert (folder / run_folder.FLAGS).read_text().split() == FLAGS


def test_free_flags_may_change(folder):
    run_folder.claim(folder, ["--batch_size=9", "--skip_corrupt", "--seed=0"], ("skip_corrupt",))
    assert (folder / run_folder.FLAGS).read_text().split() == FLAGS  # until they are written


def test_a_folder_without_checkpoints_is_taken(tmp_path):
    run_folder.write_flags(tmp_path, FLAGS)
    run_folder.claim(tmp_path, FLAGS[:1])


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match=r"Can.t make --run_dir=.*File exists"):
        run_folder.claim(tmp_path / "run", FLAGS)
