"""The one exception that is meant for the person at the keyboard."""


class InputError(ValueError):
    """What was given can't be used. The message is one line: what was given, what is allowed,
    and how to mend it. The commands print it without a traceback and exit with 1.
    """
