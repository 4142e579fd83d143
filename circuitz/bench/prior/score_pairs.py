"""How a lexicon judges pairs of concept and class whose truth people told."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from circuitz.errors import BenchError
from circuitz.lexicon.concept import Support
from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.ranking import auroc

#: Sets that are shipped.
SHIPPED = (
    "ordinary_blind",
    "domains_blind",
    "ordinary_dev",
    "domains_dev",
    "classes_dev",
    "classes_held",
)
_CLASS, _TRUTH = ("subject", "class"), ("legitimate", "label")


@dataclass(frozen=True)
class ConceptPair:
    """A concept and a class, and whether people call the one a legitimate reason for the other."""

    concept: str
    subject: str
    legitimate: bool


@dataclass(frozen=True)
class PairScores:
    """Figures of one set of pairs.

    Parameters
    ----------
    name, pairs, legitimate
        The set, how many pairs it has, and how many of them are legitimate.
    wrong_accusations, right_accusations
        Legitimate ones that are opposed, and others that are.
    wrong_supports
        Others that are supported.
    judged
        Share that is supported or opposed.
    auroc
        Of the score, for being legitimate.
    accused_wrongly
        Legitimate ones that are opposed: concept, class.
    """

    name: str
    pairs: int
    legitimate: int
    wrong_accusations: int
    right_accusations: int
    wrong_supports: int
    judged: float
    auroc: float
    accused_wrongly: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def read_shipped_pairs(name: str) -> list[ConceptPair]:
    """Read a set of pairs that is shipped."""
    text = files("circuitz.bench.prior").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return _parse_pairs(text.splitlines(), name)


def read_pairs(path: Path) -> list[ConceptPair]:
    """Read pairs from a CSV file with the columns concept, subject and legitimate.

    Raises
    ------
    BenchError
        If it cannot be read, or a column is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"The pairs {path} cannot be read.", "Check the path.") from error
    return _parse_pairs(text.splitlines(), str(path))


def _parse_pairs(lines: Sequence[str], name: str) -> list[ConceptPair]:
    rows = list(csv.DictReader(lines))
    columns = set(rows[0]) if rows else set[str]()
    subject = next((c for c in _CLASS if c in columns), "")
    truth = next((c for c in _TRUTH if c in columns), "")
    if "concept" not in columns or not subject or not truth:
        raise BenchError(
            f"The pairs {name} lack a column.",
            "Give it the columns concept, subject and legitimate (1 or 0).",
        )
    return [ConceptPair(r["concept"], r[subject], r[truth].strip() == "1") for r in rows]


def score_pairs(name: str, pairs: Sequence[ConceptPair], lexicon: Lexicon) -> PairScores:
    """Judge pairs with a lexicon.

    Raises
    ------
    BenchError
        If all pairs are legitimate, or none.
    """
    legitimate = sum(pair.legitimate for pair in pairs)
    if legitimate in (0, len(pairs)):
        raise BenchError(
            f"The pairs {name} are all alike.", "Some must be legitimate, and some must not."
        )
    judged: list[tuple[ConceptPair, Support]] = [
        (pair, lexicon.support(pair.concept, pair.subject)) for pair in pairs
    ]
    wrong = [p for p, s in judged if p.legitimate and s.verdict == "opposes"]
    return PairScores(
        name=name,
        pairs=len(pairs),
        legitimate=legitimate,
        wrong_accusations=len(wrong),
        right_accusations=sum(not p.legitimate and s.verdict == "opposes" for p, s in judged),
        wrong_supports=sum(not p.legitimate and s.verdict == "supports" for p, s in judged),
        judged=sum(s.verdict in ("supports", "opposes") for _, s in judged) / len(pairs),
        auroc=auroc([s.score for _, s in judged], [p.legitimate for p in pairs]),
        accused_wrongly=tuple((p.concept, p.subject) for p in wrong),
    )
