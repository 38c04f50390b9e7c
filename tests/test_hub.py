"""hf://OWNER/NAME: huggingface_hub's own code against a server of this machine."""

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import ROOT
from hub_stand_in import serving

from ttsr_tf.errors import InputError
from ttsr_tf.weights import hub, naming

FILES = {"somebody/bridges/model.safetensors": b"weights" * 1000, "somebody/empty/README.md": b"."}
PATH = """
import sys
from ttsr_tf.errors import InputError
from ttsr_tf.weights import naming
try:
    print(naming.path_of(sys.argv[1]))
except InputError as error:
    print("refused:", error)
"""


def path_of(address, *, endpoint, home, **more):
    """What a process makes of it: the hub's client reads the environment when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), **more}
    result = subprocess.run(
        [sys.executable, "-c", PATH, address],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_fetched_once_and_kept(tmp_path):
    with serving(FILES) as (endpoint, requests):
        path = path_of("hf://somebody/bridges", endpoint=endpoint, home=tmp_path)
        content = pathlib.Path(path).read_bytes()
        assert content == FILES["somebody/bridges/model.safetensors"]
        assert path.startswith(str(tmp_path)) and path.endswith(naming.IN_RUN_FOLDER)
        assert path_of("hf://somebody/bridges", endpoint=endpoint, home=tmp_path) == path
        fetched = "GET /somebody/bridges/resolve/main/model.safetensors"
        assert requests.count(fetched) == 1
    # Without a network.
    again = path_of("hf://somebody/bridges", endpoint=endpoint, home=tmp_path, HF_HUB_OFFLINE="1")
    assert again == path


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("hf://somebody/else", "there is no such repository, or it is not public"),
        ("hf://somebody/empty", "the repository has no model.safetensors"),
        ("hf://a/b/c", "give hf://OWNER/NAME"),
    ],
)
def test_what_is_not_there(address, reason, tmp_path):
    with serving(FILES) as (endpoint, _):
        said = path_of(address, endpoint=endpoint, home=tmp_path)
    assert said == f"refused: Can't fetch model.safetensors of {address}: {reason}."


def test_no_network(tmp_path):
    # Its client would try a server that doesn't answer for half a minute.
    said = path_of("hf://a/b", endpoint="http://127.0.0.1:9", home=tmp_path, HF_HUB_OFFLINE="1")
    assert said == "refused: Can't fetch model.safetensors of hf://a/b: the hub can't be reached."


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"^hf://a/b needs .* pip install 'ttsr-tf\[hub\]'\.$"):
        hub.fetch("hf://a/b", "model.safetensors")
