"""Exactly what was shown to raters, by its hash: judgements outlive the z they were about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from circuitz.errors import StoreError

_LONGEST = 200


@dataclass(frozen=True, eq=False)
class ShownRecord:
    """Something that was shown, as JSON values.

    Parameters
    ----------
    hash
        What judgements name it by: their ``card_hash``, or one of their ``items``.
    kind
        What it is: ``card``, or ``activity``.
    record
        All of it, so that it can be shown again.
    """

    hash: str
    kind: str
    record: Mapping[str, Any]

    def checked_text(self) -> str:
        """Return the record as JSON text.

        Raises
        ------
        StoreError
            If hash or kind is empty or too long, or the record is no JSON values with names, or
            tells another hash than the one it is kept by.
        """
        for name in ("hash", "kind"):
            value = getattr(self, name)
            if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
                raise StoreError(
                    f"What was shown has no {name}.",
                    f"Give a text of 1 to {_LONGEST} characters; nothing was stored.",
                )
        if not isinstance(self.record, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise StoreError(
                f"What was shown under {self.hash!r} is no record with names.",
                "Give JSON values by name; nothing was stored.",
            )
        own = self.record.get("hash", self.hash)
        if own != self.hash:
            raise StoreError(
                f"What was shown tells the hash {str(own)[:40]!r}, and {self.hash!r} was given.",
                "Keep it by its own hash; nothing was stored.",
            )
        try:
            text = json.dumps(dict(self.record), allow_nan=False, ensure_ascii=False)
            text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise StoreError(
                f"What was shown under {self.hash!r} is not JSON: {error}.",
                "Use numbers, texts, lists and dictionaries; nothing was stored.",
            ) from error
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {"hash": self.hash, "kind": self.kind, "record": dict(self.record)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ShownRecord:
        """Build one from :meth:`to_dict`'s fields.

        Raises
        ------
        StoreError
            If fields are missing, unknown or malformed.
        """
        if set(fields) != {"hash", "kind", "record"}:
            raise StoreError(
                "What was shown has other fields than hash, kind and record.",
                "Give a file that was exported from a store; nothing was stored.",
            )
        made = cls(fields["hash"], fields["kind"], fields["record"])
        made.checked_text()
        return made


def require_same_kind(stored: str, new: ShownRecord) -> None:
    """Refuse a record whose hash names something of another kind.

    Raises
    ------
    StoreError
        Naming both kinds.
    """
    if stored != new.kind:
        raise StoreError(
            f"{new.hash!r} is the hash of a {stored} that was shown, and this is a {new.kind}.",
            "Keep each by its own hash; nothing was stored.",
        )


def no_record_error(identifier: str) -> StoreError:
    """Return the error that says that something shown was not kept."""
    return StoreError(
        f"What was shown under {identifier[:40]!r} is not in this store.",
        "Stores of earlier versions kept hashes alone: import the JSON Lines of a store that has "
        "it, or open the task pack it was shown with.",
    )
