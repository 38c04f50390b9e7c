"""An evaluation from its configuration to its report."""

import json
import re

import numpy as np
import pictures
import PIL.Image
import pytest
from evaluations import place, rows, values  # noqa: F401

import ttsr_tf
from ttsr_tf import Upscaler
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import EvaluationConfig, evaluate
from ttsr_tf.images import bicubic, files, metrics


@pytest.fixture
def enlarged(monkeypatch):
    """A list that grows with every picture that is enlarged: its size."""
    calls, upscale = [], Upscaler.upscale_with_attention

    def counting(self, lr, *arguments, **options):
        calls.append(lr.shape[:2])
        return upscale(self, lr, *arguments, **options)

    monkeypatch.setattr(Upscaler, "upscale_with_attention", counting)
    return calls


def by_pillow(path):
    """PSNR and SSIM of plain bicubic, with nothing of this project."""
    from skimage.metrics import structural_similarity

    hr = PIL.Image.open(path).convert("RGB")
    hr = hr.crop((0, 0, hr.width // 4 * 4, hr.height // 4 * 4))
    lr = hr.resize((hr.width // 4, hr.height // 4), PIL.Image.Resampling.BICUBIC)
    bicubic = lr.resize(hr.size, PIL.Image.Resampling.BICUBIC)
    truth, ours = (
        np.float64(picture) @ np.array([65.738, 129.057, 25.064]) / 256 + 16
        for picture in (hr, bicubic)
    )
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, similar = structural_similarity(truth, ours, data_range=255, full=True, **window)
    return (
        10 * np.log10(255**2 / np.mean((truth - ours) ** 2)),
        similar[5:-5, 5:-5].mean(),  # the windows that lie within the picture
    )


def test_levels(place, values, enlarged, capsys):
    result = evaluate(EvaluationConfig(**values(references="levels")))
    output = capsys.readouterr().out
    found = rows(place)
    order = ["L1", "L2", "L3", "L4", "L5", "self"]
    assert [(row["picture"], row["references"]) for row in found] == [
        (f"{i:03}", name) for i in range(2) for name in order
    ]
    assert len(enlarged) == 2 * 6  # none of them twice, sheets and all

    # Bicubic's scores are Pillow's and NumPy's.
    expected = [by_pillow(place / f"groups/{i:03}_0.png") for i in range(2)]
    for row, (psnr, ssim) in zip(found[::6], expected, strict=True):
        np.testing.assert_allclose(float(row["bicubic_psnr"]), psnr, atol=1e-4)
        np.testing.assert_allclose(float(row["bicubic_ssim"]), ssim, atol=1e-5)
    psnr, ssim = np.mean(expected, 0)
    assert f"| bicubic | 2 | {psnr:.2f} | | {ssim:.4f} | | | 24.18 / .684 |" in output

    # The network's are those of what it makes of the cropped pictures.
    upscaler = ttsr_tf.load(place)
    hr = files.read(place / "groups/001_0.png").rgb[:56, :60]
    lr = bicubic.downscale(hr).numpy()
    for name, ref in (("L3", files.read(place / "groups/001_3.png").rgb), ("self", lr)):
        (row,) = (r for r in found if (r["picture"], r["references"]) == ("001", name))
        sr = upscaler.upscale(lr, ref)
        np.testing.assert_allclose(float(row["psnr"]), metrics.psnr(hr, sr), rtol=1e-6)
        np.testing.assert_allclose(float(row["ssim"]), metrics.ssim(hr, sr), atol=1e-5)  # float32
    mean = np.mean([float(row["psnr"]) for row in found if row["references"] == "L3"])
    assert re.search(rf"\| L3 \| 2 \| {mean:.2f} .* \| TTSR-rec 26\.64 / \.788 \|", output)

    # Protocol and pictures come with every file.
    report = (place / "out/report.md").read_text()
    content = json.loads((place / "out/results.json").read_text())
    for name in (
        "data_set",
        "pictures",
        "lr",
        "resize",
        "test_y_channel",
        "crop_border",
        "version",
    ):
        assert found[0][name] == content["protocol"][name]
        assert f"- {name}: {found[0][name]}" in report
        assert f"{name}: {found[0][name]}" in output
    assert re.fullmatch("[0-9a-f]{64}", found[0]["checkpoint_sha256"])
    assert "2 pictures, not 126: this is not CUFED5." in report
    assert np.isclose(content["results"][2]["psnr"], mean)
    links = re.findall(r"\]\((.+)\)", report)
    assert len(links) == 6 * 2
    truths = [files.read(place / f"groups/{i:03}_0.png").rgb for i in range(2)]
    truths = [x[: len(x) // 4 * 4, : x.shape[1] // 4 * 4] for x in truths]
    for link in links:
        sheet = files.read(place / "out" / link).rgb
        assert sum(pictures.shows(sheet, truth) for truth in truths) == 1
    assert sorted(path.name for path in (place / "out").iterdir()) == [
        *("report.md", "results.csv", "results.json", "sheets")
    ]

    # A notebook gets them, too.
    assert result.report == str(place / "out/report.md")
    assert (result.count, result.failed) == (12, [])
    assert [(row.picture, row.references, str(row.psnr)) for row in result.rows] == [
        (row["picture"], row["references"], row["psnr"]) for row in found
    ]
    assert list(result.means) == order
    assert result.means["L3"]["psnr"] == pytest.approx(mean)
    assert result.means["self"]["bicubic_ssim"] == pytest.approx(ssim, abs=1e-5)

    # Nothing is left to do.
    enlarged.clear()
    sheets = {path: path.stat().st_mtime_ns for path in (place / "out/sheets").iterdir()}
    again = evaluate(EvaluationConfig(**values(references="levels")))
    assert again == result
    assert enlarged == []
    assert {path: path.stat().st_mtime_ns for path in (place / "out/sheets").iterdir()} == sheets


def test_rgb_without_a_border(place, values):
    how = {"test_y_channel": False, "crop_border": 3}
    (row, _) = evaluate(EvaluationConfig(**values(references="2", **how))).rows
    hr = files.read(place / "groups/000_0.png").rgb[:48, :68]
    lr = bicubic.downscale(hr).numpy()
    sr = ttsr_tf.load(place).upscale(lr, files.read(place / "groups/000_2.png").rgb)
    for psnr, picture in ((row.psnr, sr), (row.bicubic_psnr, bicubic.upscale(lr).numpy())):
        error = np.mean((np.float64(hr) - picture)[3:-3, 3:-3] ** 2)
        np.testing.assert_allclose(psnr, 10 * np.log10(255**2 / error), rtol=1e-5)
    assert row.reference_pictures == "000_2.png"
    assert "3 pixels cropped on every side" in (place / "out/report.md").read_text()
    assert {(r["test_y_channel"], r["crop_border"]) for r in rows(place)} == {("false", "3")}


def test_goes_on_with_another_choice_beside(place, values, enlarged):
    evaluate(EvaluationConfig(**values(references="1")))
    result = evaluate(EvaluationConfig(**values(references="self")))
    assert len(enlarged) == 4
    assert (list(result.means), result.count) == (["L1", "self"], 2)
    text = (place / "out/results.csv").read_text().replace("\n001,", "\nother,")
    (place / "out/results.csv").write_text(text)
    with pytest.raises(
        InputError, match=r"has other, which the data set hasn't\. Choose another `o"
    ):
        evaluate(EvaluationConfig(**values()))


@pytest.mark.filterwarnings("ignore")  # TFDS's own, and that these are less than 126 groups
def test_the_tfds_set_with_bad_ones_left_out(place, values):
    import tensorflow_datasets as tfds

    from tfds_cufed5.tfds_cufed5_dataset_builder import SKIP_BAD, Builder

    (place / "manual/test").mkdir(parents=True)
    (place / "groups").rename(place / "manual/test/CUFED5")
    manual = tfds.download.DownloadConfig(manual_dir=str(place / "manual"))
    Builder(data_dir=str(place / "data"), config=SKIP_BAD).download_and_prepare(
        download_config=manual
    )
    built = {"dataset": "tfds_cufed5", "data_dir": place / "data"}
    of_tfds = evaluate(EvaluationConfig(**values(references="4", **built)))
    assert rows(place)[0]["data_set"] == "tfds_cufed5/skip_bad/1.0.0"
    of_folder = evaluate(
        EvaluationConfig(
            **values(references="4", data_dir=place / "manual", output_dir=place / "again")
        )
    )
    assert of_tfds.means == of_folder.means
    assert len(of_tfds.rows) == 2


def test_nothing_that_can_be_measured(place, values):
    for path in (place / "groups").glob("*_0.png"):
        path.write_text("not a picture")
    result = evaluate(EvaluationConfig(**values()))
    assert (result.rows, result.means, result.count, result.report) == ([], {}, 2, None)
    (picture, choice, reason), _ = result.failed
    assert (picture, choice) == ("000", "L1")
    assert reason.endswith("000_0.png is not a picture that can be read. Use PNG or JPEG.")
