"""A reverse proxy as people put before a server: a prefix, another name, websockets too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketHandler,
    websocket_connect,
)

HOP = {"connection", "upgrade", "transfer-encoding", "content-length", "keep-alive", "host"}


class Target:
    """What a proxy stands before.

    ``strip`` takes the prefix off and asks by the address of the server itself, as nginx does
    where nothing else is said; without it path and name are passed on, as JupyterHub does.
    """

    def __init__(self, port: int, prefix: str, *, strip: bool) -> None:
        self.port, self.prefix, self.strip = port, prefix, strip
        self.asked: list[str] = []

    def address(self, uri: str, scheme: str = "http") -> str:
        assert uri.startswith(self.prefix), uri
        passed = uri.removeprefix(self.prefix.rstrip("/")) if self.strip else uri
        self.asked.append(passed)
        return f"{scheme}://127.0.0.1:{self.port}{passed}"

    def headers(self, handler: RequestHandler) -> dict[str, str]:
        there = {k: v for k, v in handler.request.headers.items() if k.lower() not in HOP}
        there = {k: v for k, v in there.items() if not k.lower().startswith("sec-websocket")}
        return there if self.strip else {**there, "Host": handler.request.host}


class Pages(RequestHandler):
    def initialize(self, target: Target) -> None:
        self.target = target

    async def ask(self) -> None:
        request = self.request
        answer = await AsyncHTTPClient().fetch(
            HTTPRequest(
                self.target.address(request.uri or "/"), method=request.method or "GET",
                headers=self.target.headers(self), body=request.body or None,
                allow_nonstandard_methods=True, follow_redirects=False, decompress_response=False,
                request_timeout=120,
            ),
            raise_error=False,
        )  # fmt: skip
        self.set_status(answer.code)
        self._headers.clear()
        for name, value in answer.headers.get_all():
            if name.lower() not in HOP:
                self.add_header(name, value)
        self.finish(answer.body or None)

    get = post = head = delete = ask


class Lines(WebSocketHandler):
    def initialize(self, target: Target) -> None:
        self.target = target
        self.protocols: list[str] = []

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        self.protocols = subprotocols[:1]
        return next(iter(self.protocols), None)

    def check_origin(self, origin: str) -> bool:
        del origin
        return True  # the server behind decides

    async def open(self, *_: str) -> None:
        self.there: WebSocketClientConnection | None = None
        self.early: list[str | bytes] = []
        place = self.target.address(self.request.uri or "/", "ws")
        self.there = await websocket_connect(
            HTTPRequest(place, headers=self.target.headers(self)),
            max_message_size=2**28,
            subprotocols=self.protocols,
        )
        for message in self.early:
            await self.on_message(message)
        asyncio.get_running_loop().create_task(self.pump())

    async def pump(self) -> None:
        assert self.there is not None
        with suppress(WebSocketClosedError):
            while (message := await self.there.read_message()) is not None:
                await self.write_message(message, binary=isinstance(message, bytes))
        self.close()

    async def on_message(self, message: str | bytes) -> None:
        if self.there is None:
            self.early.append(message)
        else:
            await self.there.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        if self.there is not None:
            self.there.close()


@contextmanager
def run_reverse_proxy(port: int, target: Target) -> Iterator[None]:
    """Serve on a port of this machine until the block ends."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)

        async def begin() -> None:
            routes = [
                (r".*/channels", Lines, {"target": target}), (r".*", Pages, {"target": target}),
            ]  # fmt: skip
            server = HTTPServer(Application(routes))
            server.add_sockets(bind_sockets(port, "127.0.0.1"))
            ready.set()

        loop.run_until_complete(begin())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
