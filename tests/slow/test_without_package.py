"""An exported model in programs that know nothing of this package."""

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from export.graph.session import Session

HERE = pathlib.Path(__file__).parent
pytestmark = pytest.mark.xdist_group("exported")
_CLI = """
import runpy, sys
sys.modules.update(ttsr_tf=None, export=None)  # importing them raises
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


@pytest.fixture
def pairs(rng):
    sizes = (7, 12, 30, 25), (13, 5, 16, 41), (20, 21, 48, 36)  # lr, ref; never traced

    def picture(height, width):
        return rng.integers(256, size=(height, width, 3), dtype=np.uint8)

    return [(picture(*size[:2]), picture(*size[2:])) for size in sizes]


@pytest.fixture
def run_cli(exported, tmp_path):
    """`saved_model_cli run`; gives the path of the output."""

    def run(signature, output, **inputs):
        for name, value in inputs.items():
            np.save(tmp_path / f"{name}.npy", value)
        given = ";".join(f"{name}={tmp_path / name}.npy" for name in inputs)
        program = pathlib.Path(sys.executable).parent / "saved_model_cli"
        where = "--dir", exported / "ttsr" / "1", "--outdir", tmp_path, "--overwrite"
        what = "--tag_set=serve", f"--signature_def={signature}", f"--inputs={given}"
        command = [sys.executable, "-c", _CLI, program, "run", *where, *what]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return tmp_path / f"{output}.npy"

    return run


def test_saved_model_cli(run_cli, exported_model, pairs):
    for lr, ref in pairs:
        sr = np.load(run_cli("serving_default", "sr", lr=lr[None], ref=ref[None]))
        np.testing.assert_array_equal(sr[0], exported_model.upscale(lr, ref))


def test_saved_model_cli_with_files(run_cli, exported_model, pairs):
    lr_bytes, ref_bytes = (
        np.array([tf.io.encode_png(picture).numpy() for picture in pictures])
        for pictures in zip(*pairs, strict=True)
    )
    path = run_cli("encoded", "sr_bytes", lr_bytes=lr_bytes, ref_bytes=ref_bytes)
    for sr, (lr, ref) in zip(np.load(path, allow_pickle=True), pairs, strict=True):
        np.testing.assert_array_equal(tf.io.decode_png(sr), exported_model.upscale(lr, ref))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """saved_model_client.c, compiled."""
    if not shutil.which("gcc"):
        pytest.skip("NOT TESTED: the C API needs gcc")
    library = tf.sysconfig.get_lib()
    paths = f"-I{tf.sysconfig.get_include()}", f"-L{library}", f"-Wl,-rpath,{library}"
    linked = "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"
    program = tmp_path_factory.mktemp("client") / "client"
    source = HERE / "saved_model_client.c"
    subprocess.run(["gcc", source, "-o", program, *paths, *linked], check=True)
    return program


@pytest.fixture
def client(program, exported, tmp_path):
    """The command line of the program up to the pictures; it writes to `tmp_path`/sr."""
    with Session(str(exported / "ttsr" / "1")) as session:
        signature = session.signatures["serving_default"]
    inputs = [signature.inputs[name].name for name in ("lr", "ref")]
    output = signature.outputs["sr"].name
    return [program, exported / "ttsr" / "1", *inputs, output, tmp_path / "sr"]


def test_the_c_api(client, tmp_path, exported_model, pairs):
    arguments = []
    for i, pair in enumerate(pairs):
        for name, pixels in zip(("lr", "ref"), pair, strict=True):
            pixels.tofile(tmp_path / f"{name}{i}")
            arguments += [str(tmp_path / f"{name}{i}"), *map(str, pixels.shape[:2])]
    result = subprocess.run([*client, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    expected = np.concatenate([exported_model.upscale(*pair).ravel() for pair in pairs])
    np.testing.assert_array_equal(np.fromfile(tmp_path / "sr", np.uint8), expected)


def test_the_c_api_refuses(client, tmp_path):
    np.zeros(11 * 16 * 3, np.uint8).tofile(tmp_path / "picture")
    arguments = [tmp_path / "picture", "9", "9", tmp_path / "picture", "11", "16"]
    result = subprocess.run([*client, *arguments], capture_output=True, text=True)
    assert result.returncode == 1
    assert "run: code 3" in result.stderr  # TF_INVALID_ARGUMENT
    assert "`ref` is 16×11 pixels, at least 12×12 are needed" in result.stderr
