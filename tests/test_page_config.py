"""What is judged before the page's TensorFlow and Gradio start."""

import importlib.util
import socket

import pytest

from ttsr_tf.errors import InputError
from ttsr_tf.web.config import PageConfig, check


def test_good(tiny_weights):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    check(PageConfig(checkpoint=str(tiny_weights), port=port))


def test_a_port_that_is_taken(tiny_weights):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"^Can't listen on port {port} of .* `port`\.$"):
            check(PageConfig(checkpoint=str(tiny_weights), port=port))


def test_a_missing_checkpoint(tmp_path):
    with pytest.raises(InputError, match="No checkpoint at"):
        check(PageConfig(checkpoint=str(tmp_path / "none.safetensors")))


def test_missing_extras(monkeypatch, tiny_weights):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "gradio" else found(name)
    )
    with pytest.raises(InputError) as error:
        check(PageConfig(checkpoint=str(tiny_weights)))
    assert str(error.value) == "The page needs Gradio: pip install 'ttsr-tf[page]'."


@pytest.mark.parametrize("bad", [{"port": 0}, {"max_queued": 0}, {"max_lr_pixels": 8}])
def test_bounds(bad):
    (name,) = bad
    with pytest.raises(InputError, match=f"`{name}`="):
        PageConfig(checkpoint="a", **bad)


def test_the_command(fails, tmp_path):
    line = fails("page", f"--checkpoint={tmp_path}")
    assert line.startswith("error: No checkpoint at")
