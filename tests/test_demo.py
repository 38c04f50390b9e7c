"""What the demo leaves, with small pictures; `make demo` itself has the photographs."""

import numpy as np
import pages
import pictures
import pytest

from ttsr_tf import cli, demo
from ttsr_tf.data import sample
from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic, files
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise


@pytest.fixture
def pairs(monkeypatch, rng):
    found = {
        name: tuple(
            rng.integers(256, size=(13, 15 + k, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
            for k in range(2)
        )
        for name in ("first & best", "second")
    }
    monkeypatch.setattr(sample, "shown_pairs", lambda: found)
    monkeypatch.setattr(cli, "start_tensorflow", lambda: None)  # it is there
    return found


def test_the_report_shows_both_pairs(tmp_path, pairs, small_checkpoint, one_convolution, capsys):
    config = demo.DemoConfig(checkpoint=small_checkpoint, output_dir=tmp_path / "demo")
    demo.main(config)
    path = tmp_path / "demo/report.html"
    assert capsys.readouterr().out.endswith(f"Look at {path}.\n")
    page = pages.Page(path)
    about = dict(zip(page.all("dt"), page.all("dd"), strict=True))
    assert about["data_set"] == f"folder of pairs, {tmp_path}/demo/photographs"
    headings = page.all("h2")[:2]
    truths = [x for label, x, kind in page.pictures() if (label, kind) == ("truth", "PNG")]
    for heading, truth in zip(headings, truths, strict=True):
        (name,) = (name for name in pairs if f": {name}, " in heading)
        assert pictures.shows(pairs[name][0], truth)
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        *("lr.png", "photographs", "ref.png", "report.html")
    }
    (hr, ref), *_ = pairs.values()
    np.testing.assert_array_equal(files.read(tmp_path / "demo/ref.png").rgb, ref)
    lr = bicubic.downscale(hr).numpy()
    np.testing.assert_array_equal(files.read(tmp_path / "demo/lr.png").rgb, lr)

    # Other weights, the same folder.
    model = one_convolution()
    model.build()
    initialise(model, 2)
    checkpoints.save(model, str(small_checkpoint))
    before = path.read_bytes()
    demo.main(config)
    assert path.read_bytes() != before


def test_a_demo_that_fails_leaves_no_report(tmp_path, pairs, small_checkpoint, capsys):
    pairs["second"] = pairs["second"][0][:11], pairs["second"][1]
    with pytest.raises(InputError, match=r"1 of 2 failed; see above\."):
        demo.main(demo.DemoConfig(checkpoint=small_checkpoint, output_dir=tmp_path / "demo"))
    assert "failed: second, match-1: `hr` is 60×8 pixels" in capsys.readouterr().err
    assert not list((tmp_path / "demo").glob("*report*"))
    assert not list((tmp_path / "demo").glob("tmp*"))
