"""A z trained here, a browser, and a watch over what its pages do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect, sync_playwright

import circuitz as cz
from circuitz.data.dogs import make_dogs
from circuitz.models.small_cnn import SmallCNN
from circuitz.models.training import Recipe, fit
from circuitz.z.layer import Preprocessing

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

    def check(self) -> None:
        assert self.errors == []
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
