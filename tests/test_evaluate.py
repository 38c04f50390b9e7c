"""`python -m ttsr_tf.evaluate`, as a person runs it."""

import csv
import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT

from ttsr_tf import TTSR
from ttsr_tf.images import bicubic, files
from ttsr_tf.images.files import metrics
from ttsr_tf.weights import checkpoints


@pytest.fixture
def place(tmp_path, rng):
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    checkpoints.save(model, str(tmp_path / "model.weights.h5"))
    (tmp_path / "groups").mkdir()
    for i, size in enumerate(((50, 71), (57, 60))):
        for k in range(6):
            small = rng.integers(256, size=(9, 11, 3), dtype=np.uint8)
            picture = PIL.Image.fromarray(small).resize((size[1], size[0] + k), 3)
            noise = rng.integers(-9, 10, (size[0] + k, size[1], 3))
            picture = np.uint8(np.clip(np.int32(picture) + noise, 0, 255))
            PIL.Image.fromarray(picture).save(tmp_path / f"groups/{i:03}_{k}.png")
    return tmp_path


@pytest.fixture
def flags(place):
    def given(**changed):
        named = {
            "checkpoint": place / "model.weights.h5",
            "data_dir": place / "groups",
            "output_dir": place / "out",
            **changed,
        }
        return [f"--{name}={value}" for name, value in named.items() if value is not None]

    return given


def rows(place):
    with open(place / "out/results.csv") as file:
        return list(csv.DictReader(file))


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


def test_levels(place, flags, run):
    result = run("evaluate", *flags(references="levels"))
    assert result.returncode == 0, result.stderr
    found = rows(place)
    order = ["L1", "L2", "L3", "L4", "L5", "self"]
    assert [(row["picture"], row["references"]) for row in found] == [
        (f"{i:03}", name) for i in range(2) for name in order
    ]

    # Bicubic's scores are Pillow's and NumPy's.
    expected = [by_pillow(place / f"groups/{i:03}_0.png") for i in range(2)]
    for row, (psnr, ssim) in zip(found[::6], expected, strict=True):
        np.testing.assert_allclose(float(row["bicubic_psnr"]), psnr, atol=1e-4)
        np.testing.assert_allclose(float(row["bicubic_ssim"]), ssim, atol=1e-5)
    psnr, ssim = np.mean(expected, 0)
    assert f"| bicubic | 2 | {psnr:.2f} | | {ssim:.4f} | | | 24.18 / .684 |" in result.stdout

    # The network's are those of what it makes of the cropped pictures.
    model = checkpoints.load(place)
    hr = files.read(place / "groups/001_0.png").rgb[:56, :60]
    lr = bicubic.downscale(hr).numpy()
    for name, ref in (("L3", files.read(place / "groups/001_3.png").rgb), ("self", lr)):
        (row,) = (r for r in found if (r["picture"], r["references"]) == ("001", name))
        sr = model.upscale(lr, ref)
        np.testing.assert_allclose(float(row["psnr"]), metrics.psnr(hr, sr), rtol=1e-6)
        np.testing.assert_allclose(float(row["ssim"]), metrics.ssim(hr, sr), atol=1e-5)  # float32
    mean = np.mean([float(row["psnr"]) for row in found if row["references"] == "L3"])
    assert re.search(rf"\| L3 \| 2 \| {mean:.2f} .* \| TTSR-rec 26\.64 / \.788 \|", result.stdout)

    # Protocol and pictures come with every file.
    report = (place / "out/report.md").read_text()
    content = json.loads((place / "out/results.json").read_text())
    for name in ("data_set", "pictures", "lr", "resize", "colour", "border", "version"):
        assert found[0][name] == content["protocol"][name]
        assert f"- {name}: {found[0][name]}" in report
        assert f"{name}: {found[0][name]}" in result.stdout
    assert re.fullmatch("[0-9a-f]{64}", found[0]["checkpoint_sha256"])
    assert "2 pictures, not 126: this is not CUFED5." in report
    assert np.isclose(content["results"][2]["psnr"], mean)
    links = re.findall(r"\]\((.+)\)", report)
    assert len(links) == 6 * 2
    for link in links:
        assert files.read(place / "out" / link).rgb.std() > 0
    assert not list(place.glob("out/**/.*"))


def test_goes_on_where_it_was_killed(place, flags, run):
    for k in range(6):
        (place / f"groups/001_{k}.png").unlink()
    command = [sys.executable, "-m", "ttsr_tf.evaluate", *flags(references="levels")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    path, start = place / "out/results.csv", time.monotonic()
    while not path.exists() or path.read_text().count("\n") < 2:
        assert process.poll() is None
        assert time.monotonic() < start + 300
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = rows(place)
    assert len(before) < 6
    with open(path, "a") as file:
        file.write("000,self,17.5")  # half a line

    # The second start does the rest, but for what can't be done.
    (place / "groups/000_5.png").write_text("not a picture")
    result = run("evaluate", *flags(references="levels"))
    assert result.returncode == 1
    failed, error = result.stderr.splitlines()
    assert failed.startswith("failed: 000, L5: ")
    assert failed.endswith("000_5.png is not a picture that can be read. Use PNG or JPEG.")
    assert error == "error: 1 of 6 failed and are left out; see above."
    assert f"{len(before)} rows of results.csv are there already." in result.stdout
    assert f"picture {6 - len(before)}/{6 - len(before)}" in result.stdout
    after = rows(place)
    assert after[: len(before)] == before
    assert len({(row["picture"], row["references"]) for row in after}) == len(after) == 5
    assert "| L4 | 1 |" in result.stdout
    assert "- 000, L5: " in (place / "out/report.md").read_text()
    content = json.loads((place / "out/results.json").read_text())
    assert {r["references"] for r in content["results"]} == {"L1", "L2", "L3", "L4", "self"}
    assert [f["references"] for f in content["failed"]] == ["L5"]


def test_bad_input(place, flags, fails):
    line = fails("evaluate", *flags(dataset="tfds_cufed5", data_dir=place))
    assert "tfds build tfds_cufed5 --manual_dir=" in line
    assert f"--data_dir={place}" in line
    line = fails("evaluate", *flags(output_dir=place / "model.weights.h5"))
    assert "Can't make --output_dir=" in line
