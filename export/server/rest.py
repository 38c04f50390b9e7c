"""TF Serving's REST interface: predict, status, metadata; and /healthz."""

import asyncio
import concurrent.futures
import json
import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from google.protobuf import json_format

from . import checks, json_values
from .counter import count
from .model_versions import ModelVersions
from .queue import Queue
from .refused import Refused, invalid

_SLOWEST_BODY = 60  # seconds; it holds a place in the queue

_MODEL, _QUEUE, _MOST_BYTES, _WORKER = (
    web.AppKey(name) for name in ("model", "queue", "most_bytes", "worker")
)


def application(model: ModelVersions, queue: Queue, *, most_bytes: int) -> web.Application:
    """The interface, for aiohttp.

    Args:
        model: what is served.
        queue: what bounds the requests.
        most_bytes: the most that a request may have.
    """
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    app = web.Application(middlewares=[_errors_as_json], client_max_size=most_bytes)
    app[_MODEL], app[_QUEUE], app[_MOST_BYTES] = model, queue, most_bytes
    # One, since JSON takes many times its size while it is read.
    app[_WORKER] = concurrent.futures.ThreadPoolExecutor(1)
    app.router.add_get("/healthz", _health)
    for version in ("", "/versions/{version:[0-9]+}"):
        path = "/v1/models/{name:[^/:]+}" + version
        app.router.add_get(path, _status)
        app.router.add_get(path + "/metadata", _metadata)
        app.router.add_post(path + ":predict", _predict)
    return app


def _is_ours(record):
    """Whether an error isn't the client's, such as one of gRPC's on this port."""
    return not record.exc_info or not isinstance(record.exc_info[1], HttpProcessingError)


@web.middleware
async def _errors_as_json(request, handler):
    try:
        return await handler(request)
    except Refused as refused:
        if refused.http_status == 500:
            logging.exception("A request failed")
        return _error(refused.http_status, refused.reason)
    except web.HTTPRequestEntityTooLarge:
        most = request.app[_MOST_BYTES]
        return _error(413, f"The body is too large: at most {most} bytes are allowed.")
    except web.HTTPException as error:
        return _error(error.status, f"{request.method} {request.path}: {error.reason}.")


def _error(status, reason):
    return web.json_response({"error": reason}, status=status)


async def _health(request):
    if await request.app[_MODEL].answers():
        return web.json_response({"status": "ok"})
    return web.json_response({"status": "no replica is running"}, status=503)


async def _predict(request):
    try:
        with request.app[_QUEUE].place():
            answer = await _predicted(request)
    except Refused as refused:
        count("rest", str(refused.http_status))
        raise
    except web.HTTPException as error:
        count("rest", str(error.status))
        raise
    count("rest", "200")
    return web.Response(body=answer, content_type="application/json")


async def _predicted(request):
    app, aside = request.app, asyncio.get_running_loop().run_in_executor
    if "Content-Encoding" in request.headers:  # a small body could be unpacked to a large one
        raise invalid("Send the body as it is, without a Content-Encoding.")
    try:
        body = await asyncio.wait_for(request.read(), _SLOWEST_BODY)
    except asyncio.TimeoutError:
        raise web.HTTPRequestTimeout() from None
    with app[_MODEL].use(request.match_info["name"], _version(request)) as version:
        given = await aside(app[_WORKER], json_values.parse, body)
        name, signature = checks.signature(version.signatures, given.signature_name)
        inputs = await aside(app[_WORKER], json_values.arrays, signature, given, app[_MOST_BYTES])
        outputs = await app[_QUEUE].run(version.handle, name, inputs)
        return await aside(app[_WORKER], json_values.answer, outputs, given.rows)


async def _status(request):
    versions = request.app[_MODEL].versions(request.match_info["name"], _version(request))
    return web.json_response(
        {
            "model_version_status": [
                {
                    "version": str(version.number),
                    "state": version.state,
                    "status": {
                        "error_code": "UNKNOWN" if version.error else "OK",
                        "error_message": version.error,
                    },
                }
                for version in versions
            ]
        }
    )


async def _metadata(request):
    name = request.match_info["name"]
    with request.app[_MODEL].use(name, _version(request)) as version:
        signatures = {
            key: json_format.MessageToDict(signature, preserving_proto_field_name=True)
            for key, signature in version.signatures.items()
        }
        spec = {"name": name, "signature_name": "", "version": str(version.number)}
    return web.json_response(
        {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}},
        dumps=lambda value: json.dumps(value, indent=1),
    )


def _version(request):
    """The number in the address, or None."""
    number = request.match_info.get("version")
    return None if number is None else int(number)
