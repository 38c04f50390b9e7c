"""What Ray's metrics say of the requests: how many ended with which code."""

from ray.util.metrics import Counter

_REQUESTS = Counter(
    "ttsr_requests", "Requests to predict by how they ended.", tag_keys=("protocol", "code")
)


def count(protocol, code):
    """Adds a request.

    Args:
        protocol: string, "grpc" or "rest".
        code: string, gRPC's name of it or HTTP's number.
    """
    _REQUESTS.inc(tags={"protocol": protocol, "code": code})
