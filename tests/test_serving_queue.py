"""The queue in front of the replicas, with a replica that waits until it is told to answer."""

import asyncio

import grpc
import pytest

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from ray.exceptions import ActorDiedError

from export.server.queue import Queue
from export.server.refused import Refused
from export.server.replicas import Invalid


class Replica:
    """A handle; `begun` are the requests that reached it."""

    def __init__(self):
        self.run = self
        self.begun, self._answers = [], {}

    def remote(self, signature_name, inputs):
        self.begun.append(inputs)
        self._answers[inputs] = asyncio.get_running_loop().create_future()
        return self._answers[inputs]

    async def answer(self, inputs, result):
        self._answers[inputs].set_result(result)
        await settled()

    async def fail(self, inputs, error):
        self._answers[inputs].set_exception(error)
        await settled()


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def send(queue, replica, inputs):
    with queue.place():
        return await queue.run(replica, "signature", inputs)


async def sent(queue, replica, *names):
    """Tasks, begun in this order."""
    tasks = [asyncio.ensure_future(send(queue, replica, name)) for name in names]
    await settled()
    return tasks


def test_first_come_first_served():
    async def steps():
        queue, replica = Queue(2, 2), Replica()
        tasks = await sent(queue, replica, "a", "b", "c", "d")
        assert replica.begun == ["a", "b"]
        await replica.answer("b", 1)
        assert replica.begun == ["a", "b", "c"]
        await replica.answer("a", 2)
        assert replica.begun == ["a", "b", "c", "d"]
        await replica.answer("c", 3)
        await replica.answer("d", 4)
        assert await asyncio.gather(*tasks) == [2, 1, 3, 4]

    asyncio.run(steps())


def test_one_too_many():
    async def steps():
        queue, replica = Queue(1, 1), Replica()
        first, second, third = await sent(queue, replica, "a", "b", "c")
        assert third.done()
        with pytest.raises(Refused, match="2 requests are worked on or wait") as error:
            await third
        assert error.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
        await replica.answer("a", 1)
        (fourth,) = await sent(queue, replica, "d")
        await replica.answer("b", 2)
        await replica.answer("d", 3)
        assert await asyncio.gather(first, second, fourth) == [1, 2, 3]

    asyncio.run(steps())


def test_a_client_that_left():
    async def steps():
        queue, replica = Queue(1, 2), Replica()
        first, second, third = await sent(queue, replica, "a", "b", "c")
        first.cancel()
        second.cancel()
        await settled()
        assert replica.begun == ["a"]  # it can't be interrupted: the replica isn't free yet
        await replica.answer("a", 1)
        assert replica.begun == ["a", "c"]  # nobody waits for "b"
        await replica.answer("c", 3)
        assert await third == 3

    asyncio.run(steps())


def test_failures_free_the_replica():
    async def steps():
        queue, replica = Queue(1, 3), Replica()
        invalid, died, broken, good = await sent(queue, replica, "a", "b", "c", "d")
        await replica.answer("a", Invalid("`lr` is empty."))
        await replica.fail("b", ActorDiedError())
        await replica.fail("c", RuntimeError("unforeseen"))
        await replica.answer("d", 4)
        for task, code in (
            (invalid, grpc.StatusCode.INVALID_ARGUMENT),
            (died, grpc.StatusCode.UNAVAILABLE),
        ):
            with pytest.raises(Refused) as error:
                await task
            assert error.value.code == code
        with pytest.raises(RuntimeError, match="unforeseen"):
            await broken
        assert await good == 4

    asyncio.run(steps())
