"""How a request is turned down: a code and a reason, by gRPC and REST alike."""

import grpc

_HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
}


class Refused(Exception):
    """Ends a request; the server goes on.

    Args:
        code: `grpc.StatusCode`, one of those that have an HTTP status here.
        reason: one line for the client: what was given, what is allowed, how to mend it.
    """

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.http_status = _HTTP[code]


def invalid(reason):
    """A `Refused` for what the client has to mend."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, reason)
