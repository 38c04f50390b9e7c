"""What every command does around its work: flags, quiet start, errors for people."""

import contextlib
import os
import re
import sys

# Must precede the import of TensorFlow, whose start-up prints lines that help no user.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import app, flags, logging

from ttsr_tf.errors import InputError

STOPPED = 130  # the exit code that shells give after Ctrl-C


@contextlib.contextmanager
def stderr_muted():
    """Within it nothing reaches stderr, not even what C++ code prints to the file descriptor."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


with stderr_muted():  # it prints about missing GPUs, whatever the level is
    import tensorflow as tf

    tf.config.list_physical_devices()


def run(main, stopped="Stopped."):
    """Parses flags and calls `main()`.

    An `InputError` ends with one line and exit code 1, Ctrl-C with the line `stopped` and 130.
    """

    def without_arguments(argv):
        if len(argv) > 1:
            _fail(f"unexpected {argv[1]!r}: give every value as --flag=value (see --help)")
        logging.set_verbosity(logging.WARNING)
        try:
            main()
        except InputError as error:
            _fail(str(error))
        except KeyboardInterrupt:
            print(f"\n{stopped}", file=sys.stderr)
            sys.exit(STOPPED)

    app.run(without_arguments, flags_parser=_parse)


def flag_lines():
    """The command's flags as they are resolved: lines of a flagfile."""
    ours = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    return "\n".join(flag.serialize() for flag in ours if flag.value is not None).splitlines()


def _parse(argv):
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        text = re.sub(r"flag (--\w+)=None: .* than None\.", r"\1 is missing.", str(error))
        _fail(f"{text} (see --help)".replace("\n", " ").replace("ERROR:: ", ""))


def _fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)
