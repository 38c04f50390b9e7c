"""TF Serving's gRPC interface: Predict, GetModelMetadata, GetModelStatus."""

import functools
import logging

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from . import checks, tensors
from .counter import count
from .model_versions import ModelVersions
from .queue import Queue
from .refused import Refused, invalid

_STATES = get_model_status_pb2.ModelVersionStatus.State
_STATUS_CALLS = 16  # that are answered at once while as many requests as are taken are inside
_NO_COMPRESSION = 1  # the set of algorithms that holds only the first, which is none


def server(address: str, model: ModelVersions, queue: Queue, *, most_bytes: int) -> grpc.aio.Server:
    """A server, not yet started.

    Args:
        address: "host:port".
        model: what is served.
        queue: what bounds the requests.
        most_bytes: the most that a request may have.

    Raises:
        RuntimeError: the address can't be used.
    """
    result = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", most_bytes),
            ("grpc.so_reuseport", 0),  # a second server must not share the port
            # What a compressed message holds is bounded after it has been unpacked only.
            ("grpc.compression_enabled_algorithms_bitset", _NO_COMPRESSION),
        ],
        maximum_concurrent_rpcs=queue.most + _STATUS_CALLS,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Prediction(model, queue, most_bytes), result
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Model(model), result)
    result.add_insecure_port(address)
    return result


def _refusing(method):
    """`method` with `Refused` as gRPC's status."""

    @functools.wraps(method)
    async def refusing(self, request, context):
        try:
            return await method(self, request, context)
        except Refused as refused:
            if refused.code == grpc.StatusCode.INTERNAL:
                logging.exception("A request failed")
            await context.abort(refused.code, refused.reason)

    return refusing


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model, queue, most_bytes):
        self._model = model
        self._queue = queue
        self._most_bytes = most_bytes

    @_refusing
    async def Predict(self, request, context):
        try:
            with self._queue.place():
                result = await self._predict(request)
        except Refused as refused:
            count("grpc", refused.code.name)
            raise
        count("grpc", grpc.StatusCode.OK.name)
        return result

    async def _predict(self, request):
        spec = request.model_spec
        with self._model.use(spec.name, _version(spec)) as version:
            name, signature = checks.signature(version.signatures, spec.signature_name)
            inputs = tensors.arrays(signature, request.inputs, self._most_bytes)
            for wanted in request.output_filter:
                if wanted not in signature.outputs:
                    raise invalid(f"There is no output `{wanted}`.")
            outputs = await self._queue.run(version.handle, name, inputs)
        response = predict_pb2.PredictResponse()
        _describe(response.model_spec, self._model.name, version.number)
        response.model_spec.signature_name = name
        for key, value in outputs.items():
            if not request.output_filter or key in request.output_filter:
                tensors.write(value, response.outputs[key])
        return response

    @_refusing
    async def GetModelMetadata(self, request, context):
        if list(request.metadata_field) != ["signature_def"]:
            raise invalid('`metadata_field` must be ["signature_def"].')
        with self._model.use(request.model_spec.name, _version(request.model_spec)) as version:
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            _describe(response.model_spec, self._model.name, version.number)
            signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=version.signatures)
            response.metadata["signature_def"].Pack(signatures)
            return response


class _Model(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, model):
        self._model = model

    @_refusing
    async def GetModelStatus(self, request, context):
        spec = request.model_spec
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self._model.versions(spec.name, _version(spec)):
            status = response.model_version_status.add()
            status.version = version.number
            status.state = _STATES.Value(version.state)
            status.status.error_message = version.error
            if version.error:
                status.status.error_code = grpc.StatusCode.UNKNOWN.value[0]
        return response


def _version(spec):
    """The number that a request asks for, or None."""
    if spec.version_label:
        raise invalid(f"Versions have no labels, got `{spec.version_label}`. Give its number.")
    return spec.version.value if spec.HasField("version") else None


def _describe(spec, name, number):
    spec.name = name
    spec.version.value = number
