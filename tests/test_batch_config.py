"""What is judged of a batch before TensorFlow and Ray are there."""

import sys

import PIL.Image
import pytest

from export.workers.config import BatchConfig, check, check_address
from ttsr_tf import InputError


@pytest.fixture
def given(tmp_path, monkeypatch, tiny_weights):
    """Arguments of a batch that can begin, in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("ref.jpg", "in/a.png"):
        PIL.Image.new("RGB", (12, 12)).save(name)
    (tmp_path / "text.png").write_text("hello")
    return {"input": "in", "ref": "ref.jpg", "checkpoint": tiny_weights, "output": "out"}


BAD = {
    "checkpoint": ({"checkpoint": "no.h5"}, "No checkpoint at no.h5"),
    "shared reference": ({"ref": "text.png"}, "text.png is not a picture"),
    "output": ({"output": "ref.jpg/x"}, "Can't make `output` ref.jpg/x"),
    "address": ({"ray_address": "127.0.0.1:1"}, "No Ray at `ray_address`=127.0.0.1:1"),
    "neither": ({"ref": None}, "Give `input` and `ref`, or `pairs`."),
    "both": ({"pairs": "a.csv"}, "`pairs` goes without `input` and `ref`"),
    "gpus": ({"num_gpus": 1.5}, "`num_gpus`=1.5 must be whole, or less than 1"),
    "no gpus": ({"num_gpus": -1}, "`num_gpus`=-1"),
    "cpus": ({"worker_cpus": 0}, "`worker_cpus`=0: 0 is not"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cant_begin(given, tmp_path, name):
    changed, message = BAD[name]
    with pytest.raises(InputError, match=message):
        check(BatchConfig(**{**given, **changed}))
    assert not (tmp_path / "out").exists()
    check(BatchConfig(**given))
    assert (tmp_path / "out").is_dir()


@pytest.mark.parametrize("module", ["ray", "pyarrow"])
def test_without_ray(given, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"\(missing: {module}\): pip install 'ttsr-tf\[ray\]'"
    with pytest.raises(InputError, match=message):
        check(BatchConfig(**given))


@pytest.mark.parametrize("address", ["ray://host:1", "host", ":6379", "localhost:99999"])
def test_addresses(address):
    with pytest.raises(InputError, match=f"`ray_address`={address} "):
        check_address(address)
    check_address("auto")
