"""A command's configuration: a frozen dataclass whose fields are its flags.

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class TrainingConfig(Configuration):
        batch_size: int = integer(9, "Pairs of a step.", lower_bound=1)

absl's parser of a flag judges what a caller in Python gives too, so defaults and bounds stand once.
"""

import dataclasses
import functools
import os
import textwrap

from absl import flags

from ttsr_tf.errors import InputError

REQUIRED = dataclasses.MISSING

# What flags were called before 0.2: they are answered with the new name.
RENAMED = {
    "border": "crop_border",
    "colour": "test_y_channel or --notest_y_channel",
    "ema": "ema_momentum",
    "gradient_clip": "global_clipnorm",
    "grpc_port": "port",
    "learning_rate_decay": "learning_rate_schedule, and none is constant",
    "model_dir": "model_base_path",
    "pairs_at_once": "micro_batch_size",
    "rest_port": "rest_api_port",
    "warm_up_steps": "pretrain_steps",
}


def _field(define, default, help, *, changeable=False, **options):
    """A field of a dataclass.

    Args:
        define: absl's function that defines such a flag.
        default: its value; `REQUIRED` where there is none.
        help: a sentence.
        changeable: whether another value may be given when a run goes on.
        **options: for `define`.
    """
    metadata = {"define": functools.partial(define, help=help, **options), "changeable": changeable}
    return dataclasses.field(default=default, metadata=metadata)


string = functools.partial(_field, flags.DEFINE_string)
strings = functools.partial(_field, flags.DEFINE_multi_string)  # the flag may be repeated
integer = functools.partial(_field, flags.DEFINE_integer)
number = functools.partial(_field, flags.DEFINE_float)
switch = functools.partial(_field, flags.DEFINE_bool)
choice = functools.partial(_field, flags.DEFINE_enum)


def integers(default, help, length=None, *, upper_bound=None):
    """A field of whole numbers from 0, separated by commas in a flag; of `length` if it is given,
    else of at least one.
    """
    return _field(_define_integers, default, help, length=length, upper_bound=upper_bound)


class Configuration:
    """Base of the dataclasses; every value is judged when one is made.

    Raises:
        InputError: a value that its flag would refuse; it names the argument.
    """

    def __post_init__(self):
        defined = _defined(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None:
                value = _judged(defined[field.name], value)
                object.__setattr__(self, field.name, value)
            elif field.default is not None:
                raise InputError(f"`{field.name}` is missing.")


def parse(cls, arguments):
    """The configuration that a command line gives; the last value of a flag wins.

    Args:
        cls: a subclass of `Configuration`.
        arguments: list of str, without the command's own name.

    Raises:
        InputError: unknown or missing flags, values out of bounds; a flagfile that isn't there.
    """
    defined = _defined(cls)
    try:
        rest = defined(["command", *arguments])[1:]
    except flags.UnrecognizedFlagError as error:
        if new := RENAMED.get(error.flagname.removeprefix("no")):
            raise InputError(f"--{error.flagname} is now --{new}. Give that.") from None
        end = "" if str(error).endswith("?") else "."
        raise InputError(f"{error}{end}") from None
    except flags.Error as error:
        text = str(error).replace("\n", " ").removeprefix("ERROR:: ").removeprefix("flag ")
        raise InputError(f"{text}.") from None
    if rest:
        raise InputError(f"unexpected {rest[0]!r}: give every value as --flag=value.")
    names = [field.name for field in dataclasses.fields(cls)]
    required = [field.name for field in dataclasses.fields(cls) if field.default is REQUIRED]
    if missing := [f"--{name} is missing." for name in required if defined[name].value is None]:
        raise InputError(" ".join(missing))
    return cls(**{name: _at_home(defined[name].value) for name in names})


def lines(config):
    """The configuration as lines of a flagfile."""
    defined = _defined(type(config))
    for field in dataclasses.fields(config):
        defined[field.name].value = getattr(config, field.name)
    return "\n".join(
        defined[field.name].serialize()
        for field in dataclasses.fields(config)
        if getattr(config, field.name) not in (None, ())
    ).splitlines()


def help_of(cls):
    """The flags with their defaults and bounds, as text."""
    defined = _defined(cls)
    shown = []
    for field in dataclasses.fields(cls):
        flag = defined[field.name]
        notes = [] if flag.boolean else [flag.parser.syntactic_help]
        if field.default is REQUIRED:
            notes.append("required")
        elif field.default not in (None, ()):
            notes.append(f"default: {flag.default_as_str}")
        name = f"--[no]{field.name}" if flag.boolean else f"--{field.name}"
        about = flag.help.split(";\n")[0]  # absl adds how to repeat a flag
        text = f"{name}: {about} ({'; '.join(filter(None, notes))})".removesuffix(" ()")
        shown.append(textwrap.fill(text, 100, subsequent_indent="    "))
    return "\n".join(shown)


def _defined(cls):
    """The flags of a dataclass, on their own: other commands of the process don't see them."""
    values = flags.FlagValues()
    for field in dataclasses.fields(cls):
        default = None if field.default is REQUIRED else field.default
        field.metadata["define"](name=field.name, default=default, flag_values=values)
    return values


def _judged(flag, value):
    """What the flag's parser makes of a caller's value."""
    try:
        if isinstance(flag, flags.MultiFlag):
            given = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
            return tuple(flag.parser.parse(_plain(one)) for one in given)
        return flag.parser.parse(_plain(value))
    except (TypeError, ValueError) as error:
        raise InputError(f"`{flag.name}`={value}: {error}.") from None


def _plain(value):
    """NumPy's numbers and paths as text, which every parser takes."""
    return value if isinstance(value, (bool, int, float, str, list, tuple)) else str(value)


def _at_home(value):
    """With the path of ~, which shells leave alone within --flag=~/picture.png."""
    if isinstance(value, list):
        return [_at_home(one) for one in value]
    return os.path.expanduser(value) if isinstance(value, str) else value


def _define_integers(name, *, default, help, flag_values, **bounds):
    return flags.DEFINE(
        _Integers(**bounds), name, default, help, flag_values, flags.CsvListSerializer(",")
    )


class _Integers(flags.ArgumentParser):
    """Whole numbers from 0, separated by commas."""

    def __init__(self, *, length, upper_bound):
        super().__init__()
        self._length = length
        self._one = flags.IntegerParser(lower_bound=0, upper_bound=upper_bound)
        count = f"{length} " if length else ""
        bound = "" if upper_bound is None else f" from 0 to {upper_bound}"
        self.syntactic_help = f"{count}whole numbers{bound}, separated by commas"

    def parse(self, argument):
        given = argument.split(",") if isinstance(argument, str) else argument
        try:
            numbers = tuple(self._one.parse(one) for one in given)
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) != (self._length or max(len(numbers), 1)):
            raise ValueError(f"{self.syntactic_help}, are needed")
        return numbers
