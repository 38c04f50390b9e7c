"""The page as a real process, and windows of a real headless Chromium that show it."""

import contextlib
import io
import os
import re
import shutil
import socket
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Writes every address that the process looks up or connects to. What Gradio 6.31 does with pandas
# 3, and the loops that it leaves to their end, are Gradio's.
_WATCHED = """
import json, runpy, sys, warnings
warnings.filterwarnings("ignore", module="gradio")
warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
asked = open(sys.argv.pop(1), "a", buffering=1)
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[1] if event == "socket.connect" else arguments[:1]
        print(json.dumps([event, address[0]]), file=asked)
sys.addaudithook(watch)
runpy.run_module("ttsr_tf.page", run_name="__main__", alter_sys=True)
"""


class Server:
    """The process.

    Attributes:
        url: of the page.
        folder: where it writes.
        asked: the file of what it looked up and connected to.
    """

    def __init__(self, weights, folder, stderr):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url, self.folder, self.asked = f"http://127.0.0.1:{port}/", folder, folder / "asked"
        flags = (
            f"--checkpoint={weights}",
            f"--port={port}",
            "--max_lr_pixels=5000",
            "--max_queued=1",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WATCHED, self.asked, *flags],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        self._read = 0

    def said(self):
        """What it wrote to stderr since the last call."""
        text = (self.folder / "stderr").read_text()
        new, self._read = text[self._read :], len(text)
        return new

    def ready(self):
        lines = [self.process.stdout.readline() for _ in range(2)]
        assert lines[1] == f"Open {self.url} in a browser. Stop with Ctrl-C.\n", lines


@pytest.fixture(scope="module")
def server(tiny_weights, tmp_path_factory):
    pytest.importorskip("gradio", reason="NOT TESTED: needs the extra `page`")
    folder = tmp_path_factory.mktemp("page")
    with open(folder / "stderr", "w") as stderr:
        server = Server(tiny_weights, folder, stderr)
        try:
            server.ready()
            yield server
        finally:
            server.process.kill()
            server.process.communicate()


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("NOT TESTED: needs Chromium (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: needs playwright")
    with playwright.sync_playwright() as driver:
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}  # CI is root
        with contextlib.closing(driver.chromium.launch(**options)) as browser:
            yield browser


@pytest.fixture
def opened(browser, server):
    """Opens the page in a new window; nothing in it may ask another host."""
    asked, contexts = set(), []

    def open_page(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.add(re.split("[:/]", request.url)[3]))
        page.goto(server.url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert asked == {"127.0.0.1"}


@pytest.fixture
def pictures(tmp_path, rng):
    """Paths of a small picture with transparency and a reference; and their arrays."""
    lr = rng.integers(256, size=(20, 30, 4), dtype=np.uint8)
    ref = rng.integers(256, size=(72, 60, 3), dtype=np.uint8)
    paths = tmp_path / "lr.png", tmp_path / "ref.png"
    for path, picture in zip(paths, (lr, ref), strict=True):
        PIL.Image.fromarray(picture).save(path)
    return paths, (lr, ref)


def give(page, *paths):
    """Chooses files, and waits until they are uploaded."""
    for i, path in enumerate(paths):
        with page.expect_response(lambda answer: "/upload" in answer.url):
            page.locator("input[type=file]").nth(i).set_input_files(path)


def enlarge(page, *paths):
    give(page, *paths)
    page.get_by_role("button", name="Enlarge").click()
    page.get_by_text("pixels after").wait_for()


def shown(page, selector):
    """The pixels that the server gave for an image."""
    source = page.locator(selector).first.get_attribute("src")
    with PIL.Image.open(io.BytesIO(page.request.get(source).body())) as image:
        return np.asarray(image.convert("RGB"))


def changes(page, selector, act):
    """The pixels of an image after `act` has made the server give another."""
    image = page.locator(selector).first
    before = image.get_attribute("src")
    act()
    image.and_(page.locator(f':not([src="{before}"])')).wait_for()
    return shown(page, selector)
