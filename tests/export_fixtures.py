"""Fixtures of exported and served models."""

import contextlib
import io
import shutil

import numpy as np
import pytest


def tiny_checkpoint(folder):
    """Writes model.safetensors, a network of random weights, to a folder; gives its path."""
    from ttsr_tf import TTSR
    from ttsr_tf.weights import checkpoints

    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    path = folder / "model.safetensors"
    checkpoints.save(model, str(path))
    return path


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    """The path of a tiny checkpoint, for all who only read it."""
    return tiny_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def worker_sets(monkeypatch):
    """What a `Worker` in this process would set of TensorFlow, which runs already; by name."""
    import tensorflow as tf

    given = {}
    for place, name in (
        (tf.config, "set_visible_devices"),
        (tf.config.threading, "set_intra_op_parallelism_threads"),
        (tf.config.threading, "set_inter_op_parallelism_threads"),
    ):
        monkeypatch.setattr(place, name, lambda *values, name=name: given.update({name: values}))
    return given


@pytest.fixture(scope="session")
def exported(tiny_weights, tmp_path_factory):
    """A folder with model.safetensors and ttsr/1, the SavedModel of it, by `export_saved_model`."""
    from export import SavedModelConfig, export_saved_model

    place = tmp_path_factory.mktemp("exported")
    path, models = shutil.copy(tiny_weights, place), place / "ttsr"
    small = {"max_lr_pixels": 1600, "max_ref_pixels": 25600}
    config = SavedModelConfig(checkpoint=path, output_dir=models, **small)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert export_saved_model(config) == str(models / "1")
    *_, equal, takes, written = said.getvalue().splitlines()
    assert equal == "Equal to the checkpoint on 1 pairs of photographs, by both signatures."
    assert takes.startswith("A request of the most pixels, 1,600 of LR and 25,600 of the reference")
    assert written == f"{models / '1'} written."
    assert [path.name for path in models.iterdir()] == ["1"]
    return place


@pytest.fixture(scope="session")
def replica(exported):
    """What Ray would run as a process, in this one."""
    pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
    from export.server.replicas import Replica

    return Replica(str(exported / "ttsr" / "1"), 2)


@pytest.fixture(scope="session")
def server(exported, replica):
    """The server with three places to wait and requests of 1 MB, as a `serving.InProcess`."""
    import serving

    def start(path, name, num_replicas):
        return serving.Handle(replica), replica.signatures()

    limits = {"max_queued_requests": 3, "max_request_mb": 1}
    with serving.in_process(exported / "ttsr", start, **limits) as server:
        yield server


@pytest.fixture(scope="session")
def exported_model(exported, pair):
    """The `Upscaler` whose network `exported` holds, with the graph that was exported."""
    from ttsr_tf import layers, load

    upscaler = load(exported / "model.safetensors")
    with layers.portable.traced():
        upscaler.upscale(*pair)
    return upscaler


@pytest.fixture(scope="session")
def pair():
    """A small picture and a reference."""
    rng = np.random.default_rng(7)
    return tuple(rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in ((9, 14), (20, 27)))


@pytest.fixture(scope="session")
def enlarged(exported_model, pair):
    """What the network makes of `pair`."""
    return exported_model.upscale_with_attention(*pair)
