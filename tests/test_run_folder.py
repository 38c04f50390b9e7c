"""A run's folder: what its configuration may be when a run goes on."""

import dataclasses
import re

import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.training import TrainingConfig, run_folder


@pytest.fixture
def config(tmp_path):
    """Gives configurations of a run that has begun."""

    def given(**changed):
        values = {"run_dir": str(tmp_path), "max_steps": 5, "ema_momentum": 0.5}
        return TrainingConfig(**values | changed)

    run_folder.write_flags(given())
    (tmp_path / "checkpoints").mkdir()
    return given


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 1}, "`seed`=0 there, `seed`=1 now"),
        ({"skip_corrupt": True}, "`skip_corrupt`=False there, `skip_corrupt`=True now"),
        ({"ema_momentum": None}, "`ema_momentum`=0.5 there, `ema_momentum`=None now"),
        (
            {"num_residual_blocks": (1, 2, 3, 4), "batch_size": 2},
            "`batch_size`=9 `num_residual_blocks`=16,16,8,4 there, "
            "`batch_size`=2 `num_residual_blocks`=1,2,3,4 now",
        ),
    ],
)
def test_other_values_are_named(config, tmp_path, changed, message):
    before = (tmp_path / run_folder.FLAGS).read_text()
    with pytest.raises(InputError, match=re.escape(f"other values: {message}. To go on")):
        run_folder.check(config(**changed))
    assert (tmp_path / run_folder.FLAGS).read_text() == before


def test_what_may_change(config):
    run_folder.check(config())
    run_folder.check(config(max_steps=9, cache_gb=0, micro_batch_size=2, keep_checkpoints=1))


def test_a_decaying_rate_ends_where_it_did(tmp_path):
    def cosine(max_steps):
        return TrainingConfig(
            run_dir=str(tmp_path), max_steps=max_steps, learning_rate_schedule="cosine"
        )

    run_folder.write_flags(cosine(5))
    (tmp_path / "checkpoints").mkdir()
    run_folder.check(cosine(5))
    with pytest.raises(InputError, match="`max_steps`=5 there, `max_steps`=6 now"):
        run_folder.check(cosine(6))


def test_a_folder_that_was_moved_goes_on(config, tmp_path):
    (tmp_path / "moved").mkdir()
    for name in (run_folder.FLAGS, "checkpoints"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    run_folder.check(dataclasses.replace(config(), run_dir=str(tmp_path / "moved")))


def test_old_names_are_answered(config, tmp_path):
    (tmp_path / run_folder.FLAGS).write_text("--run_dir=x\n--max_steps=5\n--warm_up_steps=2\n")
    with pytest.raises(InputError, match=r"run\.flags: --warm_up_steps is now --pretrain_steps"):
        run_folder.check(config())


def test_a_folder_without_checkpoints_is_taken(config, tmp_path):
    (tmp_path / "checkpoints").rmdir()
    run_folder.check(config(seed=4))


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    config = TrainingConfig(run_dir=str(tmp_path / "file"), max_steps=1)
    with pytest.raises(InputError, match=r"`run_dir`=.*file is a file\. Give a folder"):
        run_folder.check(config)
