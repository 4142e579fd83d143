"""A notebook as a page for others: Voila behind a token, one kernel a visitor."""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import threading
import webbrowser
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from circuitz.errors import LabError, ServeError
from circuitz.widgets.serving.public_address import (
    host_names_and_page_places,
    parse_public_address,
)
from circuitz.widgets.serving.request_gate import LOOPBACK

HOST = "127.0.0.1"
STUDIO = "studio.ipynb"
LABEL = "label.ipynb"
TEMPLATES = Path(__file__).resolve().parent / "share"
IDLE_SECONDS = 3600
MOST_VISITORS = 8
GRACE_SECONDS = 60.0
_EXTENSIONS = (
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
)


def serve_notebook(
    notebook: str | os.PathLike[str],
    *,
    env: Mapping[str, str],
    title: str = "circuitz",
    port: int = 0,
    host: str = HOST,
    names: Sequence[str] = (),
    base_url: str = "/",
    token: str | None = None,
    open_browser: bool = True,
    idle: int = IDLE_SECONDS,
    most_visitors: int = MOST_VISITORS,
    grace: float = GRACE_SECONDS,
    ask_name: bool = False,
    ready: Callable[[str], None] | None = None,
) -> int:
    """Serve a notebook through Voila and wait until it is stopped (Ctrl-C).

    Parameters
    ----------
    notebook
        What is run for each visitor; its outputs are the page.
    env
        Set in every kernel, for instance ``CIRCUITZ_Z``.
    title
        What is served, in a few words.
    port
        Where to listen; any free one by default.
    host
        Address to listen on; by default only this machine can reach the server.
    names
        Further names visitors use for a server that listens on this machine alone, such as a
        proxy's; with a port where it is not the usual one.
    base_url
        Where a proxy shows the server: a path (``/user/ada/proxy/8866/``), or a whole address.
    token
        What the address must carry; made anew by default.
    open_browser
        Whether to open the page; its address is told in any case.
    idle
        Seconds after which a kernel that nobody used is ended; 0 for never.
    most_visitors
        Kernels at a time; one more visitor is told to wait.
    grace
        Seconds a kernel lives on after its page is gone without a word.
    ask_name
        Ask each visitor for a name, which becomes ``CIRCUITZ_AUTHOR`` and ``CIRCUITZ_RATER`` of
        their kernel.
    ready
        Told the address once the server listens; prints it by default.

    Returns
    -------
    Exit code.

    Raises
    ------
    LabError
        If Voila is not installed.
    ServeError
        If the notebook is missing, the token is empty or short, the port is taken, or a name or
        the address of a proxy is none.
    """
    if importlib.util.find_spec("voila") is None:
        raise LabError("Voila is not installed.", "pip install 'circuitz[lab]'")
    path = Path(notebook).absolute()
    if not path.is_file():
        raise ServeError(f"There is no notebook at {path}.", "Install circuitz again.")
    if token is not None and len(token) < 8:
        raise ServeError("The token is too short.", "Leave it out, or give eight letters or more.")
    address = parse_public_address(base_url)
    host_names, pages = host_names_and_page_places(address, names)
    secret = token or secrets.token_urlsafe(24)

    def announce_address_and_open_browser(url: str) -> None:
        (ready or _print_address)(url)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    places = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH", "")]))
    with _temporary_environment({**env, "JUPYTER_PATH": places}):
        # Imported here: Voila takes a second, and finds its templates by the line above.
        from circuitz.widgets.serving.voila_server import TokenOnly, VisitorKernels, VoilaServer  # noqa: PLC0415

        server = VoilaServer(
            notebook_path=str(path),
            ip=host,
            port=port,
            token=secret,
            identity_provider_class=TokenOnly,
            open_browser=False,
            config_file_paths=[],
            log_level=logging.ERROR,
            most_visitors=most_visitors,
            grace=grace,
            ask_name=ask_name,
            page_title=title,
            names=sorted({*LOOPBACK, *host_names}) if host in LOOPBACK else [],
            pages=pages,
            base_url=address.path,
            public_scheme=address.scheme,
            public_netloc=address.netloc,
            cookie=address.cookie_name,
        )
        server.ready = announce_address_and_open_browser
        chosen = server.config
        chosen.VoilaConfiguration.template = "circuitz"
        chosen.VoilaConfiguration.theme = "light"
        chosen.VoilaConfiguration.allow_template_override = "NO"
        chosen.VoilaConfiguration.allow_theme_override = "NO"
        chosen.VoilaConfiguration.file_allowlist = []
        # What else is installed in JupyterLab was built for another version than Voila brings.
        chosen.VoilaConfiguration.extension_allowlist = list(_EXTENSIONS)
        chosen.VoilaConfiguration.multi_kernel_manager_class = VisitorKernels
        chosen.VoilaConfiguration.http_keep_alive_timeout = 5
        chosen.MappingKernelManager.cull_idle_timeout = idle
        chosen.MappingKernelManager.cull_interval = max(1, min(60, idle // 4))
        # A page that nobody looks at holds a seat: it is told, and a reload brings it back.
        chosen.MappingKernelManager.cull_connected = True
        server.initialize([])
        try:
            server.start()
        except OSError as problem:
            raise ServeError(
                f"Nothing can listen on {host} port {port}: {problem.strerror}.",
                "Try another port, or none: a free one is found.",
            ) from problem
    return 0


def find_shipped_notebook(name: str) -> Path:
    """Find a notebook as shipped: in the installed package, or in a checkout of the project.

    Raises
    ------
    ServeError
        If it is in neither.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / name).is_file():
            return folder / name
    raise ServeError(f"{name} was not installed with circuitz.", "Install circuitz again.")


def _print_address(url: str) -> None:
    print(f"Serving at\n  {url}\nCtrl-C ends it.", flush=True)


@contextmanager
def _temporary_environment(more: Mapping[str, str]) -> Generator[None]:
    """Set variables that the kernels inherit, and put them back."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
