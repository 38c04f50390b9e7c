"""Whether patches may reach beyond a map's border."""

from ttsr_tf.errors import InputError

SAME, VALID = "same", "valid"


def check_padding(padding):
    """Raises InputError unless `padding` is "same" or "valid"."""
    if padding not in (SAME, VALID):
        raise InputError(f"`padding` must be {SAME} or {VALID}, got {padding!r}.")
