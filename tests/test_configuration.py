"""Dataclasses as flags, flagfiles and Python arguments, judged alike."""

import dataclasses

import numpy as np
import pytest

from ttsr_tf import configuration
from ttsr_tf.configuration import REQUIRED, choice, integer, integers, number, string, strings
from ttsr_tf.configuration import switch as switch_
from ttsr_tf.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Configuration):
    lr: str = string(REQUIRED, "The small picture.")
    ref: tuple[str, ...] = strings((), "References.")
    steps: int = integer(9, "How many.", lower_bound=1)
    rate: float | None = number(None, "How fast.", lower_bound=0, changeable=True)
    kind: str = choice("a", "Which.", enum_values=["a", "b"])
    verify: bool = switch_(True, "Whether.")
    blocks: tuple[int, ...] = integers((16, 8), "Of the network.", length=2)
    angles: tuple[int, ...] = integers((0,), "From where.", upper_bound=90)


FLAGS = "--lr=x.png", "--ref=a", "--ref=b", "--rate=1e-3", "--noverify", "--blocks=1,2"
VALUES = {"lr": "x.png", "ref": ["a", "b"], "rate": 1e-3, "verify": False, "blocks": [1, 2]}


def test_flags_are_arguments():
    config = configuration.parse(Config, FLAGS)
    assert config == Config(**VALUES)
    assert dataclasses.asdict(config) == {
        "lr": "x.png",
        "ref": ("a", "b"),
        "steps": 9,
        "rate": 0.001,
        "kind": "a",
        "verify": False,
        "blocks": (1, 2),
        "angles": (0,),
    }


def test_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    config = configuration.parse(Config, ["--lr=~/x.png", "--ref=~/a", "--ref=b/~"])
    assert (config.lr, config.ref) == ("/home/somebody/x.png", ("/home/somebody/a", "b/~"))


def test_lines_are_a_flagfile(tmp_path):
    for config in (Config(**VALUES), Config(lr="a b=c"), Config(lr="y", ref=["a"], rate=0)):
        lines = configuration.lines(config)
        (tmp_path / "flags").write_text("\n".join(["# a comment", *lines]))
        assert configuration.parse(Config, [f"--flagfile={tmp_path / 'flags'}"]) == config


def test_the_last_value_wins_and_flagfiles_nest(tmp_path):
    (tmp_path / "base").write_text("--steps=3\n--kind=b\n--lr=base\n")
    (tmp_path / "more").write_text(f"--flagfile={tmp_path / 'base'}\n--steps=4\n")
    config = configuration.parse(Config, [f"--flagfile={tmp_path / 'more'}", "--lr=mine"])
    assert (config.steps, config.kind, config.lr) == (4, "b", "mine")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--steps=0"], "--steps=0: 0 is not a positive integer."),
        (["--steps=x"], "--steps=x: invalid literal for int() with base 10: 'x'."),
        (["--rate=-1"], "--rate=-1: -1.0 is not a non-negative number."),
        (["--kind=c"], "--kind=c: value should be one of <a|b>."),
        (["--blocks=1,2,3"], "--blocks=1,2,3: 2 whole numbers, separated by commas, are needed."),
        (["--blocks=1,-2"], "--blocks=1,-2: 2 whole numbers, separated by commas, are needed."),
        (["--scale=3"], "Unknown command line flag 'scale'."),
        (["--steeps=3"], "Unknown command line flag 'steeps'. Did you mean: steps ?"),
        (["--colour=y"], "--colour is now --test_y_channel or --notest_y_channel. Give that."),
        (["--angles=5,91"], "--angles=5,91: whole numbers from 0 to 90, separated by commas, are"),
        (["--angles="], "--angles=: whole numbers from 0 to 90, separated by commas, are needed."),
        (["--steps=2"], "--lr is missing."),
        (["more", "--lr=x"], "unexpected 'more': give every value as --flag=value."),
        (["--flagfile=none"], "Unable to open flagfile: [Errno 2] No such file or directory"),
    ],
)
def test_bad_flags(flags, message):
    with pytest.raises(InputError) as error:
        configuration.parse(Config, flags)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "`steps`=0: 0 is not a positive integer."),
        ({"steps": 1.5}, "`steps`=1.5: Expect argument to be a string or int"),
        ({"steps": None}, "`steps` is missing."),
        ({"lr": None}, "`lr` is missing."),
        ({"rate": "fast"}, "`rate`=fast: could not convert string to float"),
        ({"kind": "c"}, "`kind`=c: value should be one of <a|b>."),
        ({"blocks": (1,)}, "`blocks`=(1,): 2 whole numbers, separated by commas, are needed."),
    ],
)
def test_bad_arguments(values, message):
    with pytest.raises(InputError) as error:
        Config(**{"lr": "x", **values})
    assert str(error.value).startswith(message)


def test_what_people_give_is_taken(tmp_path):
    config = Config(lr=tmp_path, ref="one", steps=np.int64(3), rate=np.float32(0.5), blocks="3,4")
    assert (config.lr, config.ref, config.steps) == (str(tmp_path), ("one",), 3)
    assert (config.rate, config.blocks) == (0.5, (3, 4))
    assert Config(lr="x", angles="3,4,5").angles == (3, 4, 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.steps = 4


def test_help_says_defaults_and_bounds():
    shown = configuration.help_of(Config)
    assert shown.splitlines()[0] == "--lr: The small picture. (required)"
    assert "--steps: How many. (a positive integer; default: '9')" in shown
    assert "--rate: How fast. (a non-negative number)\n" in shown
    assert "--[no]verify: Whether. (default: 'true')" in shown
    assert "--kind: <a|b>: Which. (default: 'a')" in shown
