"""Requests before a replica: a bounded number, first come, first served.

Ray Serve's own bound doesn't count a request whose body is still being read, and lets replicas
idle for up to half a second while requests wait.
"""

import asyncio
import contextlib

import grpc
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import RayServeException

from .refused import Refused, invalid
from .replicas import Invalid


class Queue:
    """Bounds the requests of a model.

    Args:
        num_replicas: how many are worked on at once.
        max_queued_requests: how many wait.

    Attributes:
        most: how many are taken in all.
    """

    def __init__(self, num_replicas: int, max_queued_requests: int):
        self.most = num_replicas + max_queued_requests
        self._free = asyncio.Semaphore(num_replicas)
        self._inside = 0

    @contextlib.contextmanager
    def place(self):
        """Holds a place for a request from its arrival to its answer.

        Raises:
            Refused: all are taken.
        """
        if self._inside >= self.most:
            raise Refused(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{self.most} requests are worked on or wait: no more are taken. Try again.",
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def run(self, handle, signature_name, inputs):
        """A dict of arrays, from a replica.

        Args:
            handle: of the version, from `replicas.start`.
            signature_name: string.
            inputs: dict of arrays.

        Raises:
            Refused: the graph refuses them, or the replica ended.
        """
        await self._free.acquire()
        # To the end, even if the client has gone: TensorFlow can't be interrupted, and the replica
        # isn't free before.
        running = asyncio.ensure_future(_answer(handle, signature_name, inputs))
        running.add_done_callback(self._done)
        result = await asyncio.shield(running)
        if isinstance(result, Invalid):
            raise invalid(str(result))
        return result

    def _done(self, running):
        self._free.release()
        running.exception()  # else Python complains where nobody waits any more


async def _answer(handle, signature_name, inputs):
    try:
        return await handle.run.remote(signature_name, inputs)
    except RayActorError:
        raise Refused(
            grpc.StatusCode.UNAVAILABLE, "The replica ended while it worked on it. Try again."
        ) from None
    except (RayError, RayServeException) as error:
        reason = str(error).strip().splitlines()[-1]
        raise Refused(grpc.StatusCode.INTERNAL, f"The replica failed: {reason}") from error
