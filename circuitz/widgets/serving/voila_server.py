"""Voila with doors: a token, a name, a number of seats, and nobody's kernel left running.

Voila runs one kernel a visitor. This is its application with our pages around it; what it is told
comes from :func:`circuitz.widgets.serving.voila.serve_notebook`.
"""

# Voila names traitlets' List and Dict as return types, which no list or dict can be.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

from __future__ import annotations

import contextvars
import hmac
import json
import logging
import os
import re
import socket
from collections.abc import Callable
from typing import Any

import tornado.ioloop
import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.utils import url_path_join
from tornado.httpserver import HTTPServer
from tornado.httputil import url_concat
from tornado.netutil import bind_sockets
from tornado.websocket import WebSocketHandler
from traitlets import Bool, Float, Int, List, Unicode
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.voila_identity_provider import VoilaIdentityProvider

from circuitz.widgets.serving.prefix_restoring import PrefixRestoring
from circuitz.widgets.serving.request_gate import is_page_navigation, reason_to_refuse_request
from circuitz.widgets.serving.visitor_seats import Visit, VisitorSeats

_visit: contextvars.ContextVar[Visit | None] = contextvars.ContextVar("visit", default=None)
_LOOK_SECONDS = 2.0
MOST_NAME = 60
_DOORS = {
    "token": "This screen opens with its link",
    "name": "Who is looking?",
    "busy": "Every seat is taken",
    "error": "This did not work",
}


class TokenOnly(VoilaIdentityProvider):
    """Lets in who has the token; there are no passwords and no accounts."""

    def process_login_form(self, handler: tornado.web.RequestHandler) -> Any:
        """Return a user for the token typed on the page that asks for it."""
        # Overridden: jupyter_server's own asks its provider for a method that it lacks.
        typed = handler.get_argument("password", "")
        known = hmac.compare_digest(typed.strip().encode(), self.token.encode())
        return self.generate_anonymous_user(handler) if known else None


class VisitorKernels(AsyncMappingKernelManager):
    """Starts kernels that know who is looking and nothing of the way in."""

    parent: VoilaServer

    async def start_kernel(self, **arguments: Any) -> str:
        """Start one visitor's kernel."""
        visit = _visit.get()
        env = dict(arguments.get("env") or os.environ)
        # Voila hands the address down, and the token is in it.
        for name in ("QUERY_STRING", "VOILA_REQUEST_URL", "JUPYTER_TOKEN"):
            env.pop(name, None)
        if visit is not None and visit.name:
            env["CIRCUITZ_AUTHOR"] = env["CIRCUITZ_RATER"] = visit.name
        try:
            quiet = {"env": env, "extra_arguments": ["--log-level=ERROR"]}
            return await super().start_kernel(**{**arguments, **quiet})
        finally:
            if visit is not None:
                self.parent.visits.release_reservation(visit)


