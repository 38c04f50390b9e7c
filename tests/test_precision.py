"""`precision` "fast": nearly the same picture, by both engines and all that takes it."""

import math

import numpy as np
import pytest

import ttsr_tf
from ttsr_tf import clusters
from ttsr_tf.errors import InputError
from ttsr_tf.images import luma, resizing
from ttsr_tf.inference import encoding, memory

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


@pytest.mark.parametrize("faster", [True, False])
def test_the_backbone_alone_is_in_bfloat16_where_that_is_faster(photographs, monkeypatch, faster):
    devices = pytest.importorskip("ttsr_tf.devices")
    monkeypatch.setattr(devices, "has_fast_bfloat16", lambda: faster)
    exact, fast = (loaded("tensorflow", precision) for precision in ("exact", "fast"))
    assert fast.model.compute_dtype == ("bfloat16" if faster else "float32")
    assert {conv.compute_dtype for conv in fast.model.texture_extractor.convs} == {"float32"}
    assert {fast.model.tail[i].compute_dtype for i in (0, -1)} == {
        fast.model.compute_dtype,
        "float32",
    }
    _, lr, ref = photographs
    exact, fast = (x.upscale_with_attention(lr[:24, :33], ref[:96, :132]) for x in (exact, fast))
    np.testing.assert_array_equal(exact["index"], fast["index"])
    difference = np.abs(np.float32(exact["sr"]) - fast["sr"])
    assert difference.any() == faster and difference.mean() < 0.5  # levels


def test_values_of_large_references_take_half_of_the_memory(photographs, monkeypatch):
    _, _, ref = photographs
    exact, fast = (loaded("litert", precision) for precision in ("exact", "fast"))
    expected = exact.encode_reference(ref).value
    assert {x.dtype for x in fast.encode_reference(ref).value} == {np.dtype("float32")}
    monkeypatch.setattr(encoding, "MOST", math.prod(ref.shape[:2]) - 1)
    assert {x.dtype for x in exact.encode_reference(ref).value} == {np.dtype("float32")}
    for found, x in zip(fast.encode_reference(ref).value, expected, strict=True):
        assert found.dtype == np.float16
        np.testing.assert_allclose(found, x, rtol=1e-3, atol=1e-3)


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
    # Values of large references alone take half.
    lite = loaded("litert", "fast").model
    large, small = (1200, 1600), (1000, 1000)
    some, more = (memory.needed(lite, (30, 40), [large] + n * [small]) for n in (20, 21))
    assert more - some == pytest.approx(4 * 112 * 10**6, rel=1e-6)
    both = [loaded(engine, "fast").model.flops(*sizes) for engine in ENGINES]
    assert both[0] == pytest.approx(both[1], rel=1e-6)


def test_an_unknown_precision():
    with pytest.raises(InputError, match="`precision` must be exact or fast, got 'quick'"):
        ttsr_tf.load("ttsr-mini", precision="quick")
