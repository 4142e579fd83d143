"""JupyterLab on the quickstart notebook, opened on one z."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from circuitz.errors import LabError
from circuitz.z.bundle.load_save import load

NOTEBOOK = "01_husky.ipynb"
HOST = "127.0.0.1"
_READY_SECONDS = 180.0
_STOP_SECONDS = 15.0
_NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"


def open_in_jupyterlab(
    z_path: str | os.PathLike[str], *, port: int = 0, open_browser: bool = True
) -> int:
    """Open a z in JupyterLab and wait until it is closed (Ctrl-C).

    The notebook is put next to the z, where it can be changed; a copy that is there already is
    kept. The server listens on this machine alone, behind a token made for it.

    Parameters
    ----------
    z_path
        A bundle.
    port
        Where to listen; any free port by default.
    open_browser
        Whether to open the page; its address is printed in any case.

    Returns
    -------
    Exit code of the server.

    Raises
    ------
    BundleError
        If there is no bundle, or it cannot be read.
    LabError
        If JupyterLab is not installed or does not start.
    """
    with run_jupyterlab(z_path, port=port) as server, _treat_sigterm_as_ctrl_c():
        print(f"JupyterLab on {server.notebook}\n  {server.url}\nCtrl-C ends it.", flush=True)
        if open_browser:
            webbrowser.open(server.url)
        try:
            return server.process.wait()
        except KeyboardInterrupt:
            return 0


@dataclass(frozen=True)
class JupyterLabServer:
    """A running JupyterLab.

    Parameters
    ----------
    url
        Address of the notebook, token included.
    base, token
        Address of the server, and what it asks for.
    notebook
        The notebook that is open.
    process
        The server; kernels are its children.
    """

    url: str
    base: str
    token: str
    notebook: Path
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def run_jupyterlab(
    z_path: str | os.PathLike[str], *, port: int = 0, python: str = sys.executable
) -> Generator[JupyterLabServer]:
    """Run JupyterLab on a z until the block ends.

    Raises
    ------
    BundleError
        If there is no bundle, or it cannot be read.
    LabError
        If JupyterLab is not installed or does not start.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise LabError("JupyterLab is not installed.", "pip install 'circuitz[lab]'")
    path = Path(z_path).absolute()
    load(path)
    notebook = copy_notebook_to_writable_folder(path)
    port = port or pick_free_port()
    token = secrets.token_urlsafe(24)
    base = f"http://{HOST}:{port}"
    with tempfile.TemporaryDirectory(prefix="circuitz-lab-") as temporary:
        settings = _copy_user_settings_without_news(Path(temporary) / "settings")
        log = Path(temporary) / "server.log"
        environment = {
            **os.environ,
            "CIRCUITZ_Z": str(path),
            # Not on the command line, where every user of the machine could read it.
            "JUPYTER_TOKEN": token,
            "JUPYTERLAB_SETTINGS_DIR": str(settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(Path(temporary) / "workspaces"),
        }
        command = [
            *(python, "-m", "jupyterlab", "--no-browser"),
            f"--ServerApp.ip={HOST}",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={notebook.parent}",
            f"--LabApp.default_url=/lab/tree/{notebook.name}",
            "--LabApp.news_url=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--ServerApp.allow_root=True")
        with log.open("wb") as out:
            # A session of its own: Ctrl-C reaches us first, and we end it in order.
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=notebook.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_server_answers(process, base, token, log)
            url = f"{base}/lab/tree/{notebook.name}?token={token}"
            yield JupyterLabServer(url, base, token, notebook, process)
        finally:
            stop_server_process(process)


def stop_server_process(process: subprocess.Popen[bytes]) -> None:
    """End a server and with it its kernels."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def find_quickstart_notebook() -> Path:
    """Find the notebook as shipped: in the installed package, or in a checkout of the project.

    Raises
    ------
    LabError
        If it is in neither.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder / NOTEBOOK
    raise LabError(f"{NOTEBOOK} was not installed with circuitz.", "Install circuitz again.")


def copy_notebook_to_writable_folder(z_path: Path) -> Path:
    """Put the notebook where it can be written to: next to the z, else in the working folder.

    Raises
    ------
    LabError
        If neither can be written to.
    """
    notebook = json.loads(find_quickstart_notebook().read_text(encoding="utf-8"))
    # The copy stands alone: saving it must not write a second file beside it.
    notebook["metadata"].pop("jupytext", None)
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    for folder in (z_path.parent, Path.cwd()):
        place = folder / NOTEBOOK
        try:
            with place.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            return place
        except OSError:
            continue
        return place
    raise LabError(
        f"The notebook can be written neither to {z_path.parent} nor to {Path.cwd()}.",
        "Run it in a folder you can write to.",
    )


def pick_free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _copy_user_settings_without_news(folder: Path) -> Path:
    """Copy the user's settings for this session, less the offer to fetch news from outside."""
    from jupyterlab.commands import (  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
        get_user_settings_dir,
    )

    theirs = Path(get_user_settings_dir())
    if theirs.is_dir():
        shutil.copytree(theirs, folder, dirs_exist_ok=True)
    news = folder / _NEWS
    if not news.exists():
        news.parent.mkdir(parents=True, exist_ok=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        news.write_text(json.dumps(quiet), encoding="utf-8")
    return folder


def _wait_until_server_answers(
    process: subprocess.Popen[bytes], base: str, token: str, log: Path
) -> None:
    request = urllib.request.Request(f"{base}/api", headers={"Authorization": f"token {token}"})
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(request, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    tail = " ".join(log.read_text(errors="replace").split("\n")[-4:]).strip()
    raise LabError(f"JupyterLab did not start: {tail or 'it said nothing'}.", "Try another port.")


@contextlib.contextmanager
def _treat_sigterm_as_ctrl_c() -> Generator[None]:
    """Take a request to terminate as Ctrl-C, so that the server never outlives us."""

    def raise_keyboard_interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, raise_keyboard_interrupt)
    except ValueError:  # not the main thread: signals are somebody else's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
