"""The versions of a model: the newest in its folder is served, and the next one replaces it."""

import asyncio
import contextlib
import logging
import os

import grpc

from ttsr_tf.errors import InputError

from ..package import versions
from . import replicas
from .config import check_folder
from .refused import Refused

_LOOK_EVERY = 1  # seconds


class Version:
    """A numbered folder.

    Attributes:
        number: int.
        state: as TF Serving calls it: LOADING, AVAILABLE, UNLOADING or END.
        error: why it could not be loaded, or "".
        handle, signatures: see `replicas.start`; once it is AVAILABLE.
    """

    def __init__(self, number):
        self.number = number
        self.state = "LOADING"
        self.error = ""
        self.handle = self.signatures = None
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def used(self):
        """Keeps it loaded for a request."""
        self._requests += 1
        self._idle.clear()
        try:
            yield self
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def unused(self):
        """Waits for the requests that use it."""
        await self._idle.wait()


class ModelVersions:
    """A model's versions.

    Args:
        name: what clients call the model.
        folder: the folder of its versions.
        num_replicas: int, of each version.

    Raises:
        InputError: the folder holds no version.
    """

    def __init__(self, name: str, folder: str, *, num_replicas: int):
        self.name = name
        check_folder(folder)
        self._folder = os.path.abspath(folder)  # replicas have other working folders
        self._num_replicas = num_replicas
        self._versions = {}
        self._current = None

    async def load(self):
        """Loads the newest version, and returns its number.

        Raises:
            InputError: it can't be loaded.
        """
        await self._update()
        if not self._current:
            (failed,) = self._versions.values()
            raise InputError(failed.error)
        return self._current.number

    async def watch(self):
        """Replaces the version by newer ones as they appear; without end."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await self._update()
            except Exception:  # whatever Ray raises, the version that is served is served on
                logging.exception("Could not replace the model's version")

    def use(self, name, number=None):
        """The version for a request, as a context.

        Args:
            name: of the model.
            number: the version's, or None for the one that is served.

        Raises:
            Refused: there is no such model, or this version isn't served.
        """
        self._require_name(name)
        if number not in (None, self._current.number):
            raise _not_found(
                f"Version {number} of `{name}` isn't served, version {self._current.number} is."
            )
        return self._current.used()

    async def answers(self):
        """Whether a replica of the version that is served is running."""
        application = self._application(self._current.number)
        return await asyncio.to_thread(replicas.running, application) > 0

    def versions(self, name, number=None):
        """All versions that were ever loaded, newest first, or the one of this number.

        Raises:
            Refused: there is none.
        """
        self._require_name(name)
        if number is None:
            return [self._versions[key] for key in sorted(self._versions, reverse=True)]
        if number not in self._versions:
            raise _not_found(f"There is no version {number} of `{name}`.")
        return [self._versions[number]]

    def _require_name(self, name):
        if name != self.name:
            raise _not_found(f"There is no model `{name}`. Use `{self.name}`.")

    async def _update(self):
        found = versions.numbers(self._folder)  # if there are none, what is served is served on
        failed = {number for number, version in self._versions.items() if version.error}
        for number in failed - found:
            del self._versions[number]  # the next export may take the number
        newest = max(found - failed, default=None)
        if newest is not None and (not self._current or newest != self._current.number):
            await self._replace(newest)

    async def _replace(self, number):
        version = self._versions[number] = Version(number)
        application = self._application(number)
        try:
            version.handle, version.signatures = await asyncio.to_thread(
                replicas.start, self._path(number), application, self._num_replicas
            )
        except InputError as error:
            version.error = str(error)
            await self._unload(version)
            return
        version.state = "AVAILABLE"
        old, self._current = self._current, version
        if old:
            await self._unload(old)

    async def _unload(self, version):
        version.state = "UNLOADING"
        await version.unused()
        await asyncio.to_thread(replicas.stop, self._application(version.number))
        version.state = "END"

    def _application(self, number):
        return f"{self.name}-{number}"

    def _path(self, number):
        return os.path.join(self._folder, str(number))


def _not_found(reason):
    return Refused(grpc.StatusCode.NOT_FOUND, reason)
