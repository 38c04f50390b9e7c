"""`python -m export.serve` as a process."""

import contextlib
import os
import subprocess
import sys

import psutil
from conftest import ROOT
from serving import Clients


@contextlib.contextmanager
def started(models, *flags):
    """A `Server` that is ready; afterwards nothing of it is left."""
    server = Server(models, flags)
    family = []
    try:
        assert "loading the model" in server.process.stdout.readline()
        line = server.process.stdout.readline()
        assert line.startswith("Serving ttsr, version 1: gRPC 127.0.0.1:"), line
        family = psutil.Process(server.process.pid).children(recursive=True)
        yield server
    finally:
        server.channel.close()
        server.process.terminate()
        server.process.wait(timeout=60)
        server.process.stdout.close()
        _, alive = psutil.wait_procs(family, timeout=20)
        for process in alive:
            process.kill()
    assert not alive


def quiet_environment():
    """For Ray, whose own processes end if their warnings are errors."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}


class Server(Clients):
    """The process and its clients."""

    def __init__(self, models, flags):
        super().__init__()
        self.models = models
        ports = [f"--{name}={port}" for name, port in self.ports.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "export.serve", f"--model_base_path={models}", *ports, *flags],
            cwd=ROOT,
            env=quiet_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def replicas(self):
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in family if process.name().startswith("ray::ServeReplica")]
