"""Which version of a model is served, with a stand-in of Ray's replicas."""

import asyncio
import contextlib
import shutil

import grpc
import pytest

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from serving import in_process, until

from export.package import versions
from export.server import model_versions, replicas
from export.server.model_versions import ModelVersions
from export.server.refused import Refused
from ttsr_tf import InputError


class Replicas:
    """What was started and stopped, in order; those of `broken` numbers can't be loaded."""

    def __init__(self):
        self.events, self.broken, self.looks = [], set(), 0

    def start(self, path, name, num_replicas):
        if path.rpartition("/")[2] in self.broken:
            self.events.append(f"fail {name}")
            raise InputError(f"Can't load {path}: OSError: nonsense")
        self.events.append(f"start {name} ×{num_replicas}")
        return f"handle of {name}", {}

    def stop(self, name):
        self.events.append(f"stop {name}")

    def numbers(self, folder):
        self.looks += 1
        return versions.numbers(folder)

    async def looked(self, times=3):
        """Waits for some looks at the folder."""
        until = self.looks + times
        await soon(lambda: self.looks >= until)


@pytest.fixture
def ray(monkeypatch):
    stand_in = Replicas()
    monkeypatch.setattr(replicas, "start", stand_in.start)
    monkeypatch.setattr(replicas, "stop", stand_in.stop)
    monkeypatch.setattr(model_versions, "_LOOK_EVERY", 0.001)
    monkeypatch.setattr(model_versions, "versions", stand_in)
    return stand_in


@pytest.fixture
def folder(tmp_path):
    for number in ("1", "9", "10"):
        (tmp_path / number).mkdir()
    return tmp_path


def states(model):
    return {version.number: version.state for version in model.versions("ttsr")}


@contextlib.asynccontextmanager
async def watched(folder):
    model = ModelVersions("ttsr", str(folder), num_replicas=3)
    await model.load()
    watching = asyncio.create_task(model.watch())
    try:
        yield model
        assert not watching.done()
    finally:
        watching.cancel()


async def soon(condition):
    async def holds():
        while not condition():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(holds(), 20)


def test_the_newest_is_loaded_and_found_by_its_names(ray, folder):
    async def steps():
        model = ModelVersions("ttsr", str(folder), num_replicas=3)
        assert await model.load() == 10
        assert ray.events == ["start ttsr-10 ×3"]
        for number in None, 10:
            with model.use("ttsr", number) as version:
                assert (version.number, version.handle) == (10, "handle of ttsr-10")
        for ask, message in (
            (lambda: model.use("ttsr", 9), "Version 9 of `ttsr` isn't served, version 10 is"),
            (lambda: model.use("other"), "There is no model `other`. Use `ttsr`."),
            (lambda: model.versions("other"), "There is no model `other`"),
            (lambda: model.versions("ttsr", 9), "There is no version 9 of `ttsr`"),
        ):
            with pytest.raises(Refused, match=message) as error:
                ask()
            assert error.value.code == grpc.StatusCode.NOT_FOUND
        assert [version.number for version in model.versions("ttsr", 10)] == [10]

    asyncio.run(steps())


def test_a_new_version_replaces_the_old_one_when_that_is_unused(ray, folder):
    async def steps():
        async with watched(folder) as model:
            with model.use("ttsr") as old:
                with model.use("ttsr"):
                    pass
                (folder / ".hidden").mkdir()
                (folder / ".hidden").rename(folder / "11")
                await soon(lambda: states(model) == {11: "AVAILABLE", 10: "UNLOADING"})
                with model.use("ttsr") as new:
                    assert (old.number, new.number) == (10, 11)
                await asyncio.sleep(0.05)  # time enough to stop it
                assert ray.events == ["start ttsr-10 ×3", "start ttsr-11 ×3"]
            await soon(lambda: states(model) == {11: "AVAILABLE", 10: "END"})
            assert ray.events[2:] == ["stop ttsr-10"]
            assert [version.number for version in model.versions("ttsr")] == [11, 10]

    asyncio.run(steps())


def test_a_broken_version_is_left_until_it_is_another(ray, folder):
    async def steps():
        async with watched(folder) as model:
            ray.broken = {"11"}
            (folder / "11").mkdir()
            await soon(lambda: states(model) == {11: "END", 10: "AVAILABLE"})
            assert model.versions("ttsr", 11)[0].error.endswith("/11: OSError: nonsense")
            await ray.looked()
            assert ray.events[1:] == ["fail ttsr-11", "stop ttsr-11"]
            shutil.rmtree(folder / "11")
            await soon(lambda: states(model) == {10: "AVAILABLE"})
            ray.broken = set()
            (folder / "11").mkdir()
            await soon(lambda: states(model) == {11: "AVAILABLE", 10: "END"})

    asyncio.run(steps())


def test_nothing_to_serve(ray, folder, tmp_path):
    ray.broken = {"10"}
    with pytest.raises(InputError, match="/10: OSError: nonsense"):
        asyncio.run(ModelVersions("ttsr", str(folder), num_replicas=1).load())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no numbered folder"):
        ModelVersions("ttsr", str(tmp_path / "empty"), num_replicas=1)


def test_what_is_served_is_served_on(ray, folder, monkeypatch, caplog):
    async def steps():
        async with watched(folder) as model:
            shutil.move(folder, f"{folder}-elsewhere")
            monkeypatch.setattr(replicas, "start", lambda *_: 1 / 0)
            await ray.looked()
            (folder / "11").mkdir(parents=True)
            await soon(lambda: "Could not replace the model's version" in caplog.text)
            with model.use("ttsr") as version:
                assert version.number == 10

    asyncio.run(steps())


def test_a_broken_version_by_grpc_and_rest(folder):
    stand_in = Replicas()
    stand_in.broken = {"11"}
    flags = {"model_name": "ttsr"}
    with in_process(folder, stand_in.start, **flags) as server:
        assert server.status() == {10: "AVAILABLE"}
        (folder / "11").mkdir()
        until(lambda: server.status() == {10: "AVAILABLE", 11: "END"}, seconds=20)
        _, answer = server.rest("/v1/models/ttsr/versions/11")
        (status,) = answer["model_version_status"]
        assert (status["version"], status["state"]) == ("11", "END")
        assert status["status"]["error_code"] == "UNKNOWN"
        assert status["status"]["error_message"].startswith("Can't load")
        _, answer = server.rest("/v1/models/ttsr")
        assert [one["version"] for one in answer["model_version_status"]] == ["11", "10"]
