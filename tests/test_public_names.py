"""What the Tab key and a type checker offer."""

import ast
import importlib

import pytest
from conftest import ROOT

import ttsr_tf

ROOMS = "ttsr_tf", *(f"ttsr_tf.{x}" for x in ("evaluation", "images", "inference", "training"))


def test_what_a_keras_user_looks_for():
    wanted = ("TTSR", "SRNTT", "Critic", "GAN", "Upscaler", "load", "network_inputs")
    assert {*wanted, "layers", "losses", "metrics", "weights"} <= {*dir(ttsr_tf)}
    assert {"checkpoints", "names", "vgg19"} == {*dir(ttsr_tf.weights)}


@pytest.mark.parametrize("room", [*ROOMS, "ttsr_tf.weights", "ttsr_tf.web"])
def test_stubs_and_names_agree(room):
    module = importlib.import_module(room)
    stub = (ROOT / room.replace(".", "/") / "__init__.pyi").read_text()
    imports = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom)]
    names = {alias.asname for node in imports for alias in node.names}
    assert {*dir(module)} == names
    if room != "ttsr_tf.web":  # which needs its extra
        assert all(getattr(module, name) is not None for name in names)


@pytest.mark.parametrize("name", ["layers", "losses", "metrics"])
def test_only_what_is_meant_is_offered(name):
    module = getattr(ttsr_tf, name)
    assert {*dir(module)} == {*module.__all__}
    assert not {"keras", "tf", "InputError", "convolution"} & {*dir(module)}
