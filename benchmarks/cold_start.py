"""A first picture and a first training step: seconds of every phase, each in a fresh process.

python benchmarks/cold_start.py [--lr=112x76] [--ref=451x304] [--runs=3] [--results=FILE]

"picture" is `ttsr_tf.upscale` of noise with a network of the paper's size and random weights, as
its phases in one process, and whole as a command; "reconstruction" and "full" are the first steps
of the paper's network on one pair; "tiny" is a whole run of `ttsr_tf.train` of one step of each
kind with 4 features; "shipped" is `ttsr_tf.upscale` as a command, with the weights that come along;
"litert" and "shipped litert" are these two commands without TensorFlow.

With RELEASED in the environment, a checkout of the authors' program (researchmm/TTSR), its first
picture and its first steps beside ours. Needs what that imports: torch, imageio,
opencv-python-headless; its VGG19 is replaced by random weights, which need no download.
"""

import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import picture_sizes
import released_program

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, integer, string
from ttsr_tf.errors import InputError

# TensorFlow and PyTorch are imported by the processes that are measured, as part of that.

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CROP = 160  # side of HR in training, pixels
_SIZES = dict.fromkeys(("lr_up", "hr", "ref", "ref_down_up"), _CROP) | {"lr": _CROP // 4}
_LITE = "w.tflite"
_TINY = {"num_features": 4, "num_residual_blocks": "1,1,1,1", "crop_size": 32, "batch_size": 2}
_TINY |= {"dataset": "sample", "vgg19_weights": "random", "perceptual_weight": 0}
_TINY |= {"pretrain_steps": 1, "max_steps": 2}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is measured."""

    lr: str = string("112x76", "Size of the small picture: HxW.")
    ref: str = string("451x304", "Size of the reference: HxW.")
    runs: int = integer(3, "Of each; the medians count.", lower_bound=1)
    results: str | None = string(None, "A file to append the figures to, as a JSON line.")
    cases: str | None = string(None, "Only these, such as picture,full.")
    measure: str | None = string(None, "A case, in this process.")
    folder: str | None = string(None, "Where the pictures and the weights of a case are.")


def main(config):
    if config.measure:
        print(json.dumps(_MEASURED[config.measure](config)))
        return
    picture_sizes.pair(config)  # before anything is measured
    found = {}
    print(
        "| case | process, s | processor, s | peak, MiB | phases, s |\n|---|---|---|---|---|",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        config = dataclasses.replace(config, folder=folder)
        _run(_case("weights", config))
        names = config.cases.split(",") if config.cases else list(_commands(config, 0))
        if "litert" in names:
            _run(
                _command("export.litert", _files(config, checkpoint="w.safetensors", output=_LITE))
            )
        for name in names:
            runs = [_run(_commands(config, i)[name]) for i in range(config.runs)]
            found[name] = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            _print(name, **found[name])
    if config.results:
        about = {"benchmark": "cold_start", "time": time.time(), "cpus": os.cpu_count()}
        with open(config.results, "a") as file:
            print(json.dumps({**about, "machine": platform.machine(), "found": found}), file=file)


def _commands(config, run):
    """The command of every case, for one of its runs."""
    upscale = _files(config, lr="lr.png", ref="ref.png", output="sr.png")
    train = {
        **_TINY,
        "run_dir": os.path.join(config.folder, f"run{run}"),
    }  # a run goes on from its last
    ours = {name: _case(name, config) for name in ("picture", "reconstruction", "full")}
    theirs = {name: _case(name, config) for name in _MEASURED if name.startswith("released")}
    weights, lite = (_files(config, checkpoint=name) for name in ("w.safetensors", _LITE))
    return {
        "upscale": _command("ttsr_tf.upscale", upscale | weights),
        "litert": _command("ttsr_tf.upscale", upscale | lite),
        "shipped": _command("ttsr_tf.upscale", upscale | {"engine": "tensorflow"}),
        "shipped litert": _command("ttsr_tf.upscale", upscale | {"engine": "litert"}),
        **ours,
        "tiny": _command("ttsr_tf.train", train),
        **(theirs if os.environ.get("RELEASED") else {}),
    }


def _case(name, config):
    sizes = f"--lr={config.lr}", f"--ref={config.ref}"
    return [sys.executable, __file__, f"--measure={name}", f"--folder={config.folder}", *sizes]


def _command(module, options):
    options = (f"--{name}={value}" for name, value in options.items())
    return [sys.executable, "-m", module, *options]


def _files(config, **names):
    """Paths in the folder by option."""
    return {option: os.path.join(config.folder, name) for option, name in names.items()}


def _run(command):
    """Seconds of a process, of the processor for it, and of the phases that it reports; its MiB."""
    start = time.perf_counter()
    # This checkout, whichever one is installed.
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        process = subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr)
        _, status, used = os.wait4(process.pid, 0)  # this process is small, so the peak is its own
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        for file in (stdout, stderr):
            file.seek(0)
        if process.returncode:
            raise InputError(f"{' '.join(command)} failed:\n{stderr.read()}")
        last = stdout.read().splitlines()[-1]
    return {
        "process": seconds,
        "processor": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss / 2**10,
        **(json.loads(last) if last.startswith("{") else {}),
    }


def _print(case, process, processor, *, peak, **phases):
    parts = (f"{key} {n:,.0f}" if n > 1000 else f"{key} {n:.2f}" for key, n in phases.items())
    cells = case, f"{process:.2f}", f"{processor:.2f}", f"{peak:,.0f}", ", ".join(parts)
    print("|", " | ".join(cells), "|", flush=True)


class _Phases(dict):
    """Seconds from one call of `end` to the next, by name."""

    def __init__(self):
        super().__init__()
        self._start = time.perf_counter()

    def end(self, name):
        self[name] = time.perf_counter() - self._start
        self._start = time.perf_counter()


def _weights(config):
    """Writes what the cases read."""
    import numpy as np
    import PIL.Image

    from ttsr_tf import TTSR
    from ttsr_tf.weights import checkpoints

    rng = np.random.default_rng(0)
    for name, size in zip(("lr", "ref"), picture_sizes.pair(config), strict=True):
        noise = rng.integers(256, size=(*size, 3), dtype=np.uint8)
        PIL.Image.fromarray(noise).save(os.path.join(config.folder, f"{name}.png"))
    model = TTSR()
    model.build()
    checkpoints.save(model, os.path.join(config.folder, "w.safetensors"))
    return {}


def _picture(config):
    phases = _Phases()
    cli.start_tensorflow()  # as every command does first
    from ttsr_tf import images, load

    phases.end("import")
    upscaler = load(os.path.join(config.folder, "w.safetensors"))
    phases.end("weights")
    lr, ref = (images.read(os.path.join(config.folder, f"{n}.png")).rgb for n in ("lr", "ref"))
    for name in ("first picture", "second picture"):
        upscaler.upscale(lr, ref)
        phases.end(name)
    return phases


def _step(full):
    phases = _Phases()
    cli.start_tensorflow()  # as every command does first
    import tensorflow as tf

    from ttsr_tf import GAN, TTSR, Critic, layers
    from ttsr_tf.training.optimizers import Adam

    phases.end("import")
    generator, critic = TTSR(), Critic(_CROP)
    features = layers.VGG19(["relu5_1"], trainable=False)
    for network in (generator, critic, features) if full else (generator,):
        network.build((None, None, None, 3))
    gan = GAN(generator, *((critic, features) if full else ()))
    gan.compile(*(Adam(1e-4, epsilon=1e-8) for _ in range(3)))
    batch = {name: tf.random.uniform([1, n, n, 3], -1, 1) for name, n in _SIZES.items()}
    batch["epsilon"] = tf.random.uniform([1, 2])
    step = tf.function(gan.full_step if full else gan.pretrain_step, autograph=False)
    phases.end("networks")
    graph = step.get_concrete_function(batch).graph.as_graph_def()
    phases.end("trace")
    for name in ("first step", "second step"):
        float(step(batch)["reconstruction"])
        phases.end(name)
    nodes = len(graph.node) + sum(len(f.node_def) for f in graph.library.function)
    return {**phases, "nodes": nodes}


def _released_steps(full):
    seconds = released_program.train(_CROP, batch_size=1, steps=2, full=full)
    return dict(zip(("first step", "second step"), seconds, strict=True))


_MEASURED = {
    "weights": _weights,
    "picture": _picture,
    "reconstruction": lambda _: _step(full=False),
    "full": lambda _: _step(full=True),
    "released picture": lambda config: released_program.picture(config.folder, _Phases()),
    "released reconstruction": lambda _: _released_steps(full=False),
    "released full": lambda _: _released_steps(full=True),
}


if __name__ == "__main__":
    cli.run(Config, main)
