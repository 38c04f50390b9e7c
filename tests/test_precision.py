"""`precision` "fast": nearly the same picture, by both engines and all that takes it."""

import numpy as np
import pytest

import ttsr_tf
from ttsr_tf import clusters
from ttsr_tf.errors import InputError
from ttsr_tf.images import luma, resizing
from ttsr_tf.inference import memory

ENGINES = "tensorflow", "litert"


@pytest.fixture(scope="module")
def photographs():
    sample = pytest.importorskip("ttsr_tf.data.sample")
    hr, ref = (picture[100:340, 150:470] for picture in next(iter(sample.shown_pairs().values())))
    return hr, resizing.downscale(hr), ref


def loaded(engine, precision):
    if engine == "litert":
        pytest.importorskip("ai_edge_litert", reason="NOT TESTED: needs the extra `litert`")
    return ttsr_tf.load("ttsr-mini", engine, precision=precision)


@pytest.mark.parametrize("engine", ENGINES)
def test_nearly_the_same_picture(photographs, monkeypatch, engine):
    monkeypatch.setattr(clusters, "LEAST_PAIRS", 10**7)
    hr, lr, ref = photographs
    exact, fast = (
        loaded(engine, precision).upscale_with_attention(lr, ref) for precision in ("exact", "fast")
    )
    assert (exact["index"] != fast["index"]).any()  # it did something else
    assert np.mean(exact["confidence"] - fast["confidence"] <= 0.01) >= 0.95
    assert luma.psnr(hr, fast["sr"]) == pytest.approx(luma.psnr(hr, exact["sr"]), abs=0.03)


def test_what_it_takes_is_known(photographs):
    sizes = (300, 400), [(1200, 1600)]
    models = [
        ttsr_tf.load("ttsr-mini", precision=precision).model for precision in ("exact", "fast")
    ]
    exact, fast = (model.flops(*sizes) for model in models)
    assert fast < exact / 3
    small = (20, 30), [(120, 160)]  # searched as ever
    assert len({model.flops(*small) for model in models}) == 1
    assert len({memory.needed(model, *small) for model in models}) == 1
    exact, fast = (memory.needed(model, *sizes) for model in models)
    assert exact <= fast
    both = [loaded(engine, "fast").model.flops(*sizes) for engine in ENGINES]
    assert both[0] == pytest.approx(both[1], rel=1e-6)


def test_an_unknown_precision():
    with pytest.raises(InputError, match="`precision` must be exact or fast, got 'quick'"):
        ttsr_tf.load("ttsr-mini", precision="quick")
