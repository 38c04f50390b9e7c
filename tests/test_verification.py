"""Whether an exported model is what the checkpoint is."""

import numpy as np
import pytest
import tensorflow as tf

from export.package import verification
from ttsr_tf import InputError

pytestmark = pytest.mark.xdist_group("exported")


def test_a_model_that_does_not_run(exported, exported_model, tmp_path, rng):
    lr, ref = (rng.integers(256, size=(n, n, 3), dtype=np.uint8) for n in (41, 20))
    with pytest.raises(InputError, match=r"doesn't run, and was removed: .*`lr` is 41×41 pixels"):
        verification.verify(str(exported / "ttsr" / "1"), exported_model, [(lr, ref)])
    with pytest.raises(InputError, match="doesn't run, and was removed: SavedModel file does not"):
        verification.verify(str(tmp_path), exported_model, [(lr, ref)])


class StandIn:
    """An upscaler and a session at once; of a pair, the session gives other results."""

    def __init__(self, sr, sr_bytes):
        self._results = {"sr": sr[None], "sr_bytes": [tf.io.encode_png(sr_bytes).numpy()]}
        self.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def upscale(self, lr, ref):
        return lr + 1

    def run(self, signature, **inputs):
        self.asked.append((signature, sorted(inputs)))
        return self._results


@pytest.mark.parametrize("differing", [None, "sr", "sr_bytes"])
@pytest.mark.parametrize("shape", [(4, 4, 3), (4, 5, 3)])
def test_both_signatures_are_compared(monkeypatch, differing, shape):
    lr, ref = np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    other = np.ones(shape, np.uint8)
    other[0, 0, 0] = 7
    results = {name: other if name == differing else lr + 1 for name in ("sr", "sr_bytes")}
    stand_in = StandIn(**results)
    monkeypatch.setattr(verification, "Session", lambda path: stand_in)
    if not differing:
        assert verification.verify("a", stand_in, [(lr, ref)]) == 0
        encoded = ("encoded", ["lr_bytes", "ref_bytes"])
        assert stand_in.asked == [("serving_default", ["lr", "ref"]), encoded]
        return
    share = "2.08%" if shape == lr.shape else "100.00%"  # one of 48 values
    with pytest.raises(InputError, match=f"`{differing}` differs from the checkpoint's in {share}"):
        verification.verify("a", stand_in, [(lr, ref)])


@pytest.mark.parametrize("name", ["sr", "sr_bytes"])
@pytest.mark.parametrize(
    ("count", "apart", "accepted"),
    [(1, -1, True), (4, 1, True), (5, 1, False), (1, 2, False), (1, -2, False)],
)
def test_a_few_values_may_be_rounded_otherwise(monkeypatch, name, count, apart, accepted):
    lr, ref = np.full((32, 44, 3), 99, np.uint8), np.zeros((8, 8, 3), np.uint8)  # 4,224 values
    other = lr + 1
    other.reshape(-1)[7 : 7 + count] += np.int8(apart).astype(np.uint8)
    stand_in = StandIn(**{"sr": lr + 1, "sr_bytes": lr + 1, name: other})
    monkeypatch.setattr(verification, "Session", lambda path: stand_in)
    if accepted:
        assert verification.verify("a", stand_in, [(lr, ref)]) == count / lr.size
        return
    with pytest.raises(InputError, match=f"`{name}` differs .*, by up to {abs(apart)} of 255"):
        verification.verify("a", stand_in, [(lr, ref)])
