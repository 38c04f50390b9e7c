"""Ports that servers listen on."""

import socket

from ttsr_tf.errors import InputError


def require_free(host, name, port):
    """Finds that a port is taken before a server's long start. The port is bound again later.

    Args:
        host: where the server will listen.
        name: the argument that the port was given as, for the error.
        port: int.

    Raises:
        InputError: nothing can listen there.
    """
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]  # Python adds the address
        raise InputError(
            f"Can't listen on port {port} of {host} ({reason}). Choose another `{name}`."
        ) from None
