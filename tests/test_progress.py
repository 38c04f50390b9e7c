"""The plain lines; the bar is tqdm's."""

import pytest

from ttsr_tf import progress


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_first_step_is_not_part_of_the_rate(clock, capsys):
    shown = progress.Progress(8, "step", done=2)
    for seconds in 90, 4, 8, 1, 1, 1:  # a line where ten seconds are over, and for the last one
        clock[0] += seconds
        shown.advance(loss=seconds)
    shown.close()
    assert capsys.readouterr().out.splitlines() == [
        "step 3/8, loss 90",
        "step 5/8, loss 8, 18 s left",
        "step 8/8, loss 1, 0 s left",
    ]


def test_one_step_alone(clock, capsys):
    shown = progress.Progress(1, "pair")
    shown.advance()
    assert capsys.readouterr().out == "pair 1/1, 0 s left\n"
