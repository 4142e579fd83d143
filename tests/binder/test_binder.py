"""What a Binder link builds, and what it opens."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-tests"
TREE = (
    "binder",
    "circuitz",
    "notebooks",
    "pyproject.toml",
    "constraints.txt",
    "README.md",
    "LICENSE",
)
REQUIREMENTS = ROOT / "binder" / "requirements.txt"
LARGER = ROOT / "binder" / "requirements-torch.txt"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files Binder sees, where they can be written to."""
    place = tmp_path / "repository"
    place.mkdir()
    for name in TREE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, place / name)
    return place


def dockerfile(tree: Path) -> str:
    """What repo2docker would build; no engine is needed to ask."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    done = subprocess.run(
        command, cwd=tree, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def in_order(text: str, *steps: str) -> None:
    """Each step is there, one after the other."""
    at = 0
    for step in steps:
        found = text.find(step, at)
        assert found >= 0, f"{step!r} does not follow\n{text}"
        at = found + len(step)


def test_the_image_has_python_the_package_the_demo_and_the_start(tree):
    said = dockerfile(tree)
    in_order(
        said,
        "py-2d3-2e11",  # the lock of Python 3.11, as repo2docker spells its name
        "COPY --chown=0:0 src/ ${REPO_DIR}/",
        'pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
        'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
    )


def lines(file: Path) -> list[str]:
    said = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return [line for line in said if line]


def test_the_default_session_is_without_torch_and_the_larger_one_has_its_cpu_build():
    assert lines(REQUIREMENTS) == ["-c ../constraints.txt", "-e .[lab]"]
    assert "-e .[torch,lab]" in lines(LARGER)
    pins = dict(line.split("==") for line in lines(ROOT / "constraints.txt"))
    assert f"torch=={pins['torch']}+cpu" in lines(LARGER)


def test_what_is_shipped_is_small_and_holds_a_z_and_tasks():
    shipped = ROOT / "binder" / "shipped.tar.xz"
    assert shipped.stat().st_size < 1_000_000
    with tarfile.open(shipped) as packed:
        names = packed.getnames()
        assert all(entry.isfile() or entry.isdir() for entry in packed.getmembers())
    assert {name.split("/")[0] for name in names} == {"husky.z", "tasks"}
    assert {"husky.z/z.json", "tasks/tasks.json"} <= set(names)


def test_the_larger_session_is_a_branch_that_differs_in_one_file(tree):
    def git(*arguments: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        command = ["git", "-C", str(tree), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    git("init", "-q", "-b", "main")
    git("add", "binder", "constraints.txt")
    git("commit", "-qm", "all")
    before = git("status", "--short"), git("rev-parse", "HEAD")
    identity = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org"}
    identity |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"}
    script = ["bash", str(tree / "binder" / "torch-branch")]
    subprocess.run(script, check=True, cwd=tree, env={**os.environ, **identity})
    assert git("diff", "--name-only", "main", "binder-torch").split() == ["binder/requirements.txt"]
    assert git("show", "binder-torch:binder/requirements.txt") == LARGER.read_text()
    assert (git("status", "--short"), git("rev-parse", "HEAD")) == before
    assert git("rev-parse", "binder-torch^") == before[1]
    # Binder builds that branch with torch.
    git("checkout", "-q", "binder-torch")
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in dockerfile(tree)
    assert "torch==" in (tree / "binder" / "requirements.txt").read_text()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [os.environ.get("CIRCUITZ_CHROMIUM"), *map(shutil.which, names)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(name for name in found if name),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(1800)
def test_a_fresh_environment_opens_studio_and_labelling(tree, tmp_path, chromium):
    # Binder's steps, in its order: a clean environment, requirements, postBuild, start.
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    python = home / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "-r", "binder/requirements.txt"]
    subprocess.run(install, cwd=tree, check=True, timeout=1500)
    has = [str(python), "-c", "import importlib.util as u; print(u.find_spec('torch') is None)"]
    assert subprocess.run(has, capture_output=True, text=True, check=True).stdout.strip() == "True"
    environment = {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        environment.pop(name, None)
    subprocess.run(["./binder/postBuild"], cwd=tree, env=environment, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}/"
    command = ["./binder/start", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1"]
    options = [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, *options], cwd=tree, env=environment, stdout=log, stderr=log
        )
    try:
        wait(base + "api", tmp_path / "log", server)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        wrong: list[str] = []
        page.on("console", lambda m: m.type == "error" and wrong.append(m.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda r: r.url.startswith("http") and base not in r.url and wrong.append(r.url),
        )
        page.goto(f"{base}voila/render/notebooks/studio.ipynb?token={TOKEN}")
        studio = page.locator(".cz-studio")
        expect(studio).to_be_visible(timeout=120_000)
        expect(page.locator("#loading")).to_have_count(0)
        expect(studio).to_contain_text("six breeds of dog")
        expect(studio).to_contain_text(re.compile(r"[1-9]\d* flagged"))
        page.keyboard.press("2")
        expect(studio.locator(".cz-finding-list")).to_contain_text("Implausible driver · husky")
        expect(page.locator("#cz-line")).to_be_hidden()
        assert wrong == []
        page.goto(f"{base}voila/render/notebooks/label.ipynb?token={TOKEN}")
        wrong.clear()  # Jupyter refuses the word of a page that goes; its kernel is culled later
        expect(page.locator(".cz-labelling")).to_be_visible(timeout=120_000)
        expect(page.locator(".cz-labelling")).to_contain_text("24 left")
        assert wrong == []
    finally:
        server.terminate()
        server.wait(60)


def wait(address: str, log: Path, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError(log.read_text()[-3000:])
