"""Which requests a served screen refuses before anything looks at them.

Voila's own guard against forged requests (a token in every form) also refuses the page's word
that it was closed, which is sent while the page goes away and can carry no such token. So that
guard is off, and these rules stand in its place: a request that acts must come from a page of
this very server, or show the server's token in a header, which no foreign page can make a browser
do. The login cookie is ``SameSite=Strict`` besides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def host_without_port(host: str) -> str:
    """Return the name in a Host header: lower case, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def reason_to_refuse_request(
    method: str,
    headers: Mapping[str, str],
    *,
    names: Collection[str],
    pages: Collection[str] = (),
) -> str:
    """Say why a request is refused; empty when it may pass.

    Parameters
    ----------
    method
        Of the request.
    headers
        Of the request, looked up without regard to case.
    names
        Names this server goes by; empty where it cannot know them (it listens to a network, and
        only the login speaks for a visitor).
    pages
        Where a proxy shows pages of this server, as ``name`` or ``name:port``: they may act,
        whatever name the proxy asks by.
    """
    host = headers.get("Host", "").lower()
    if names and host_without_port(host) not in names:
        return "This server does not go by that name."
    acts = method.upper() not in _SAFE or "websocket" in headers.get("Upgrade", "").lower()
    if not acts:
        return ""
    origin = headers.get("Origin")
    if origin is None:
        # Browsers always say where such a request comes from; programs show the token instead.
        shown = headers.get("Authorization", "").lower().startswith(("token ", "bearer "))
        return "" if shown else "The request does not say which page it comes from."
    try:
        place = urlsplit(origin.lower()).netloc
    except ValueError:
        place = ""
    if not place or (place != host and place not in pages):
        return "The request comes from a page of another server."
    return ""


def is_page_navigation(headers: Mapping[str, str]) -> bool:
    """Whether a person asked for the page: not a picture, script or frame of somebody's page."""
    return headers.get("Sec-Fetch-Dest", "document") == "document"
