"""What is judged of serving before TensorFlow and Ray are there."""

import socket
import sys

import pytest

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from serving import free_ports

from export.server.config import ServeConfig, check
from ttsr_tf import InputError, configuration

PORTS = "port", "rest_api_port", "metrics_port"


@pytest.fixture
def models(tmp_path):
    """A folder with a version."""
    (tmp_path / "ttsr" / "1").mkdir(parents=True)
    return tmp_path / "ttsr"


def test_what_cant_be_served(models, tmp_path, monkeypatch):
    ports = dict(zip(PORTS, free_ports(3), strict=True))
    check(ServeConfig(model_base_path=models, **ports))
    refused = ServeConfig(model_base_path=tmp_path, **ports)
    command = f"python -m export.saved_model --output_dir={tmp_path} --checkpoint=…"
    with pytest.raises(InputError, match=rf"{tmp_path} holds no numbered folder.*: {command}"):
        check(refused)
    with pytest.raises(InputError, match=r"`port`=.*, `rest_api_port`=.* must differ"):
        check(ServeConfig(model_base_path=models, **{**ports, "port": ports["metrics_port"]}))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"\(missing: ray\): pip install 'ttsr-tf\[ray\]'"):
        check(refused)


@pytest.mark.parametrize("name", PORTS)
def test_a_port_that_is_taken(models, name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = dict(zip(PORTS, free_ports(3), strict=True))
        ports[name] = taken.getsockname()[1]
        where = rf"port {ports[name]} of 127.0.0.1 \(Address already in use\)"
        with pytest.raises(InputError, match=f"Can't listen on {where}. Choose another `{name}`."):
            check(ServeConfig(model_base_path=models, **ports))


def test_old_names_of_flags_are_answered():
    for old, new in (("grpc_port=1", "port"), ("rest_port=1", "rest_api_port")):
        with pytest.raises(InputError, match=f"--{old[:-2]} is now --{new}. Give that."):
            configuration.parse(ServeConfig, ["--model_base_path=x", f"--{old}"])
    with pytest.raises(InputError, match="--model_dir is now --model_base_path"):
        configuration.parse(ServeConfig, ["--model_dir=x"])
