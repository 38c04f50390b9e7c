"""Ctrl-C and SIGTERM, as wishes."""

import signal

SIGNALS = signal.SIGINT, signal.SIGTERM


class StopRequest:
    """Within its context, the first signal only sets `requested`; a second one ends the process."""

    def __init__(self):
        self.requested = False

    def __enter__(self):
        self._before = {number: signal.signal(number, self._request) for number in SIGNALS}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _request(self, *_):
        self.requested = True
        print("\nStopping after this step. Once more to stop at once.", flush=True)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
