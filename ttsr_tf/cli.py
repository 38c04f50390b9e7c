"""What every command does around its work: flags, a quiet start, errors for people."""

import contextlib
import ctypes
import dataclasses
import gc
import importlib.util
import os
import re
import sys
import tempfile

from absl import app, flags, logging

from ttsr_tf import configuration, processor
from ttsr_tf.errors import InputError

STOPPED = 130  # the exit code that shells give after Ctrl-C
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h
_MOST_KEPT = 2**31 - 1  # bytes, the largest int
_HELP = {"-h", "-help", "--help", "--helpshort", "--helpfull"}


def run(config_class, main, stopped="Stopped."):
    """Parses the command line and calls `main(config)`.

    An `InputError` ends with one line and exit code 1, Ctrl-C with the line `stopped` and 130.

    Args:
        config_class: a `configuration.Configuration`.
        main: the command.
        stopped: a sentence.
    """
    config = None

    def parse(argv):
        nonlocal config
        flags.FLAGS(argv[:1])  # absl.app looks at its own flags
        if _HELP & set(argv[1:]):
            print(sys.modules["__main__"].__doc__, configuration.help_of(config_class), sep="\n")
            sys.exit()
        try:
            config = configuration.parse(config_class, argv[1:])
        except InputError as error:
            _fail(f"{error} (see --help)", config_class)
        return argv[:1]

    def start(_):
        logging.set_verbosity(logging.WARNING)
        try:
            main(config)
        except InputError as error:
            _fail(str(error), config_class)
        except KeyboardInterrupt:
            print(f"\n{stopped}", file=sys.stderr)
            sys.exit(STOPPED)

    app.run(start, flags_parser=parse)


def start_tensorflow(*, prefer_onednn=True):
    """Imports TensorFlow, before whatever imports it loudly.

    Its start-up prints lines about this machine that help no user.

    Args:
        prefer_onednn: whether its kernels are those that the package's layers are fastest with, see
            `processor.prefer_onednn`, or those of its own choice, as TF Serving has them.

    Returns:
        What it printed.

    Raises:
        InputError: it isn't installed.
    """
    if not importlib.util.find_spec("tensorflow"):
        raise InputError("This needs tensorflow: pip install tensorflow.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if prefer_onednn:
        processor.prefer_onednn()
    # Its import leaves a million objects that stay: no collection shall look through them, which
    # takes a fifth of the time to a first picture.
    gc.disable()
    with stderr_kept() as said:
        import tensorflow as tf

        tf.config.list_physical_devices()
    gc.freeze()
    gc.enable()
    return "".join(said)


def keep_freed_memory():
    """For a process that computes without TensorFlow: what is freed is used again.

    C's allocator, where it is glibc's, gives large arrays back to the system and asks for new ones,
    which cost a tenth of a picture's time. Only commands do this, since it holds for the process.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)


def give_back_memory():
    """What is free goes back to the system, as far as C's allocator can do that."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def stderr_kept():
    """Within it nothing is written to stderr, not even by C++ to its file descriptor.

    Yields:
        A list that holds afterwards what was to be written, as one string; if what is within
        raises, it is written after all.
    """
    said = []
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile("w+", errors="replace") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield said
        except BaseException:
            file.seek(0)
            os.write(stderr, file.read().encode())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
        file.seek(0)
        said.append(file.read())


def _fail(message, config_class):
    """Ends the command; what libraries call `argument` is its --argument."""
    names = "|".join(field.name for field in dataclasses.fields(config_class))
    print("error:", re.sub(rf"`({names})`", r"--\1", message), file=sys.stderr)
    sys.exit(1)
