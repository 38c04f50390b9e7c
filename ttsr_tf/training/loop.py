"""The training loop: steps over a strategy, and what happens between them."""

import os
import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ttsr_tf.data import batches
from ttsr_tf.errors import InputError
from ttsr_tf.progress import Progress
from ttsr_tf.training import distribution
from ttsr_tf.training.schedule import PHASES
from ttsr_tf.training.validation import Validation
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.naming import BEST_IN_RUN_FOLDER, IN_RUN_FOLDER

_SHOWN = "reconstruction", "critic"  # in the progress bar


class Plan(NamedTuple):
    """When the loop does what.

    Attributes:
        max_steps: when it ends.
        summary_every, validate_every: steps.
        checkpoint_minutes: between checkpoints; one is also written at the end.
    """

    max_steps: int
    summary_every: int
    validate_every: int
    checkpoint_minutes: float


class Loop:
    """Trains until the plan's last step or until somebody wants to stop.

    Attributes:
        scores: the last validation's, a dict; None before the first.

    Args:
        strategy: where.
        gan: a compiled `GAN`, built in the strategy's scope.
        state: a `TrainingState` of it.
        plan: a `Plan`.
        run_dir: the run's folder.
        summaries: a `Summaries`, or None where another process writes: then nothing is.
    """

    def __init__(self, strategy, gan, state, *, plan, run_dir, summaries):
        self._strategy, self._gan, self._state = strategy, gan, state
        self._plan, self._run_dir, self._summaries = plan, run_dir, summaries
        self._steps = {phase: distribution.step(strategy, gan.step_of(phase)) for phase in PHASES}
        self._alone = not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        self._unread, self._read_every = [], distribution.read_every()
        self._validation = Validation(gan.generator)
        self.scores = None

    def run(self, trained_on, validated_on, stream, *, stop=None):
        """Args:
        trained_on, validated_on: `Pairs`.
        stream: a `Stream` of the batches.
        stop: an object whose `requested` says that somebody wants to stop; or None.

        Returns:
            Whether all steps are done; if not, somebody wanted to stop.

        Raises:
            InputError: a picture that can't be read; a loss that isn't finite, which on GPUs is
                noticed up to 9 steps later, but before anything is written; a full disk.
        """
        plan, state = self._plan, self._state
        state.recent.leave_out_time()
        progress = Progress(plan.max_steps, "step", done=state.step)
        parts = iter(
            _distributed_batches(self._strategy, trained_on, stream, first_step=state.step)
        )
        next_checkpoint = time.monotonic() + 60 * plan.checkpoint_minutes
        wished = stopping = False
        while state.step < plan.max_steps and not stopping:
            wish = stop is not None and stop.requested
            self._unread.append(self._step(_next(parts, trained_on), wish))
            state.step += 1
            save = time.monotonic() >= next_checkpoint
            if save or wish or self._is_due(state.step):
                wished |= self._read(trained_on, stream, progress)
            # Workers stop together: where all have read what all said.
            stopping = wished and (self._alone or state.step % self._read_every == 0)
            self._summarise(validated_on, stream)
            if save:
                self._save()
                next_checkpoint = time.monotonic() + 60 * plan.checkpoint_minutes
        progress.close()
        self._save()
        return state.step == plan.max_steps

    def _step(self, batch, stop):
        return self._steps[self._gan.schedule.phase(self._state.step)](batch, stop)

    def _is_due(self, step):
        plan = self._plan
        every = self._read_every, plan.summary_every, plan.validate_every
        return step == plan.max_steps or any(step % steps == 0 for steps in every)

    def _read(self, pairs, stream, progress):
        """Takes in what the steps since the last reading report; tells whether any worker wants to
        stop.
        """
        reports = [report.read() for report in self._unread]
        self._unread.clear()
        wishes = [report.pop(distribution.STOP) for report in reports]
        for step, report in enumerate(reports, self._state.step - len(reports) + 1):
            self._check_finite(report, step, pairs, stream=stream)
            progress.advance(**{name: f"{report[name]:.4f}" for name in _SHOWN if name in report})
        self._state.recent.add(reports)
        return any(wishes)

    def _check_finite(self, report, step, pairs, *, stream):
        if np.isfinite(list(report.values())).all():
            return
        first = (step - 1) * stream.batch_size
        places = (
            batches.place(number, len(pairs), stream.seed)
            for number in range(first, first + stream.batch_size)
        )
        losses = ", ".join(f"{name} {value:.4g}" for name, value in report.items())
        raise InputError(
            f"Step {step} is not finite: {losses}. Its pictures: "
            f"{', '.join(pairs.names[i] for i in places)}. The last good checkpoint is "
            f"{self._state.last}. A lower `learning_rate` or `global_clipnorm` may help, in a "
            "run of its own."
        )

    def _summarise(self, validated_on, stream):
        plan, step, recent = self._plan, self._state.step, self._state.recent
        last, regular = step == plan.max_steps, step % plan.summary_every == 0
        values = recent.means() if last or regular else {}
        if regular:  # a last row between stays out of the way of a run that is made longer
            recent.clear()
        if not self._summaries:
            return
        if last or step % plan.validate_every == 0:
            values.update(self._validate(validated_on, stream))
            recent.leave_out_time()
        if values:
            with self._state.writing():
                self._summaries.scalars(step, values)

    def _validate(self, validated_on, stream):
        generator, state = self._gan.generator, self._state
        # While only that path has learnt, what it makes is looked at, but not kept as the best.
        alone = bool(generator.pretrained) and state.step <= self._gan.schedule.pretrain_steps
        with self._gan.averaged():
            self.scores, panels = self._validation.score(
                validated_on, stream.crop_size, kind=stream.degradation, single_image=alone
            )
            with state.writing():
                self._summaries.pictures(state.step, panels)
                if self.scores["psnr"] > state.best_psnr and not alone:
                    state.best_psnr = self.scores["psnr"]
                    checkpoints.save(generator, os.path.join(self._run_dir, BEST_IN_RUN_FOLDER))
        return self.scores

    def _save(self):
        if not self._summaries:
            return
        with self._state.writing():
            self._state.save()
            with self._gan.averaged():
                path = os.path.join(self._run_dir, IN_RUN_FOLDER)
                checkpoints.save(self._gan.generator, path)


def _distributed_batches(strategy, pairs, stream, *, first_step):
    def of_worker(context):
        workers = context.num_input_pipelines
        replicas = context.num_replicas_in_sync // workers
        share = batches.Share(context.input_pipeline_id, workers, replicas)
        return batches.batches(pairs, stream, first_step, share=share)

    return strategy.distribute_datasets_from_function(of_worker)


def _next(parts, pairs):
    try:
        return next(parts)
    except tf.errors.OpError:
        if pairs.failure:
            raise pairs.failure from None
        raise
