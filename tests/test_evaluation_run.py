"""An evaluation from its configuration to its report."""

import json
import re

import numpy as np
import pages
import pictures
import PIL.Image
import pytest
from evaluations import place, rows, values  # noqa: F401
from lpips_weights import lpips_package  # noqa: F401

import ttsr_tf
from ttsr_tf import Upscaler
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import EvaluationConfig, evaluate
from ttsr_tf.evaluation.lpips import LPIPS
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
    assert len(enlarged) == 2 * 6  # none of them twice, report and all

    # Bicubic's scores are Pillow's and NumPy's.
    expected = [by_pillow(place / f"groups/{i:03}_0.png") for i in range(2)]
    for row, (psnr, ssim) in zip(found[::6], expected, strict=True):
        np.testing.assert_allclose(float(row["bicubic_psnr"]), psnr, atol=1e-4)
        np.testing.assert_allclose(float(row["bicubic_ssim"]), ssim, atol=1e-5)
    psnr, ssim = np.mean(expected, 0)
    assert f"| bicubic | 2 | {psnr:.2f} |  | {ssim:.4f} |  |  | 24.18 / .684 |" in output

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
    page = pages.Page(place / "out/report.html")
    stated = dict(zip(page.all("dt"), page.all("dd"), strict=True))
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
        assert stated[name] == found[0][name]
        assert f"{name}: {found[0][name]}" in output
    assert re.fullmatch("[0-9a-f]{64}", found[0]["checkpoint_sha256"])
    assert "2 pictures, not 126: this is not CUFED5." in " ".join(page.all("p"))
    assert np.isclose(content["results"][2]["psnr"], mean)

    # The page shows the same numbers, and pictures of the set.
    plain, *table = [dict(zip(page.table[0], cells, strict=True)) for cells in page.table[1:]]
    assert (plain["PSNR, dB"], plain["SSIM"]) == (f"{psnr:.2f}", f"{ssim:.4f}")
    for cells, measured in zip(table, content["results"], strict=True):
        assert cells["references"] == measured["references"]
        assert cells["PSNR, dB"] == f"{measured['psnr']:.2f}"
        assert cells["SSIM"] == f"{measured['ssim']:.4f}"
        assert cells["similarity"] == f"{measured['similarity']:.2f}"
    shown = [text.split(": ") for text in page.all("h2") if ", best" in text or ", worst" in text]
    assert len(shown) == 6 * 2
    truths = [
        picture for label, picture, kind in page.pictures() if (label, kind) == ("truth", "PNG")
    ]
    results = [label for label, *_ in page.pictures() if label.startswith("result, ")]
    for (place_of, about), truth, result_label in zip(shown, truths, results, strict=True):
        choice, picture = place_of.split(", ")[0], about.split(", ")[0]
        hr = files.read(place / f"groups/{picture}_0.png").rgb
        assert pictures.shows(hr[: len(hr) // 4 * 4, : hr.shape[1] // 4 * 4], truth)
        (row,) = (r for r in found if (r["picture"], r["references"]) == (picture, choice))
        scores = float(row["psnr"]), float(row["ssim"])
        assert result_label == "result, {:.2f} dB, SSIM {:.4f}".format(*scores)
    assert sorted(path.name for path in (place / "out").iterdir()) == [
        *("kept", "report.html", "results.csv", "results.json")
    ]

    # A notebook gets them, too.
    assert result.report == str(place / "out/report.html")
    assert (result.count, result.failed) == (12, [])
    assert [(row.picture, row.references, str(row.psnr)) for row in result.rows] == [
        (row["picture"], row["references"], row["psnr"]) for row in found
    ]
    assert list(result.means) == order
    assert result.means["L3"]["psnr"] == pytest.approx(mean)
    assert result.means["self"]["bicubic_ssim"] == pytest.approx(ssim, abs=1e-5)

    # Nothing is left to do.
    enlarged.clear()
    before = (place / "out/report.html").read_bytes()
    again = evaluate(EvaluationConfig(**values(references="levels")))
    assert again == result
    assert enlarged == []
    assert (place / "out/report.html").read_bytes() == before


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
    assert "3 pixels cropped on every side" in pages.Page(place / "out/report.html").all("p")[0]
    assert {(r["test_y_channel"], r["crop_border"]) for r in rows(place)} == {("false", "3")}


def test_goes_on_with_another_choice_beside(place, values, enlarged):
    evaluate(EvaluationConfig(**values(references="1")))
    result = evaluate(EvaluationConfig(**values(references="self")))
    assert len(enlarged) == 4
    assert (list(result.means), result.count) == (["L1", "self"], 2)
    headings = pages.Page(place / "out/report.html").all("h2")
    assert [text.split(",")[0] for text in headings] == ["L1", "L1", "self", "self", "Protocol"]
    text = (place / "out/results.csv").read_text().replace("\n001,", "\nother,")
    (place / "out/results.csv").write_text(text)
    with pytest.raises(
        InputError, match=r"has other, which the data set hasn't\. Choose another `o"
    ):
        evaluate(EvaluationConfig(**values()))


def test_lpips_everywhere_or_nowhere(place, values, lpips_package):
    result = evaluate(EvaluationConfig(**values(lpips="alex", crop_border=2)))
    hr = files.read(place / "groups/000_0.png").rgb[:48, :68]
    lr = bicubic.downscale(hr).numpy()
    sr = ttsr_tf.load(place).upscale(lr, files.read(place / "groups/000_1.png").rgb)
    distance, (row, _) = LPIPS("alex", crop_border=2), rows(place)
    assert float(row["lpips"]) == pytest.approx(distance(hr, sr))
    assert float(row["bicubic_lpips"]) == pytest.approx(distance(hr, bicubic.upscale(lr).numpy()))
    assert row["lpips"] != row["bicubic_lpips"]
    (measured,) = json.loads((place / "out/results.json").read_text())["results"]
    mean = np.mean([float(row["lpips"]) for row in rows(place)])
    assert measured["lpips"] == result.means["L1"]["lpips"] == pytest.approx(mean)
    page = pages.Page(place / "out/report.html")
    assert page.table[2][page.table[0].index("LPIPS, alex")] == f"{mean:.4f}"
    label = f"SSIM {float(row['ssim']):.4f}, LPIPS {float(row['lpips']):.3f}"
    assert any(label in text for text in page.all("figcaption"))
    assert "lpips_sha256" in page.all("dt")
    with pytest.raises(InputError, match="or of another choice of `lpips`"):
        evaluate(EvaluationConfig(**values(crop_border=2)))
    without = evaluate(EvaluationConfig(**values(output_dir=place / "without")))
    assert "lpips" not in without.means["L1"]
    assert "LPIPS" not in (place / "without/report.html").read_text()


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
