"""A small network as a .tflite, for all tests that run one."""

import contextlib
import io

import pytest


def lite_network(folder, model, weights="float16"):
    """Writes a network as a checkpoint and as a .tflite; gives the paths of both."""
    from export.lite.config import LiteRTConfig
    from export.lite.run import export_litert
    from ttsr_tf.weights import checkpoints

    checkpoint, output = str(folder / "model.safetensors"), str(folder / "model.tflite")
    checkpoints.save(model, checkpoint)
    config = LiteRTConfig(checkpoint=checkpoint, output=output, weights=weights)
    with contextlib.redirect_stdout(io.StringIO()):
        export_litert(config)
    return checkpoint, output


@pytest.fixture(scope="session")
def small_lite(tmp_path_factory):
    """The paths of a small network's checkpoint and .tflite, for who only reads them."""
    from ttsr_tf import TTSR
    from ttsr_tf.weights.initial import initialise

    pytest.importorskip("ai_edge_litert", reason="NOT TESTED: needs the extra `litert`")
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    initialise(model, 3)
    return lite_network(tmp_path_factory.mktemp("lite"), model, "float32")
