"""`train` with a network of one convolution: ended, gone on with, made longer, out of space."""

import re
import resource

import numpy as np
import pytest
from one_convolution import stand_in
from small_trainings import StopAfter, assert_same, config, everything, rows

import ttsr_tf
from ttsr_tf.errors import InputError
from ttsr_tf.training import distribution, train
from ttsr_tf.weights import files

pytestmark = pytest.mark.xdist_group("training_run")  # they share a run


@pytest.fixture(autouse=True)
def one_network(one_convolution):
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run of ten steps, and every step's reconstruction loss."""
    run_dir = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)
        assert train(config(run_dir)).done
        losses = run_dir / "losses"
        train(config(losses, summary_every=1, validate_every=1000))
    return run_dir, {step: float(row["reconstruction"]) for step, row in rows(losses).items()}


def test_the_table_averages_the_steps_since_its_last_row(whole):
    run_dir, losses = whole
    table = rows(run_dir)
    assert list(table) == [3, 5, 6, 9, 10]
    for step, since in ((3, (1, 2, 3)), (6, (4, 5, 6)), (9, (7, 8, 9)), (10, (10,))):
        expected = np.mean([losses[n] for n in since])
        np.testing.assert_allclose(float(table[step]["reconstruction"]), expected, rtol=1e-12)
    assert not table[3]["critic"]
    assert float(table[6]["critic"]) != 0
    assert [step for step, row in table.items() if row["psnr"]] == [5, 10]


@pytest.mark.parametrize("stops", [(2, 6), (4,), (1, 1, 1, 5)])
def test_stopped_and_gone_on_with_it_is_the_same_run(whole, tmp_path, stops, capsys):
    done = 0
    for steps in stops:
        result = train(config(tmp_path), stop=StopAfter(steps))
        done += steps
        assert (result.done, result.run_dir) == (False, str(tmp_path))
        assert ttsr_tf.load(tmp_path).model.built
    capsys.readouterr()
    result = train(config(tmp_path))
    assert f"parameters, step {done}." in capsys.readouterr().out
    assert result.done
    assert_same(whole[0], tmp_path)
    assert rows(tmp_path) == rows(whole[0])
    for name in "model", "best":
        a, b = (files.read(str(place / f"{name}.safetensors")) for place in (whole[0], tmp_path))
        assert list(a) == list(b)
        assert all((a[array] == b[array]).all() for array in a)


def test_numbers_that_are_read_seldom_are_the_same(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(distribution, "read_every", lambda: 4)
    reads, read = [], distribution.Report.read
    monkeypatch.setattr(distribution.Report, "read", lambda self: reads.append(None) or read(self))
    stopped = train(config(tmp_path), stop=StopAfter(2))  # nobody else has to hear of it
    assert not stopped.done and len(reads) == 2
    assert train(config(tmp_path)).done
    assert len(reads) == 10
    assert_same(whole[0], tmp_path)
    assert rows(tmp_path) == rows(whole[0])


def test_what_was_written_after_the_last_checkpoint_is_written_anew(whole, tmp_path):
    """As after a kill: the table is ahead of the checkpoint, and ends within a line."""
    train(config(tmp_path), stop=StopAfter(5))
    with open(tmp_path / "scalars.csv", "a") as file:
        file.write("6,1,1,1\n9,")
    train(config(tmp_path))
    assert rows(tmp_path) == rows(whole[0])


def test_a_run_that_ended_within_its_pretraining_is_made_longer(whole, tmp_path):
    assert train(config(tmp_path, max_steps=2)).done
    assert train(config(tmp_path)).done
    assert_same(whole[0], tmp_path)
    table = rows(tmp_path)
    assert list(table) == [2, 3, 5, 6, 9, 10]
    del table[2]
    assert table == rows(whole[0])


def test_other_values_leave_the_run_as_it_is(whole):
    run_dir, _ = whole
    before = {path: path.read_bytes() for path in run_dir.glob("*.*") if path.is_file()}
    with pytest.raises(InputError, match="`batch_size`=2 `seed`=0 there, `batch_size`=4 `seed`=1"):
        train(config(run_dir, batch_size=4, seed=1))
    with pytest.raises(InputError, match=r"`max_steps`=9: this run has done 10 steps\. Give more"):
        train(config(run_dir, max_steps=9))
    assert {path: path.read_bytes() for path in before} == before


def test_a_full_disk_leaves_the_last_checkpoint(whole, tmp_path):
    """As if: from the sixth step on, files can't grow beyond 2 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**11, before[1]))

    try:
        with pytest.raises(InputError) as error:
            train(config(tmp_path, checkpoint_minutes=0), stop=StopAfter(6, fill))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert re.match(r"Step 6 can't be written \(.*too large", str(error.value))
    assert re.search(r"checkpoint, \S*ckpt-5, is whole: free some space", str(error.value))
    assert train(config(tmp_path, checkpoint_minutes=0)).done
    assert_same(whole[0], tmp_path)
    assert rows(tmp_path) == rows(whole[0])


def test_averaged_weights_are_validated_and_kept_beside_those_that_learn(whole, tmp_path):
    train(config(tmp_path, ema_momentum=0.5))
    averaged, plain = (ttsr_tf.load(d).model.get_weights() for d in (tmp_path, whole[0]))
    assert all((a != b).any() for a, b in zip(averaged, plain, strict=True))
    arrays = [x.tobytes() for x in everything(tmp_path).values() if isinstance(x, np.ndarray)]
    assert all(x.tobytes() in arrays for x in [*plain, *averaged])
    assert rows(tmp_path)[5]["psnr"] != rows(whole[0])[5]["psnr"]