class GatedHandler(tornado.web.RequestHandler):
    """Looks at every request first, and says refusals and errors on a page of ours."""

    async def prepare(self) -> None:
        """Refuse what comes from elsewhere."""
        server: VoilaServer = self.settings["circuitz"]
        why = reason_to_refuse_request(
            self.request.method or "",
            self.request.headers,
            names=server.names,
            pages=server.pages,
        )
        if why:
            raise tornado.web.HTTPError(403, why)
        ready = super().prepare()
        if ready is not None:
            await ready

    def check_origin(self, *_: Any) -> bool:
        """Leave it at that: Jupyter's own check knows no proxy that asks by another name."""
        return True

    def set_default_headers(self) -> None:
        """Keep addresses, and the token in them, from other servers."""
        super().set_default_headers()
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Show a page for people, JSON for programs."""
        if isinstance(self, (APIHandler, WebSocketHandler)):
            super().write_error(status_code, **kwargs)
            return
        problem = kwargs.get("exc_info", (None, None, None))[1]
        said = getattr(problem, "log_message", None) if status_code < 500 else None
        hint = "Reload the page; what was marked saved is on disk." if status_code >= 500 else ""
        self.finish(
            render_entry_or_error_page(
                self, "error", status=status_code, message=said or "", hint=hint
            )
        )


def render_entry_or_error_page(handler: tornado.web.RequestHandler, kind: str, **facts: Any) -> str:
    """Return a page shown instead of the screen."""
    server: VoilaServer = handler.settings["circuitz"]
    handler.set_header("Content-Type", "text/html; charset=utf-8")
    handler.set_header("Cache-Control", "no-store")
    handler.set_header(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    )
    page = handler.settings["voila_jinja2_env"].get_template("door.html.j2")
    return page.render(
        kind=kind, heading=_DOORS[kind], title=server.page_title, base_url=server.base_url, **facts
    )


class TokenPage(LoginFormHandler):
    """Asks for the token where the link came without it."""

    def _render(self, message: dict[str, str] | None = None) -> None:
        if message is None:
            self.set_status(403)
        following = self.get_argument("next", default=self.base_url)
        self.finish(
            render_entry_or_error_page(self, "token", next=following, wrong=message is not None)
        )


class NotebookPage(GatedHandler, TornadoVoilaHandler):
    """The notebook as a page, with a kernel of its own."""

    @property
    def content_security_policy(self) -> str:
        """Nothing is loaded from, or sent to, anywhere else."""
        server: VoilaServer = self.settings["circuitz"]
        hosts = dict.fromkeys((self.request.host, *server.pages))
        lines = " ".join(f"ws://{host} wss://{host}" for host in hosts)
        return (
            "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
            "style-src 'self' 'unsafe-inline' blob:; img-src 'self' data: blob:; "
            f"font-src 'self' data:; connect-src 'self' blob: {lines}; "
            "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
            "frame-ancestors 'self'"
        )

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        """Show the screen, once the visitor has a name and a seat."""
        server: VoilaServer = self.settings["circuitz"]
        if path:
            raise tornado.web.HTTPError(404, "There is nothing at this address.")
        if not is_page_navigation(self.request.headers):
            raise tornado.web.HTTPError(403, "This page does not open inside another one.")
        name = " ".join(self.get_argument("author", "").split())[:MOST_NAME]
        if server.ask_name and not name:
            kept = [(k, v) for k, v in self._query_argument_pairs() if k != "author"]
            await self.finish(
                render_entry_or_error_page(self, "name", kept=kept, longest=MOST_NAME)
            )
            return
        running = len(self.kernel_manager.list_kernel_ids())
        visit = server.visits.reserve_seat(name if server.ask_name else "", running)
        if visit is None:
            self.set_status(503)
            self.set_header("Retry-After", "20")
            await self.finish(render_entry_or_error_page(self, "busy", most=server.most_visitors))
            return
        _visit.set(visit)
        try:
            async for html in self.get_generator():
                self.write(html)
                self.flush()
        finally:
            server.visits.release_reservation(visit)

    def _query_argument_pairs(self) -> list[tuple[str, str]]:
        names = self.request.query_arguments
        return [(name, value) for name in names for value in self.get_query_arguments(name)]


class KernelChannelsHandler(GatedHandler, VoilaKernelWebsocketHandler):
    """The line between a page and its kernel."""

    async def open(self, kernel_id: str) -> None:
        """Note that a page is there."""
        self.settings["circuitz"].visits.note_page_connected(kernel_id)
        self._noted = kernel_id
        await super().open(kernel_id)

    def on_close(self) -> None:
        """Note that it left."""
        noted, self._noted = getattr(self, "_noted", ""), ""
        if noted:
            self.settings["circuitz"].visits.note_page_disconnected(noted)
        super().on_close()


class SeatStatusHandler(GatedHandler, APIHandler):
    """Tells whoever runs the server how many are there; kernels' ids are their pages' alone."""

    @tornado.web.authenticated
    def get(self) -> None:
        """Answer with JSON."""
        server: VoilaServer = self.settings["circuitz"]
        running = len(self.kernel_manager.list_kernel_ids())
        self.finish(json.dumps({"kernels": running, "most": server.most_visitors}))


class UnknownAddressHandler(GatedHandler, JupyterHandler):
    """Every address that is not one of ours."""

    @allow_unauthenticated
    def get(self, *_: str) -> None:
        """Say so."""
        raise tornado.web.HTTPError(404, "There is nothing at this address.")


class VoilaServer(Voila):
    """Voila's application, with the doors in front of it."""

    most_visitors = Int(8, help="Kernels at a time.")
    grace = Float(60.0, help="Seconds a kernel may be without a page.")
    ask_name = Bool(False, help="Ask visitors for a name before a kernel starts.")
    page_title = Unicode("circuitz", help="What is being served, on pages without a kernel.")
    names = List(Unicode(), help="Names this server goes by; empty for any.")
    pages = List(Unicode(), help="Names, with ports, under which a proxy shows its pages.")
    public_scheme = Unicode(help="How a proxy shows it: http, https, or empty where unknown.")
    public_netloc = Unicode(help="Under what name, and port, a proxy shows it.")
    cookie = Unicode(help="Name of the login cookie; empty for the usual one.")
    ready: Callable[[str], None]
    visits: VisitorSeats

    def init_settings(self) -> dict[str, Any]:
        """Add what the handlers share, and take the pages that ask for the token."""
        settings: dict[str, Any] = super().init_settings()
        provider = settings["identity_provider"]
        provider.login_handler_class = TokenPage
        provider.cookie_options = {"samesite": "Strict", "httponly": True}
        provider.cookie_name = self.cookie
        # Behind a proxy with TLS the requests that come here are plain ones.
        provider.secure_cookie = True if self.public_scheme == "https" else None
        self.visits = VisitorSeats(self.most_visitors, self.grace)
        return {**settings, "circuitz": self, "disable_check_xsrf": True}

    def init_handlers(self) -> list[Any]:
        """Put the gate in front of every handler."""
        # Patterns are made of it, and a prefix may hold what means something in a pattern.
        self.server_url = re.escape(self.base_url)
        ours = {
            TornadoVoilaHandler: NotebookPage,
            VoilaKernelWebsocketHandler: KernelChannelsHandler,
        }
        handlers: list[Any] = [
            (url_path_join(self.server_url, r"/circuitz/status"), SeatStatusHandler),
            (url_path_join(self.server_url, r"/voila/files/(.*)"), UnknownAddressHandler),
        ]
        handlers += super().init_handlers()
        # Voila forgets the prefix of the pages that ask for the token.
        login = {pattern for pattern, _ in self.identity_provider.get_handlers()}
        return [
            (
                url_path_join(self.server_url, pattern) if pattern in login else pattern,
                ours.get(handler) or handler_class_behind_gate(handler),
                *rest,
            )
            for pattern, handler, *rest in handlers
        ]

    def listen(self) -> None:
        """Listen, tell the address, and serve until told to stop."""
        # Jupyter's pings are in milliseconds where tornado reads seconds, of which it warns.
        logging.getLogger("tornado.general").setLevel(logging.ERROR)
        http = HTTPServer(PrefixRestoring(self.app, self.base_url), xheaders=False)
        sockets = bind_sockets(self.port, self.ip)
        self.port = sockets[0].getsockname()[1]
        http.add_sockets(sockets)
        self.ioloop = tornado.ioloop.IOLoop.current()
        look = tornado.ioloop.PeriodicCallback(
            self._shut_down_abandoned_kernels, _LOOK_SECONDS * 1000
        )
        look.start()
        self.ready(self.address_with_token())
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            pass
        finally:
            look.stop()
            http.stop()
            self.stop()

    def address_with_token(self) -> str:
        """Return the address to open, token included; the proxy's where that is known."""
        if self.public_netloc:
            place = f"{self.public_scheme}://{self.public_netloc}{self.base_url}"
            return url_concat(place, {"token": self.token})
        name = socket.gethostname() if self.ip in ("", "0.0.0.0", "::") else self.ip
        name = f"[{name}]" if ":" in name else name
        return url_concat(f"http://{name}:{self.port}{self.base_url}", {"token": self.token})

    async def _shut_down_abandoned_kernels(self) -> None:
        for kernel in self.visits.abandoned_kernels(self.kernel_manager.list_kernel_ids()):
            try:
                await self.kernel_manager.shutdown_kernel(kernel, now=True)
            except Exception:  # it went away by itself, or will be tried again
                logging.getLogger(__name__).debug("kernel %s", kernel, exc_info=True)


def handler_class_behind_gate(
    handler: type[tornado.web.RequestHandler],
) -> type[tornado.web.RequestHandler]:
    """Return the handler with the gate in front of it."""
    return (
        handler
        if issubclass(handler, GatedHandler)
        else type(handler.__name__, (GatedHandler, handler), {})
    )
