"""The one exception that is meant for the person at the keyboard."""


class InputError(ValueError):
    """What was given can't be used; the message says what, and how to mend it."""
