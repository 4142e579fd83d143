"""A z trained here, a browser, and a watch over what its pages do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

import circuitz as cz
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.models.zoo.small_cnn import SmallCNN
from circuitz.models.zoo.training import Recipe, fit
from circuitz.widgets.serving.jupyterlab import run_jupyterlab
from circuitz.z.layer import Preprocessing

Opener = Callable[[Page, Path], Locator]

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a network trained on huskies that all stand on snow."""
    data = make_dogs("D", 130, seed=0)
    concepts = make_dogs("concepts", 600, seed=1)
    torch.manual_seed(0)
    net = SmallCNN(len(data.classes), widths=(16, 24, 32, 32))
    how = Preprocessing()
    rows = np.flatnonzero(data.split == 0)
    fit(net, data.images[rows], data.labels[rows], how, Recipe(epochs=6, seed=0))
    z = cz.wrap(
        net,
        data,
        layers=["conv3", "conv4"],
        classes=data.classes,
        preprocess=how,
        subject="dog",
        name="six breeds of dog",
    )
    z = cz.measure(z, concepts, data)
    z = cz.measure(cz.propose(z))
    return z.save(tmp_path_factory.mktemp("trained") / "husky.z")


@pytest.fixture
def bundle(trained: Path, tmp_path: Path) -> Path:
    """A copy of it to edit."""
    place = tmp_path / "work" / "husky.z"
    shutil.copytree(trained, place)
    return place


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [os.environ.get("CIRCUITZ_CHROMIUM"), *map(shutil.which, names)]
    path = next((name for name in found if name), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield browser
        browser.close()


class Watch:
    """Collects what a page must not do: errors, and requests to other machines."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.excused = False

    def follow(self, page: Page) -> None:
        page.on("console", lambda message: message.type == "error" and self.error(message.text))
        page.on("pageerror", lambda error: self.error(str(error)))
        page.on("request", lambda request: self.request(request.url))

    def error(self, text: str) -> None:
        if not self.excused:
            self.errors.append(text)

    def request(self, url: str) -> None:
        parts = urlparse(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in (
            "127.0.0.1",
            "localhost",
        ):
            self.outside.append(url)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """A server that is taken away makes the notebook itself complain."""
        self.excused = True
        yield
        self.excused = False

    def check(self, *, besides: str | None = None) -> None:
        """Nothing went wrong, ``besides`` being a complaint that belongs to the case."""
        assert [e for e in self.errors if besides is None or besides not in e] == []
        assert self.outside == []


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def page(chromium: Browser, watch: Watch) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    watch.follow(page)
    yield page
    context.close()


class Visitors:
    """``circuitz serve`` as a person runs it, and what a program may ask it."""

    def __init__(self, *arguments: str) -> None:
        code = "import sys; from circuitz.cli import main; sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "serve", "--no-browser", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = ""
        for line in self.process.stdout or ():
            said += line
            if "token=" in line:
                break
        assert "token=" in said, (said, self.process.communicate(timeout=30))
        self.url = next(word for word in said.split() if "token=" in word)
        self.base = self.url.split("?")[0]
        self.token = self.url.split("token=")[1]

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        """Return status and text of one request; the token goes along unless said otherwise."""
        shown = {"Authorization": f"token {self.token}"} | headers
        sent = {name.replace("_", "-"): value for name, value in shown.items() if value}
        request = urllib.request.Request(self.base + path, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def kernels(self) -> int:
        return json.loads(self.ask("circuitz/status")[1])["kernels"]

    def until(self, kernels: int, seconds: float = 30) -> None:
        """Wait until so many kernels run."""
        deadline = time.monotonic() + seconds
        while (found := self.kernels()) != kernels:
            assert time.monotonic() < deadline, f"{found} kernels run, not {kernels}"
            time.sleep(0.2)

    def processes(self) -> list[int]:
        """Ids of the kernels' processes."""
        ids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        alive = [int(part) for part in ids.split()]
        return [i for i in alive if b"ipykernel" in Path(f"/proc/{i}/cmdline").read_bytes()]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def visitors() -> Iterator[Callable[..., Visitors]]:
    """Starts servers; they end with the test."""
    started: list[Visitors] = []

    def start(*arguments: object) -> Visitors:
        started.append(Visitors(*map(str, arguments)))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(autouse=True)
def lab_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of a JupyterLab that saves nothing by itself.

    After two minutes it would, outputs and all. A notebook that is opened again from the file
    shows these outputs before a kernel knows their widgets, and complains on the console; on a
    slow machine a journey takes that long.
    """
    folder = tmp_path / "lab-settings"
    own = folder / "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps({"autosave": False}))
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(folder))
    return folder


@pytest.fixture(params=["lab", "voila"])
def opened(request: pytest.FixtureRequest, visitors: Callable[..., Visitors]) -> Iterator[Opener]:
    """Opens the studio of a bundle in JupyterLab, and in Voila."""
    with ExitStack() as stack:

        def show(page: Page, bundle: Path) -> Locator:
            if request.param == "voila":
                page.goto(visitors(bundle, "--author", "mira").url)
            else:
                server = stack.enter_context(run_jupyterlab(bundle))
                page.goto(server.url)
                expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
                page.get_by_role("menuitem", name="Run", exact=True).click()
                page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            screen = page.locator(".jp-OutputArea-output .cz-studio")
            expect(screen).to_be_visible()
            screen.scroll_into_view_if_needed()
            page.locator(".cz-studio .cz-tiles, .cz-studio .cz-finding-list").first.focus()
            return screen

        yield show
