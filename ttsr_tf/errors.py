"""The one exception that is meant for the person at the keyboard, and how it names many things."""


class InputError(ValueError):
    """What was given can't be used. The message is one line: what was given, what is allowed,
    and how to mend it. The commands print it without a traceback and exit with 1.
    """

    ag_pass_through = True  # AutoGraph, which Keras 2 reads steps with, would raise another one


NAMED_AT_MOST = 20


def first_of(names, most=NAMED_AT_MOST):
    """A list of names for an error: the first ones, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
