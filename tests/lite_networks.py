"""A small network as a .tflite, for all tests that run one."""

import contextlib
import io
from unittest import mock

import pytest

from ttsr_tf.models import MODELS, model_class


def lite_network(folder, model, weights="float16", base=None):
    """Writes a network as a checkpoint and as a .tflite, or as a patch of one in the same folder,
    compared on parts of the photographs that take a second; gives the paths of both.
    """
    from export.lite import verification
    from export.lite.config import LiteRTConfig
    from export.lite.run import export_litert
    from ttsr_tf.weights import checkpoints, tflite

    name = "patched" if base else "model"
    suffix = tflite.PATCH_SUFFIX if base else tflite.SUFFIX
    checkpoint, output = str(folder / f"{name}.safetensors"), str(folder / f"{name}{suffix}")
    checkpoints.save(model, checkpoint)
    config = LiteRTConfig(checkpoint=checkpoint, output=output, base=base, weights=weights)
    parts = {
        name: (hr[200:280, 200:300], ref[200:260, 220:320])
        for name, (hr, ref) in verification.sample.shown_pairs().items()
    }
    shown = mock.patch.object(verification.sample, "shown_pairs", lambda: parts)
    with shown, contextlib.redirect_stdout(io.StringIO()):
        export_litert(config)
    return checkpoint, output


@pytest.fixture(scope="session")
def small_lite(tmp_path_factory):
    """The paths of a small TTSR's checkpoint and .tflite, for who only reads them."""
    return _small(tmp_path_factory, "ttsr")


@pytest.fixture(scope="session", params=[*MODELS, "aligned"])
def every_lite(request, tmp_path_factory, small_lite):
    """The same of every network, and of a TTSR with alignment."""
    if request.param == "aligned":
        return _small(tmp_path_factory, "ttsr", alignment=True)
    return small_lite if request.param == "ttsr" else _small(tmp_path_factory, request.param)


def _small(tmp_path_factory, name, **options):
    from ttsr_tf.weights.initial import initialise

    pytest.importorskip("ai_edge_litert", reason="NOT TESTED: needs the extra `litert`")
    model = model_class(name)((1, 1, 1, 1), 4, **options)
    model.build()
    initialise(model, 3)
    return lite_network(tmp_path_factory.mktemp("lite"), model, "float32")
