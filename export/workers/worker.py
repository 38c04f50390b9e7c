"""One of the processes that enlarge a batch's pictures."""

import os
import uuid
from typing import NamedTuple

from ttsr_tf import cli
from ttsr_tf.errors import InputError
from ttsr_tf.images import files
from ttsr_tf.inference import engines, load
from ttsr_tf.inference.run import write

TRIES = 3


class Weights(NamedTuple):
    """What a network is loaded from, and how.

    Attributes:
        checkpoint: file name of weights, a run's folder or a name.
        engine: what computes, TENSORFLOW or LITERT of `engines`.
        precision: EXACT or FAST of `engines`.
    """

    checkpoint: str
    engine: str
    precision: str = engines.EXACT


class Worker:
    """Enlarges pictures, one after the other; Ray restarts it, and repeats what it was doing.

    Args:
        weights: `Weights`.
        cpus: how many it may compute with.
        memory_gb: what it may take, GiB; larger pictures are done in tiles.
        aside: folder beside the outputs for what is not whole yet.
        gpus: how many TensorFlow may compute with; less than 1: with that part of one's memory.

    Raises:
        InputError: the checkpoint can't be read from here, or TensorFlow can't use the GPU.
    """

    def __init__(
        self,
        *,
        weights: Weights,
        cpus: int,
        memory_gb: float,
        aside: str,
        gpus: float = 0,
    ):
        if weights.engine == engines.TENSORFLOW:
            _set_tensorflow(cpus, gpus)
        else:
            cli.keep_freed_memory()
        self._upscaler = load(
            weights.checkpoint, weights.engine, threads=cpus, precision=weights.precision
        )
        self._memory_gb = _bounded(memory_gb, gpus) if gpus else memory_gb
        self._aside = aside
        self._ref_path = self._ref = None

    def __call__(self, job: dict) -> dict:
        """Writes the large picture, unless it is there.

        Args:
            job: a `Job` as a dict.

        Returns:
            It, with `reason`: why the picture failed, or "".
        """
        try:
            if not os.path.isfile(job["output"]):
                self._count_try(job)
                self._enlarge(**job)
        except InputError as error:
            return {**job, "reason": str(error)}
        except Exception as error:  # whatever it is, the other pictures may be well
            return {**job, "reason": f"{type(error).__name__}: {error}".splitlines()[0]}
        return {**job, "reason": ""}

    def _count_try(self, job):
        """Ray would repeat for ever a picture that each time brings its worker down."""
        name = os.path.basename(job["output"])
        with open(os.path.join(self._aside, f"{name}.tries"), "ab") as file:
            file.write(b".")
            if file.tell() > TRIES:
                raise InputError(
                    f"{job['lr']} was given up: {TRIES} workers ended while doing it. Did the "
                    "memory run out? Give a smaller `memory_gb`."
                )

    def _enlarge(self, lr, ref, output):
        picture = files.read(lr)
        files.check_output(output, alpha=picture.alpha is not None)
        sr = self._upscaler.upscale(picture.rgb, self._encoded(ref), self._memory_gb)
        # Not the output's name: a node that was taken for lost may still be writing it.
        whole = os.path.join(self._aside, f"{uuid.uuid4()}{os.path.splitext(output)[1]}")
        write(whole, picture, sr)
        os.replace(whole, output)

    def _encoded(self, path):
        """The reference; the last one is kept, which serves a whole batch that shares it."""
        if path != self._ref_path:
            self._ref_path = self._ref = None
            self._ref = self._upscaler.encode_reference(files.read(path).rgb)
            self._ref_path = path
        return self._ref


def _set_tensorflow(cpus, gpus):
    import tensorflow as tf

    if not gpus:
        tf.config.set_visible_devices([], "GPU")  # they are nobody's, so all would take them
    elif not (visible := tf.config.get_visible_devices("GPU")):
        raise InputError("TensorFlow can't use the GPU that Ray gave a worker. Leave `num_gpus`.")
    else:
        for gpu in visible:  # else the first worker on it would take all of its memory
            tf.config.experimental.set_memory_growth(gpu, True)
    # A lone thread is given other convolutions, and pictures differ from `ttsr_tf.upscale`'s.
    threads = max(cpus, 2)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def _bounded(memory_gb, gpus):
    """The same, or a worker's share of its GPU's memory."""
    from ttsr_tf import devices

    of_gpu = devices.gpu_memory()
    return memory_gb if of_gpu is None else min(memory_gb, 0.8 * min(gpus, 1) * of_gpu / 2**30)
