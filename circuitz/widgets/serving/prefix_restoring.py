"""Requests as they were before a proxy shortened them.

Some proxies pass the whole path on, others take the prefix off. The server's own addresses all
carry the prefix; a request that comes without it is read as if it had it, so that both work.
"""

from __future__ import annotations

from collections.abc import Awaitable

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from circuitz.widgets.serving.public_address import path_under_prefix


class PrefixRestoring(HTTPServerConnectionDelegate):
    """Hands requests to an application whose addresses all begin with a prefix.

    Parameters
    ----------
    application
        What answers.
    path
        The prefix, with a slash at either end.
    """

    def __init__(self, application: HTTPServerConnectionDelegate, path: str) -> None:
        self._application, self._path = application, path

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Take one request."""
        inner = self._application.start_request(server_conn, request_conn)
        return _PrefixRestoringMessage(inner, self._path)

    def on_close(self, server_conn: object) -> None:
        """Tell that a connection ended."""
        self._application.on_close(server_conn)


class _PrefixRestoringMessage(HTTPMessageDelegate):
    """One request, its path put right before anything looks at it."""

    def __init__(self, inner: HTTPMessageDelegate, path: str) -> None:
        self._inner, self._path = inner, path

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        if isinstance(start_line, RequestStartLine):
            start_line = start_line._replace(path=path_under_prefix(start_line.path, self._path))
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._inner.finish()

    def on_connection_close(self) -> None:
        self._inner.on_connection_close()
