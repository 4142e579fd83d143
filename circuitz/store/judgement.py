"""One recorded answer."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from circuitz.disk.safe_text import one_spelling_of_name, strip_and_check_name
from circuitz.errors import CircuitzError, StoreError

if TYPE_CHECKING:
    import pandas as pd

RaterKind = Literal["person", "simulated", "model"]
Use = Literal["train", "held-out", "gold"]

RATER_KINDS: tuple[RaterKind, ...] = ("person", "simulated", "model")
USES: tuple[Use, ...] = ("train", "held-out", "gold")
NO_OPTIONS = ("cannot tell", "not usable")
"""What may be answered to a question beside its options."""


#: Names of the fields, in the order of tables.
COLUMNS = (
    "id", "task", "kind", "z_hash", "card_hash", "items", "options", "seed", "answer", "rater",
    "rater_kind", "shown", "answered", "key", "instructions", "supersedes", "use",
)  # fmt: skip
_TEXTS = (
    "answered", "card_hash", "id", "instructions", "key", "kind", "rater", "rater_kind", "shown",
    "supersedes", "task", "use", "z_hash",
)  # fmt: skip


def iso_utc_now() -> str:
    """Return the present time, ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Judgement:
    """One answer of one rater to one question; never changed once stored.

    Parameters
    ----------
    task
        What the rater was working on, for instance ``label-shifted-set``.
    kind
        Kind of question: ``label``, ``comparison`` ...
    z_hash, card_hash
        The z it is about, and the card that was shown (empty when none was).
    items
        Content hashes of what was shown, in order.
    options
        The possible answers in the order they were shown.
    seed
        Seed that order was drawn from.
    answer
        The answer, JSON values only; ``None`` for an answer that was withdrawn.
    rater, rater_kind
        Who answered: a person, a simulated rater or a model.
    shown, answered
        When the question was shown and answered, ISO 8601 in UTC.
    key
        Idempotency key: the same key is stored once, however often it is sent.
    instructions
        Version of the instructions the rater had read.
    supersedes
        Id of the judgement this one replaces; empty for a first answer.
    use
        What it may be used for: ``train``, ``held-out`` or ``gold`` (the answer is known).
    id
        Unique id; made when left empty.
    """

    task: str
    kind: str
    z_hash: str
    card_hash: str
    items: tuple[str, ...]
    options: tuple[str, ...]
    seed: int
    answer: dict[str, Any] | None
    rater: str
    rater_kind: RaterKind
    shown: str
    answered: str
    key: str
    instructions: str = "1"
    supersedes: str = ""
    use: Use = "train"
    id: str = ""

    @property
    def withdrawn(self) -> bool:
        """Whether this row takes an earlier answer back without giving another."""
        return self.answer is None

    @property
    def has_offered_choice(self) -> bool:
        """Whether the choice, where the answer has one, is among the options or beside them all."""
        if self.answer is None or "choice" not in self.answer or not self.options:
            return True
        return self.answer["choice"] in (*self.options, *NO_OPTIONS)

    @property
    def describe_malformed_field(self) -> str:
        """Which field holds what it cannot, for instance in a file from elsewhere; empty if none."""
        for name in _TEXTS:
            if not isinstance(getattr(self, name), str):
                return f"{name} is no text"
        for name in ("items", "options"):
            if not all(isinstance(part, str) for part in getattr(self, name)):
                return f"{name} are not texts"
        problem = _problem_with_name(self.rater)
        if problem:
            return f"rater is no name: {problem}"
        if self.answer is not None and not isinstance(self.answer, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            return "answer is no record with names"
        return ""

    def validated_with_id(self) -> Judgement:
        """Return this judgement with an id and its rater's name in one spelling.

        Raises
        ------
        StoreError
            If a required field is empty or of another type, a word is not one of the allowed, a
            time is not ISO 8601, the answer is not JSON, or a text cannot be written as UTF-8.
        """
        odd = self.describe_malformed_field
        if odd:
            raise StoreError(f"The judgement's {odd}.", "Correct it; nothing was stored.")
        for name in ("task", "kind", "rater", "key", "shown", "answered"):
            if not getattr(self, name):
                raise StoreError(f"The judgement has no {name}.", "Fill it in; nothing was stored.")
        if self.rater_kind not in RATER_KINDS:
            raise StoreError(
                f"{self.rater_kind!r} is not a kind of rater.", f"Use one of {RATER_KINDS}."
            )
        if self.use not in USES:
            raise StoreError(f"{self.use!r} is not a use.", f"Use one of {USES}.")
        if not isinstance(self.seed, int) or not -(2**63) <= self.seed < 2**63:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise StoreError("The seed does not fit 64 bits.", "Use an integer below 2**63.")
        if self.answer is None and not self.supersedes:
            raise StoreError(
                "A withdrawal must name the judgement it withdraws.", "Set supersedes to its id."
            )
        for name in ("shown", "answered"):
            try:
                datetime.fromisoformat(getattr(self, name))
            except (TypeError, ValueError) as error:
                raise StoreError(
                    f"The judgement's {name} is not a time: {getattr(self, name)!r}.",
                    "Write ISO 8601, for instance 2026-01-31T12:00:00+00:00.",
                ) from error
        _require_json_text(self.answer, "answer")
        _require_json_text([getattr(self, name) for name in _TEXTS], "text")
        _require_json_text(list(self.items), "items")
        _require_json_text(list(self.options), "options")
        rater = one_spelling_of_name(self.rater)
        if not rater:
            raise StoreError("The judgement has no rater.", "Fill it in; nothing was stored.")
        if self.id and rater == self.rater:
            return self
        return replace(self, id=self.id or uuid.uuid4().hex, rater=rater)

    def has_same_content(self, other: Judgement) -> bool:
        """Whether both say the same, ids and times left aside.

        A client that resends an answer may stamp it anew; that is still the same answer. So it is
        in another store, where it came after another one.
        """
        skip = {"id", "shown", "answered", "answer"}
        if not self.withdrawn:
            skip.add("supersedes")
        same = all(
            getattr(self, f.name) == getattr(other, f.name)
            for f in fields(self)
            if f.name not in skip
        )
        return same and json.dumps(self.answer, sort_keys=True) == json.dumps(
            other.answer, sort_keys=True
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        found = {name: getattr(self, name) for name in _FIELDS}
        # A copy, so that nobody changes the answer through it.
        found["answer"] = json.loads(json.dumps(self.answer))
        return {**found, "items": list(self.items), "options": list(self.options)}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Judgement:
        """Build a judgement from :meth:`to_dict`'s record.

        Raises
        ------
        StoreError
            If fields are missing, unknown or malformed.
        """
        unknown = sorted(set(record) - set(_FIELDS))
        if unknown:
            raise StoreError(f"Unknown fields in a judgement: {', '.join(unknown)}.", "Drop them.")
        try:
            values: dict[str, Any] = {**record}
            for name in ("items", "options"):
                values[name] = tuple(record[name])
            made = cls(**values)
        except (KeyError, TypeError) as error:
            raise StoreError(f"A judgement lacks fields: {error}.", "Write every field.") from error
        return made.validated_with_id()


_FIELDS = tuple(f.name for f in fields(Judgement))


def judgements_frame(rows: Iterable[Judgement]) -> pd.DataFrame:
    """Return judgements as a DataFrame, one column a field."""
    import pandas as pd  # noqa: PLC0415 - writers of judgements need no pandas

    return pd.DataFrame([row.to_dict() for row in rows], columns=list(COLUMNS))


@lru_cache(maxsize=4096)
def _problem_with_name(name: str) -> str:
    """Say why a text cannot be a rater's name; the empty text where it can."""
    try:
        strip_and_check_name(name, what="rater")
    except CircuitzError as error:
        return error.message.rstrip(".")
    return ""


def _require_json_text(value: Any, name: str) -> str:
    try:
        text = json.dumps(value, allow_nan=False, sort_keys=True, ensure_ascii=False)
        text.encode()
        return text
    except UnicodeEncodeError as error:
        raise StoreError(
            f"The judgement's {name} holds half of a surrogate pair, which is no text.",
            "Remove the broken character; nothing was stored.",
        ) from error
    except (TypeError, ValueError) as error:
        nan = isinstance(value, float) and math.isnan(value)
        raise StoreError(
            f"The judgement's {name} is not JSON{' (NaN)' if nan else ''}: {error}.",
            "Use numbers, strings, lists and dictionaries.",
        ) from error
