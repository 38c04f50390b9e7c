"""An evaluation that was stopped, and is started again."""

import json

import pages
import pytest
from evaluations import place, rows, values  # noqa: F401

from ttsr_tf import Upscaler
from ttsr_tf.evaluation import EvaluationConfig, evaluate


def test_stopped_between_two_pictures_it_goes_on(place, values, monkeypatch, capsys):
    upscale, left = Upscaler.upscale_with_attention, iter([True, True, True, False])

    def stopped(self, *arguments, **options):
        if next(left):
            return upscale(self, *arguments, **options)
        raise KeyboardInterrupt  # nothing is caught on the way, as if it were killed

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Upscaler, "upscale_with_attention", stopped)
        evaluate(EvaluationConfig(**values(references="levels")))
    before = rows(place)
    assert len(before) == 3
    with open(place / "out/results.csv", "a") as file:
        file.write("000,self,17.5")  # half a line

    # The second start does the rest, but for what can't be done.
    (place / "groups/001_5.png").write_text("not a picture")
    capsys.readouterr()
    result = evaluate(EvaluationConfig(**values(references="levels")))
    output, errors = capsys.readouterr()
    assert "3 rows of results.csv are there already." in output
    assert "picture 9/9" in output
    reason = f"{place / 'groups/001_5.png'} is not a picture that can be read. Use PNG or JPEG."
    assert result.failed == [("001", "L5", reason)]
    assert errors == f"failed: 001, L5: {reason}\n"
    after = rows(place)
    assert after[:3] == before
    assert len({(row["picture"], row["references"]) for row in after}) == len(after) == 11
    assert "| L4 | 2 |" in output
    assert pages.Page(place / "out/report.html").all("li") == [f"001, L5: {reason}"]
    content = json.loads((place / "out/results.json").read_text())
    assert [(f["picture"], f["references"]) for f in content["failed"]] == [("001", "L5")]
    assert not list(place.glob("out/**/.*"))
