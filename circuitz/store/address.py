"""Where judgements lie: a path, or the URL of a SQLite file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from circuitz.errors import StoreError
from circuitz.store.judgement_store import JudgementStore
from circuitz.store.judgements import Judgements

_SQLITE = "sqlite"


def open_store(address: str | Path, *, read_only: bool = False) -> JudgementStore:
    """Open the judgements at an address.

    Parameters
    ----------
    address
        A path, or ``sqlite:///relative.sqlite`` or ``sqlite:////absolute.sqlite``.
    read_only
        Open what is there and never write to it.

    Raises
    ------
    StoreError
        If the address is empty or names a kind of database that is not known, or as
        :class:`~circuitz.store.judgements.Judgements`.
    """
    return Judgements(path_from_store_address(address), read_only=read_only)


def address_from_any_folder(address: str | Path) -> str:
    """Return an address that means the same in whatever folder it is opened.

    Raises
    ------
    StoreError
        As :func:`path_from_store_address`.
    """
    return str(path_from_store_address(address).absolute())


def path_from_store_address(address: str | Path) -> Path:
    """Return the file an address names.

    Raises
    ------
    StoreError
        If it is empty, or no file.
    """
    text = str(address).strip()
    if not text:
        raise StoreError("No store was named.", "Name a file, for instance answers.sqlite.")
    if "://" not in text:
        return Path(text)
    parts = urlsplit(text)
    if parts.scheme != _SQLITE:
        # A URL may carry a password: only its scheme is repeated.
        raise StoreError(
            f"Answers cannot be kept at {parts.scheme}://… by this version.",
            "Name a SQLite file: answers.sqlite or sqlite:///answers.sqlite.",
        )
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path:
        raise StoreError(
            f"{_SQLITE}://… has three slashes and a path.", "Write sqlite:///answers.sqlite."
        )
    return Path(path)
