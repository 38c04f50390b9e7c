import io

import numpy as np
import pictures
import PIL.Image
import pytest

from ttsr_tf.data.sets import Case, Stored
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import comparison, measuring, references
from ttsr_tf.evaluation.kept import Kept
from ttsr_tf.evaluation.measuring import Method, Task
from ttsr_tf.evaluation.results import Results
from ttsr_tf.images import bicubic, files, metrics, sheets


def stored(name, *size):
    pixels = np.random.default_rng(len(name)).integers(256, size=(*size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return Stored(name, buffer.getvalue)


CASE = Case("a", stored("a_0", 50, 71), tuple(stored("a" * (k + 4), 45 + k, 62) for k in range(5)))
FROM_LR = Case("b", stored("b_HR", 50, 71), lr=stored("b_LRx", 12, 17))
SELF = references.named("self")


class Bicubic:
    """Stands for an upscaler: fails where there is one reference of 44 rows."""

    def __init__(self):
        self.calls = 0

    def upscale_with_attention(self, lr, references, memory_gb, *, progress=None):
        self.calls += 1
        if references and [len(ref) for ref in references] == [44]:
            raise RuntimeError("no such luck\nwith more lines")
        if progress:
            progress(1, 3)
        confidence = np.full(lr.shape[:2], 0.25, np.float32)
        # Nearer to the truth or not, which sorts the pictures.
        sr = np.uint8(np.abs(np.int32(bicubic.upscale(lr)) - int(lr[0, 0, 0]) // 4))
        return {"sr": sr, "confidence": confidence}


def method(cases=(CASE,), scores=None):
    return Method(Bicubic(), scores or metrics.Scores(), list(cases))


def test_pictures_of_the_protocol():
    hr, lr, plain, refs = measuring.pictures(Task(CASE, references.named("L5")), [CASE])
    np.testing.assert_array_equal(hr, CASE.hr.read()[:48, :68])
    np.testing.assert_array_equal(lr, bicubic.downscale(hr))
    np.testing.assert_array_equal(plain, bicubic.upscale(lr))
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
    hr, lr, plain, _ = measuring.pictures(Task(FROM_LR, SELF), [FROM_LR])
    assert hr.shape == (48, 68, 3)
    np.testing.assert_array_equal(lr, FROM_LR.lr.read())
    np.testing.assert_array_equal(plain, bicubic.upscale(lr))
    wrong = FROM_LR._replace(lr=stored("c_LR", 17, 12))
    with pytest.raises(InputError, match=r"c_LR is 12×17 pixels, a quarter of b_HR, 17×12, is"):
        measuring.pictures(Task(wrong, SELF), [wrong])


def test_measures_what_is_not_there_and_goes_on_after_a_failure(tmp_path, capsys):
    tasks = [Task(CASE, references.named(name)) for name in ("L1", "L2", "self", "L5")]
    results = Results(tmp_path / "results.csv", {})
    failed = measuring.measure(method(), tasks, results)
    # Of 45 and 46 rows 44 are left.
    assert failed == [("a", name, "RuntimeError: no such luck") for name in ("L1", "L2")]
    assert "failed: a, L2: RuntimeError: no such luck" in capsys.readouterr().err
    assert [row.references for row in results.rows] == ["self", "L5"]
    hr, lr, plain, _ = measuring.pictures(tasks[2], [CASE])
    row = results.rows[0]
    sr = Bicubic().upscale_with_attention(lr, None, None)["sr"]
    np.testing.assert_allclose(row.psnr, metrics.psnr(hr, sr), rtol=1e-6)
    np.testing.assert_allclose(row.bicubic_psnr, metrics.psnr(hr, plain), rtol=1e-6)
    np.testing.assert_allclose(row.bicubic_ssim, metrics.ssim(hr, plain), atol=1e-5)
    assert (row.similarity, row.tiles, row.reference_pictures) == (0.25, 3, "LR")
    assert results.rows[1].reference_pictures == CASE.refs[4].name

    again = method()
    assert measuring.measure(again, tasks[2:], results) == []
    assert len(results.rows) == 2
    assert again.upscaler.calls == 0


def several(count):
    cases = [Case(f"{i:02}", stored("x" * (i + 1), 48, 48 + 4 * (i % 3))) for i in range(count)]
    return cases, [Task(case, SELF) for case in cases]


def test_no_picture_is_enlarged_twice(tmp_path):
    cases, tasks = several(11)
    how, kept = method(cases), Kept(str(tmp_path / "kept"))
    results = Results(tmp_path / "results.csv", {})
    on_disk = []
    add = results.add
    results.add = lambda row: (add(row), on_disk.append(len(list(tmp_path.glob("kept/self/*")))))
    assert measuring.measure(how, tasks, results, kept=kept) == []
    assert how.upscaler.calls == 11
    # Half of the pictures may be the median until it is known, and an end isn't among them.
    assert max(on_disk) == 11 // 2 + 2
    assert on_disk[-1] == 3

    shown = comparison.write_sheets(str(tmp_path), how, [SELF], rows=results.rows, kept=kept)
    assert how.upscaler.calls == 11
    ordered = sorted(results.rows, key=lambda row: row.bicubic_psnr - row.psnr)
    expected = {"best": ordered[0], "median": ordered[5], "worst": ordered[10]}
    for (heading, path), (place, row) in zip(shown, expected.items(), strict=True):
        assert heading == f"self, {place}: {row.picture}, {row.psnr - row.bicubic_psnr:+.2f} dB"
        task = tasks[int(row.picture)]
        hr, lr, plain, _ = measuring.pictures(task, cases)
        result = Bicubic().upscale_with_attention(lr, None, None)
        labels = [
            f"{kind} {psnr:.2f} dB / {ssim:.4f}"
            for kind, psnr, ssim in (
                ("bicubic", row.bicubic_psnr, row.bicubic_ssim),
                ("result", row.psnr, row.ssim),
            )
        ]
        enlarged = list(zip(labels, (plain, result["sr"]), strict=True))
        panels = sheets.comparison_panels(
            lr, [lr], enlarged, hr=hr, confidence=result["confidence"]
        )
        np.testing.assert_array_equal(files.read(path).rgb, sheets.sheet(panels, columns=4))

    (tmp_path / "kept/mine.txt").write_text("stays")
    kept.remove()
    assert [path.name for path in tmp_path.glob("kept/**/*")] == ["mine.txt"]


def test_what_a_stopped_start_did_not_keep_is_made_anew(tmp_path):
    cases, tasks = several(7)
    kept, path = Kept(str(tmp_path / "kept")), tmp_path / "results.csv"
    measuring.measure(method(cases), tasks[:4], Results(path, {}))  # keeps nothing
    how = method(cases)
    results = Results(path, {})
    measuring.measure(how, tasks, results, kept=kept)
    assert how.upscaler.calls == 3
    missing = [r for r in comparison.extremes(results.rows).values() if not kept.get(r)]
    assert missing  # by the pictures' numbers, or this tests nothing
    write = {"rows": results.rows, "kept": kept}
    shown = comparison.write_sheets(str(tmp_path), how, [SELF], **write)
    assert how.upscaler.calls == 3 + len(missing)
    extremes = comparison.extremes(results.rows).values()
    for (_, path), row in zip(shown, extremes, strict=True):
        assert pictures.shows(files.read(path).rgb, cases[int(row.picture)].hr.read())

    # What is there already stays.
    kept.remove()
    assert not (tmp_path / "kept").exists()
    assert comparison.write_sheets(str(tmp_path), how, [SELF], **write) == shown
    assert how.upscaler.calls == 3 + len(missing)
