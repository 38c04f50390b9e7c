"""How far a long loop has come, and a person's wish that it stops."""

import os
import signal
import socket
import sys
import threading
import time

import tqdm

PLAIN_EVERY = 10  # seconds
SIGNALS = signal.SIGINT, signal.SIGTERM


class Progress:
    """A bar with rate and remaining time; a plain line now and then where there is no terminal.

    The rate doesn't count the first step, which may wait for TensorFlow's graph or for workers.

    Args:
        total: number of steps.
        unit: what one step is, such as "step".
        done: how many were done before.
    """

    def __init__(self, total, unit, done=0):
        hidden = not sys.stderr.isatty()
        self._bar = tqdm.tqdm(total=total, unit=unit, initial=done, disable=hidden)
        self._total, self._unit = total, unit
        self._done, self._before, self._start = done, done + 1, time.monotonic()
        self._next_line = self._start + PLAIN_EVERY

    def advance(self, **values):
        """One step is done; `values` are shown beside it."""
        self._done += 1
        first = self._done == self._before
        if first:
            self._start = time.monotonic()
        if self._bar.disable:
            self._plain_line(values)
        else:
            if first:
                self._bar.unpause()
                self._bar.initial += 1
            self._bar.set_postfix(values, refresh=False)
            self._bar.update()

    def close(self):
        self._bar.close()

    def _plain_line(self, values):
        now = time.monotonic()
        if now < self._next_line and self._done < self._total:
            return
        self._next_line = now + PLAIN_EVERY
        shown = "".join(f", {name} {value}" for name, value in values.items())
        if self._done > self._before or self._done == self._total:
            each = (now - self._start) / max(self._done - self._before, 1)
            shown += f", {each * (self._total - self._done):.0f} s left"
        print(f"{self._unit} {self._done}/{self._total}{shown}", flush=True)


class StopRequest:
    """Within its context, the first signal only sets `requested`; a second one ends the process,
    with the exit code that shells give.

    Both are answered at once: Python's own handlers would wait until the operation that TensorFlow
    is in, of maybe a minute, is done.

    Args:
        unit: what will be finished, such as "step".
    """

    def __init__(self, unit):
        self.requested, self._unit = False, unit

    def __enter__(self):
        self._heard, self._told = socket.socketpair()
        self._told.setblocking(False)
        self._woken_before = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        # Only what Python handles is written there.
        self._before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._woken_before)
        self._told.close()
        self._listener.join()
        self._heard.close()

    def _listen(self):
        while number := self._heard.recv(1):  # empty once the other end is closed
            if number[0] not in SIGNALS:
                continue
            if self.requested:
                os._exit(128 + number[0])
            self.requested = True
            print(f"\nStopping after this {self._unit}. Once more to stop at once.", flush=True)
