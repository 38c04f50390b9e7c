import numpy as np
import pytest

from ttsr_tf.data.sets import Case, Stored
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import measuring, references
from ttsr_tf.evaluation.measuring import Task
from ttsr_tf.evaluation.results import Results
from ttsr_tf.images import bicubic
from ttsr_tf.images.files import metrics


def stored(name, *size):
    pixels = np.random.default_rng(len(name)).integers(256, size=(*size, 3), dtype=np.uint8)
    return Stored(name, lambda: pixels)


CASE = Case("a", stored("a_0", 50, 71), tuple(stored("a" * (k + 4), 45 + k, 62) for k in range(5)))
FROM_LR = Case("b", stored("b_HR", 50, 71), lr=stored("b_LRx", 12, 17))
SELF = references.named("self")


class Bicubic:
    """Stands for a network: fails where there is one reference of 44 rows."""

    def upscale_with_attention(self, lr, references, memory_gb, progress):
        if references and [len(ref) for ref in references] == [44]:
            raise RuntimeError("no such luck\nwith more lines")
        progress(1, 3)
        confidence = np.full(lr.shape[:2], 0.25, np.float32)
        return {"sr": 255 - bicubic.upscale(lr).numpy(), "confidence": confidence}


def test_pictures_of_the_protocol():
    hr, lr, bicubic, refs = measuring.pictures(Task(CASE, references.named("L5")), [CASE])
    np.testing.assert_array_equal(hr, CASE.hr.read()[:48, :68])
    np.testing.assert_array_equal(lr, bicubic.downscale(hr))
    np.testing.assert_array_equal(bicubic, bicubic.upscale(lr))
    np.testing.assert_array_equal(refs, [CASE.refs[4].read()[:48, :60]])
    assert measuring.pictures(Task(CASE, SELF), [CASE]).refs is None


def test_all_references_with_and_without_canvas():
    parts = [ref.read()[: len(ref.read()) // 4 * 4, :60] for ref in CASE.refs]
    best = measuring.pictures(Task(CASE, references.named("best-of-five")), [CASE]).refs
    for ref, part in zip(best, parts, strict=True):
        np.testing.assert_array_equal(ref, part)
    (canvas,) = measuring.pictures(Task(CASE, references.named("stitched")), [CASE]).refs
    expected = np.zeros((2500, 500, 3), np.uint8)
    for k, part in enumerate(parts):
        expected[500 * k : 500 * k + len(part), :60] = part
    np.testing.assert_array_equal(canvas, expected)


def test_lr_as_given():
    hr, lr, bicubic, _ = measuring.pictures(Task(FROM_LR, SELF), [FROM_LR])
    assert hr.shape == (48, 68, 3)
    np.testing.assert_array_equal(lr, FROM_LR.lr.read())
    np.testing.assert_array_equal(bicubic, bicubic.upscale(lr))
    wrong = FROM_LR._replace(lr=stored("c_LR", 17, 12))
    with pytest.raises(InputError, match=r"c_LR is 12×17 pixels, a quarter of b_HR, 17×12, is"):
        measuring.pictures(Task(wrong, SELF), [wrong])


def test_measures_what_is_not_there_and_goes_on_after_a_failure(tmp_path, capsys):
    tasks = [Task(CASE, references.named(name)) for name in ("L1", "L2", "self", "L5")]
    results = Results(tmp_path / "results.csv", {})
    failed = measuring.measure(Bicubic(), tasks, [CASE], results, metrics.Scores())
    assert failed == [("a", name, "RuntimeError: no such luck") for name in ("L1", "L2")]
    assert "failed: a, L2: RuntimeError: no such luck" in capsys.readouterr().err
    assert [row.references for row in results.rows] == ["self", "L5"]
    hr, _, bicubic, _ = measuring.pictures(tasks[2], [CASE])
    row = results.rows[0]
    np.testing.assert_allclose(row.psnr, metrics.psnr(hr, 255 - bicubic), rtol=1e-6)
    np.testing.assert_allclose(row.bicubic_psnr, metrics.psnr(hr, bicubic), rtol=1e-6)
    np.testing.assert_allclose(row.bicubic_ssim, metrics.ssim(hr, bicubic), atol=1e-5)
    assert (row.similarity, row.tiles, row.reference_pictures) == (0.25, 3, "LR")
    assert results.rows[1].reference_pictures == CASE.refs[4].name

    assert measuring.measure(Bicubic(), tasks[2:], [CASE], results, None) == []
    assert len(results.rows) == 2
