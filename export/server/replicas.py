"""Ray: a cluster of this machine alone, and a model's replicas on it by Ray Serve."""

import contextlib
import logging
import os
import re
import threading

import ray
import tensorflow as tf
from ray import serve
from ray.serve.schema import LoggingConfig
from tensorflow_serving.apis import prediction_log_pb2

from ttsr_tf.errors import InputError

from ..graph.session import Session
from ..package import warmup


@contextlib.contextmanager
def cluster(metrics_port: int):
    """Starts Ray and Ray Serve, ends them afterwards.

    Args:
        metrics_port: where Prometheus finds Ray's metrics.
    """
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    ray.init(
        address="local",
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        _metrics_export_port=metrics_port,
    )
    try:
        # Without its proxies: they listen for gRPC on every interface, bound no request's size,
        # and refuse by other codes than TF Serving.
        serve.start(proxy_location="Disabled", logging_config=_quiet())
        yield
    finally:
        ray.shutdown()


def start(path: str, name: str, num_replicas: int) -> tuple:
    """Loads a version; returns when all replicas have it.

    Args:
        path: the SavedModel's folder.
        name: what `stop` calls them.
        num_replicas: int.

    Returns:
        A handle, a dict of SignatureDef by name.

    Raises:
        InputError: it can't be loaded.
    """
    # A lone thread is given other convolutions, whose sums are rounded otherwise.
    threads = max(2, (os.cpu_count() or 1) // num_replicas)
    application = (
        serve.deployment(Replica)
        .options(
            num_replicas=num_replicas,
            # More than `Queue` lets in. A replica that has refused one, since the one before was
            # still ending, would count as full for ten seconds.
            max_ongoing_requests=2 * num_replicas,
            max_constructor_retry_count=1,  # a broken version stays broken
            health_check_period_s=1,  # how soon a replica that ended is replaced
            # A new version is loaded while the old one still has all of the machine.
            ray_actor_options={"num_cpus": 0},
            logging_config=_quiet(),
        )
        .bind(path, threads)
    )
    try:
        handle = serve.run(application, name=name, route_prefix=None)
    except RuntimeError:
        (deployment,) = serve.status().applications[name].deployments.values()
        # Ray's message is the whole of several stacks.
        reason = deployment.message.strip().splitlines()[-1]
        raise InputError(f"Can't load {path}: {reason}") from None
    return handle, handle.signatures.remote().result()


def running(name: str) -> int:
    """How many of the replicas that were started as `name` are there, busy or not."""
    application = serve.status().applications.get(name)
    deployments = application.deployments.values() if application else ()
    return sum(deployment.replica_states.get("RUNNING", 0) for deployment in deployments)


def stop(name: str) -> None:
    """Ends the replicas that were started as `name`."""
    serve.delete(name)


def _quiet():
    return LoggingConfig(log_level="ERROR", enable_access_log=False)


class Invalid(str):
    """Why the graph refused a request: returned, since what is raised counts as a failure."""


class Replica:
    """One process with the model.

    Args:
        path: the SavedModel's folder.
        threads: int, of TensorFlow.
    """

    def __init__(self, path, threads):
        tf.get_logger().setLevel("ERROR")
        self._session = Session(path, threads)
        self._one_at_a_time = threading.Lock()  # memory is what one request takes
        self._warm_up(os.path.join(path, warmup.FILE))

    def signatures(self):
        """A dict of SignatureDef by name, without TensorFlow's own."""
        given = self._session.signatures.items()
        return {name: signature for name, signature in given if not name.startswith("__")}

    def run(self, signature_name, inputs):
        """A dict of arrays from a dict of arrays, or `Invalid`."""
        try:
            with self._one_at_a_time:
                return self._session.run(signature_name, **inputs)
        except tf.errors.InvalidArgumentError as error:
            return Invalid(_reason(error.message, inputs))

    def _warm_up(self, file):
        """Sends itself the requests that the export wrote: the first one takes seconds longer."""
        records = tf.data.TFRecordDataset(file) if os.path.exists(file) else ()
        for record in records:
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
            self._session.run(request.model_spec.signature_name, **inputs)


def _reason(message, inputs):
    """What people can use of TensorFlow's message: no nodes, but the input's name."""
    message = message.removeprefix("Graph execution error:").strip()
    stated = re.match(r"assertion failed: \[(.*)\]", message)
    if stated:
        return stated.group(1)
    # Decoding is named after its input; see `graph.serving_module`.
    named = "".join(f"`{name}`: " for name in inputs if f"/{name}/" in message)
    return named + message.splitlines()[0]
