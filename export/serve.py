"""Serves exported models with TF Serving's interface, without a container; on Ray Serve.

python -m export.serve --model_dir=models/ttsr
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import asyncio
import os
import signal
import socket

from absl import flags

from ttsr_tf.errors import InputError

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "The folder of the model's versions; the newest is served.", required=True
)
_MODEL_NAME = flags.DEFINE_string(
    "model_name", None, "What clients call the model. Default: the folder's name."
)
_HOST = flags.DEFINE_string("host", "127.0.0.1", "Where gRPC and REST listen; 0.0.0.0: everywhere.")
_GRPC_PORT = flags.DEFINE_integer("grpc_port", 8500, "gRPC's.", 1, 65535)
_REST_PORT = flags.DEFINE_integer("rest_port", 8501, "REST's.", 1, 65535)
_METRICS_PORT = flags.DEFINE_integer("metrics_port", 8502, "Prometheus' (of Ray).", 1, 65535)
_NUM_REPLICAS = flags.DEFINE_integer(
    "num_replicas",
    1,
    "Processes with the model, that is how many requests are worked on at once; each takes the "
    "memory that the export printed.",
    lower_bound=1,
)
_MAX_QUEUED_REQUESTS = flags.DEFINE_integer(
    "max_queued_requests", 16, "Requests that wait; one more is refused.", lower_bound=0
)
_MAX_REQUEST_MB = flags.DEFINE_integer(
    "max_request_mb", 32, "Size of the largest request; larger ones are refused.", 1, 1024
)

_LONGEST_STOP = 600  # seconds in which requests under way end


def main():
    # Ray reads them when it is imported. Without the second one, whose name is of the systems on
    # which that is the default, Ray's own ports would listen on every interface.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        from export.server import replicas, served
    except ImportError as error:
        raise InputError(
            f"Serving needs Ray and tensorflow-serving-api ({error}): pip install 'ttsr-tf[ray]'."
        ) from None
    for flag in _GRPC_PORT, _REST_PORT, _METRICS_PORT:
        _require_free(flag)
    folder = os.path.abspath(_MODEL_DIR.value)
    name = _MODEL_NAME.value or os.path.basename(folder)
    model = served.Served(name, folder, _NUM_REPLICAS.value)
    print("Starting Ray and loading the model: about half a minute.", flush=True)
    with replicas.cluster(_METRICS_PORT.value):
        asyncio.run(_serve(model))


def _require_free(flag):
    """Before Ray's long start. The port is bound again later."""
    try:
        with socket.create_server((_HOST.value, flag.value)):
            pass
    except OSError as error:
        raise InputError(
            f"Can't listen on port {flag.value} of {_HOST.value} ({os.strerror(error.errno)}). "
            f"Choose another --{flag.name}."
        ) from None


async def _serve(model):
    from aiohttp import web

    from export.server import grpc_service, rest
    from export.server.queue import Queue

    stop = asyncio.Event()

    def stop_soon():
        stop.set()
        print("Stopping: what is under way ends first.", flush=True)

    for name in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(name, stop_soon)
    number = await model.load()
    if stop.is_set():
        return

    most_bytes = _MAX_REQUEST_MB.value * 2**20
    most_requests = _NUM_REPLICAS.value + _MAX_QUEUED_REQUESTS.value
    queue = Queue(_NUM_REPLICAS.value, _MAX_QUEUED_REQUESTS.value)
    address = f"{_HOST.value}:{_GRPC_PORT.value}"
    grpc_server = grpc_service.server(address, model, queue, most_requests, most_bytes)
    await grpc_server.start()
    rest_server = web.AppRunner(
        rest.application(model, queue, most_bytes), shutdown_timeout=_LONGEST_STOP
    )
    await rest_server.setup()
    await web.TCPSite(rest_server, _HOST.value, _REST_PORT.value).start()
    print(
        f"Serving {model.name}, version {number}: gRPC {address}, REST "
        f"http://{_HOST.value}:{_REST_PORT.value}/v1/models/{model.name}. Stop with Ctrl-C.",
        flush=True,
    )
    watching = asyncio.create_task(model.watch())
    await stop.wait()
    watching.cancel()
    await asyncio.gather(grpc_server.stop(_LONGEST_STOP), rest_server.cleanup())


if __name__ == "__main__":
    cli.run(main)
