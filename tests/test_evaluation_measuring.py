import io
import zlib

import numpy as np
import pages
import PIL.Image
import pytest

from ttsr_tf.data.sets import Case, Stored
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import comparison, extremes, measuring, references
from ttsr_tf.evaluation.kept import Kept
from ttsr_tf.evaluation.measuring import Method, Task
from ttsr_tf.evaluation.results import Results
from ttsr_tf.images import bicubic, inputs, metrics, sheets, warp


def stored(name, *size):
    pixels = np.random.default_rng(len(name)).integers(256, size=(*size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return Stored(name, buffer.getvalue)


CASE = Case("a", stored("a_0", 50, 71), tuple(stored("a" * (k + 4), 45 + k, 62) for k in range(5)))
FROM_LR = Case("b", stored("b_HR", 50, 71), lr=stored("b_LRx", 12, 17))
SELF = references.named("self")
# Mean difference, levels: 6.5 was the largest for noise; of two pictures of noise it is 85.
AS_JPEG = 8


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
        confidence = np.full(lr.shape[:2], 0.885, np.float32)
        # Nearer to the truth or not, which sorts the pictures.
        sr = np.uint8(np.abs(np.int32(bicubic.upscale(lr)) - int(lr[0, 0, 0]) // 4))
        sizes = [ref.shape[0] // 4 * (ref.shape[1] // 4) for ref in references or [lr]]
        places = np.arange(lr.shape[0] * lr.shape[1], dtype=np.int32).reshape(lr.shape[:2])
        source = places % len(sizes)
        index = places % min(sizes)
        return {"sr": sr, "source": source, "index": index, "confidence": confidence}


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


def test_references_from_another_angle():
    big = CASE._replace(refs=tuple(stored("b" * k, 90 + k, 62) for k in range(1, 6)))
    seen = [warp.warped(ref.read(), 20) for ref in big.refs]
    (one,) = measuring.pictures(Task(big, references.named("L5@20")), [big]).refs
    np.testing.assert_array_equal(one, seen[4])
    assert one.shape[0] < 92 and one.shape[0] % 4 == one.shape[1] % 4 == 0
    best = measuring.pictures(Task(big, references.named("best-of-five@20")), [big]).refs
    for ref, expected in zip(best, seen, strict=True):
        np.testing.assert_array_equal(ref, expected)
    (canvas,) = measuring.pictures(Task(big, references.named("stitched@20")), [big]).refs
    assert canvas.shape == (2500, 500, 3)
    height, width = seen[1].shape[:2]
    np.testing.assert_array_equal(canvas[500 : 500 + height, :width], seen[1])
    assert not canvas[500 + height : 1000].any()


def test_realistic_lr_is_that_of_the_name_and_the_seed():
    def lr(case, seed):
        how = measuring.Degradation("realistic", seed)
        found = measuring.pictures(Task(case, SELF), [case], how)
        np.testing.assert_array_equal(found.bicubic, bicubic.upscale(found.lr))
        return found.lr

    expected = inputs.degraded(CASE.hr.read()[:48, :68], "realistic", [3, zlib.crc32(b"a")]).numpy()
    np.testing.assert_array_equal(lr(CASE, 3), expected)
    assert (lr(CASE._replace(name="c"), 3) != expected).any()
    assert (lr(CASE, 4) != expected).any()


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
    assert (row.tiles, row.reference_pictures) == (3, "LR")
    assert row.similarity == pytest.approx(0.5, rel=1e-5)  # (0.885 - 0.77) / 0.23
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

    kept.add(results.rows[1], {"sr": np.zeros(1)})  # of a start that was stopped
    (tmp_path / "kept/self/mine.txt").write_text("stays")
    shown = comparison.sections(how, [SELF], rows=results.rows, kept=kept)
    assert how.upscaler.calls == 11
    ordered = sorted(results.rows, key=lambda row: row.bicubic_psnr - row.psnr)
    expected = {"best": ordered[0], "median": ordered[5], "worst": ordered[10]}
    for section, (place, row) in zip(shown, expected.items(), strict=True):
        gain = row.psnr - row.bicubic_psnr
        assert section.heading == f"self, {place}: {row.picture}, {gain:+.2f} dB above bicubic"
    assert {path.name for path in tmp_path.glob("kept/**/*.*")} == {
        "mine.txt",
        *(f"{row.picture}.npz" for row in expected.values()),
    }


def test_what_is_shown_of_a_picture(tmp_path):
    cases, (task,) = several(1)
    how, results = method(cases), Results(tmp_path / "results.csv", {})
    kept = Kept(str(tmp_path / "kept"))
    measuring.measure(how, [task], results, kept=kept)
    (section,) = comparison.sections(how, [SELF], rows=results.rows, kept=kept)
    (row,), (hr, lr, plain, _) = results.rows, measuring.pictures(task, cases)
    result = Bicubic().upscale_with_attention(lr, None, None)
    of_bicubic = f"bicubic, {row.bicubic_psnr:.2f} dB, SSIM {row.bicubic_ssim:.4f}"
    of_result = f"result, {row.psnr:.2f} dB, SSIM {row.ssim:.4f}"
    tinted, used, confidence = sheets.attention_panels(result, [lr])
    exact = {"LR, 12×12": lr, used[0]: used[1], confidence[0]: confidence[1]}
    rounded = {of_bicubic: plain, of_result: result["sr"], "truth": hr, "reference": lr}
    rounded[tinted[0]] = tinted[1]
    figures = {figure.label: pages.decoded(figure.source) for figure in section.figures}
    assert set(figures) == {*exact, *rounded}
    for label, picture in exact.items():
        np.testing.assert_array_equal(figures[label][0], picture)
    for label, picture in rounded.items():
        assert figures[label][1] == "JPEG"
        assert away(figures[label][0], picture) < AS_JPEG

    # The whole picture is smaller than an inset.
    assert (hr.shape, section.inset_size) == ((48, 48, 3), 48)
    for figure, (label, picture) in zip(
        section.insets,
        {"bicubic": plain, "result": result["sr"], "truth": hr}.items(),
        strict=True,
    ):
        assert (figure.label, figure.width, figure.sharp) == (label, 4 * 48, True)
        np.testing.assert_array_equal(pages.decoded(figure.source)[0], picture)


def test_an_inset_is_what_the_box_marks(tmp_path):
    case = Case("a", stored("large", 120, 152))
    how, results = method([case]), Results(tmp_path / "results.csv", {})
    kept = Kept(str(tmp_path / "kept"))
    measuring.measure(how, [Task(case, SELF)], results, kept=kept)
    (section,) = comparison.sections(how, [SELF], rows=results.rows, kept=kept)
    hr, _, plain, _ = measuring.pictures(Task(case, SELF), [case])
    top, left = comparison.hardest(hr, plain, 96)
    truth = pages.decoded(section.insets[2].source)[0]
    np.testing.assert_array_equal(truth, hr[top : top + 96, left : left + 96])
    boxes = {figure.box for figure in section.figures if figure.box}
    assert boxes == {(left / 152, top / 120, 96 / 152, 96 / 120)}


def test_cells_of_a_canvas_are_shown_as_references(tmp_path):
    choice = references.named("stitched")
    how, results = method(), Results(tmp_path / "results.csv", {})
    kept = Kept(str(tmp_path / "kept"))
    measuring.measure(how, [Task(CASE, choice)], results, kept=kept)
    in_canvas = kept.get(results.rows[0])
    # Somewhere in the fourth cell: row 3·125 + 7 of places of the canvas, column 11.
    kept.add(results.rows[0], {**in_canvas, "index": np.full((12, 17), (375 + 7) * 125 + 11)})
    (section,) = comparison.sections(how, [choice], rows=results.rows, kept=kept)
    figures = {figure.label: pages.decoded(figure.source)[0] for figure in section.figures}
    for k, ref in enumerate(
        measuring.pictures(Task(CASE, references.named("best-of-five")), [CASE]).refs, 1
    ):
        cell = figures[f"reference {k}"]
        assert cell.shape == (500, 500, 3)
        assert away(cell[: len(ref), : ref.shape[1]], ref) < AS_JPEG
        assert cell[len(ref) + 16 :].max() < 3
        used = "100%" if k == 4 else "0%"
        assert f"reference {k}, used for {used}, tinted by place" in figures
    tint = figures["where textures came from"][0, 0]
    tinted = figures["reference 4, used for 100%, tinted by place"]
    assert away(tinted[28:32, 44:48], CASE.refs[3].read()[28:32, 44:48] / 2 + tint / 2) < AS_JPEG


def away(picture, other):
    return np.abs(np.float64(picture) - other).mean()


def test_what_a_stopped_start_did_not_keep_is_made_anew(tmp_path):
    cases, tasks = several(7)
    kept, path = Kept(str(tmp_path / "kept")), tmp_path / "results.csv"
    measuring.measure(method(cases), tasks[:4], Results(path, {}))  # keeps nothing
    how = method(cases)
    results = Results(path, {})
    measuring.measure(how, tasks, results, kept=kept)
    assert how.upscaler.calls == 3
    missing = [r for r in extremes.of(results.rows).values() if not kept.get(r)]
    assert missing  # by the pictures' numbers, or this tests nothing
    write = {"rows": results.rows, "kept": kept}
    shown = comparison.sections(how, [SELF], **write)
    assert how.upscaler.calls == 3 + len(missing)
    for section, row in zip(shown, extremes.of(results.rows).values(), strict=True):
        truth = pages.decoded(section.insets[-1].source)[0]
        hr, _, plain, _ = measuring.pictures(tasks[int(row.picture)], cases)
        top, left = comparison.hardest(hr, plain, 48)
        np.testing.assert_array_equal(truth, hr[top : top + 48, left : left + 48])

    # What is there already stays.
    assert comparison.sections(how, [SELF], **write) == shown
    assert how.upscaler.calls == 3 + len(missing)
