"""Serves a model from its configuration until somebody wants it to stop."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from . import config as configs
from . import grpc_service, replicas, rest
from .model_versions import ModelVersions
from .queue import Queue

_LONGEST_STOP = 600  # seconds in which requests under way end


def serve_saved_model(
    config: configs.ServeConfig, stopped: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Serves a model, with Ray on this machine; returns when it is stopped.

    Args:
        config: a `ServeConfig`.
        stopped: a coroutine function that returns when the server shall end, which it does when
            the requests under way have; default: never, but Ctrl-C raises KeyboardInterrupt.

    Raises:
        InputError: a model that can't be loaded, ports that are taken, an extra that is missing.
    """
    configs.check(config)
    model = ModelVersions(config.name, config.model_base_path, num_replicas=config.num_replicas)
    print("Starting Ray and loading the model: about half a minute.", flush=True)
    with replicas.cluster(config.metrics_port):
        asyncio.run(_serve(config, model, stopped or asyncio.Event().wait))


async def _serve(config, model, stopped):
    stop = asyncio.create_task(stopped())
    await asyncio.sleep(0)  # it begins: a wish to stop while the model is loaded is heard
    number = await model.load()
    if stop.done():
        return
    most_bytes = config.max_request_mb * 2**20
    queue = Queue(config.num_replicas, config.max_queued_requests)
    address = f"{config.host}:{config.port}"
    grpc_server = grpc_service.server(address, model, queue, most_bytes=most_bytes)
    await grpc_server.start()
    rest_server = web.AppRunner(
        rest.application(model, queue, most_bytes=most_bytes), shutdown_timeout=_LONGEST_STOP
    )
    await rest_server.setup()
    await web.TCPSite(rest_server, config.host, config.rest_api_port).start()
    print(
        f"Serving {model.name}, version {number}: gRPC {address}, REST "
        f"http://{config.host}:{config.rest_api_port}/v1/models/{model.name}. Stop with Ctrl-C.",
        flush=True,
    )
    watching = asyncio.create_task(model.watch())
    await stop
    watching.cancel()
    await asyncio.gather(grpc_server.stop(_LONGEST_STOP), rest_server.cleanup())
