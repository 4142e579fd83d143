"""Where visitors find a server that they reach through a proxy: another name, a longer path."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from circuitz.errors import ServeError

# What a path may hold as it stands in an address; anything else comes percent-encoded.
_STEP = re.compile(r"(?:[A-Za-z0-9._~!$&()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_PLACE = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class PublicAddress:
    """Where visitors find the server.

    Parameters
    ----------
    path
        What every path begins with: ``/``, or a prefix with a slash at either end.
    scheme, netloc
        ``https`` and ``hub.example.org:8443``; empty where only a path was given.
    """

    path: str = "/"
    scheme: str = ""
    netloc: str = ""

    @property
    def cookie_name(self) -> str:
        """Name of the login cookie: of two servers under one name, each has its own."""
        # Empty stands for the usual name, which tells servers apart by name and port.
        return "" if self.path == "/" else f"circuitz-{sha256(self.path.encode()).hexdigest()[:12]}"


def parse_public_address(text: str) -> PublicAddress:
    """Read what ``--base-url`` gives: ``/prefix/``, or ``https://name/prefix/``.

    Raises
    ------
    ServeError
        If it is neither.
    """
    hint = "Give a path (/user/ada/proxy/8866/), or a whole address (https://name/path/)."
    wrong = ServeError(f"{text!r} is no address of a served screen.", hint)
    if not text.startswith(("/", "http://", "https://")) or text.startswith("//"):
        raise wrong
    try:
        parts = urlsplit(text)
        named = not parts.scheme or (bool(parts.hostname) and parts.port != 0)
    except ValueError:
        raise wrong from None
    named = named and (not parts.netloc or _PLACE.fullmatch(parts.netloc.lower()) is not None)
    steps = [step for step in parts.path.split("/") if step]
    odd = "?" in text or "#" in text or not all(map(_STEP.fullmatch, steps))
    if odd or not named:
        raise wrong
    if any(step in {".", ".."} for step in steps):
        raise wrong
    path = f"/{'/'.join(steps)}/" if steps else "/"
    return PublicAddress(path, parts.scheme, parts.netloc.lower())


def host_names_and_page_places(
    address: PublicAddress, names: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return names that a Host header may hold, and where pages that may act lie.

    Parameters
    ----------
    names
        What ``--name`` gave: ``hub.example.org``, or with a port where it is not the usual one.

    Raises
    ------
    ServeError
        If one of them is no name of a server.
    """
    places = [name.strip().lower() for name in names]
    for place in places:
        if not _PLACE.fullmatch(place):
            raise ServeError(
                f"{place!r} is no name of a server.",
                "Give it as in hub.example.org, or with :port.",
            )
    places += [address.netloc] if address.netloc else []
    return [urlsplit(f"//{place}").hostname or "" for place in places], places


def path_under_prefix(path: str, prefix: str) -> str:
    """Return a request's path with the prefix, whether the proxy left it there or not."""
    if not path.startswith("/") or path.startswith(prefix):
        return path
    # The prefix without its last slash is the page itself.
    bare, question, query = path.partition("?")
    if bare + "/" == prefix:
        return prefix + question + query
    return prefix + path.lstrip("/")
