"""What a replica of the server does, in this process."""

import threading
import time

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from serving import png

from export.graph.session import Session
from export.server import replicas
from export.server.replicas import Invalid, Replica

pytestmark = pytest.mark.xdist_group("exported")


def test_signatures_are_the_exports_own(replica):
    assert set(replica.signatures()) == {"serving_default", "encoded"}
    assert any(name.startswith("__") for name in replica._session.signatures)


def test_runs(replica, pair, enlarged):
    lr, ref = (one[None] for one in pair)
    np.testing.assert_array_equal(
        replica.run("serving_default", {"lr": lr, "ref": ref})["sr"][0], enlarged["sr"]
    )


def test_reasons_are_for_people(replica):
    small, large = np.zeros((1, 9, 9, 3), np.uint8), np.zeros((1, 41, 40, 3), np.uint8)
    reason = replica.run("serving_default", {"lr": large, "ref": small})
    assert isinstance(reason, Invalid)
    assert reason == (
        "`lr` is 40×41 pixels, at most 1600 in all are allowed. Send a smaller picture."
    )
    files = {"lr_bytes": [png(small[0])], "ref_bytes": [png(np.zeros((20, 20, 3), np.uint8))[:-20]]}
    reason = replica.run("encoded", files)
    assert reason.startswith("`ref_bytes`: Invalid PNG data, size ")
    assert "node" not in reason and "\n" not in reason


class Recording:
    """A session that takes its time, and knows how many run in it at once."""

    def __init__(self, path, threads):
        self.calls, self.most, self._inside = [], 0, 0

    def run(self, signature, **inputs):
        self._inside += 1
        self.most = max(self.most, self._inside)
        time.sleep(0.02)
        self._inside -= 1
        self.calls.append((signature, {name: value.shape for name, value in inputs.items()}))
        return {}


def test_warms_up_with_what_the_export_wrote(exported, monkeypatch):
    monkeypatch.setattr(replicas, "Session", Recording)
    replica = Replica(str(exported / "ttsr" / "1"), 2)
    assert replica._session.calls == [
        ("serving_default", {"lr": (1, 40, 40, 3), "ref": (1, 160, 160, 3)}),
        ("encoded", {"lr_bytes": (1,), "ref_bytes": (1,)}),
    ]


def test_one_request_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(replicas, "Session", Recording)
    replica = Replica(str(tmp_path), 2)
    threads = [threading.Thread(target=replica.run, args=("s", {})) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(replica._session.calls), replica._session.most) == (4, 1)


def test_there_is_no_model(tmp_path):
    with pytest.raises(OSError, match="SavedModel file does not exist"), tf.Graph().as_default():
        Session(str(tmp_path))
