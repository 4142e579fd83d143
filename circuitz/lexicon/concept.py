"""Concepts, the categories things belong to, and what a lexicon says about a pair of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from circuitz.errors import LexiconError

Kind = Literal["part", "attribute", "surroundings", "artefact", "low-level"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
KindOrigin = Literal["person", "project", "shipped", "WordNet", "unknown"]
Verdict = Literal["supports", "opposes", "neutral", "unknown"]
#: Source of what is shipped.
DEFAULT_SOURCE: Final = "default lexicon"
#: How the source of what a person says begins: *override by mira*.
OVERRIDE_SOURCE: Final = "override"


def override_source(author: str) -> str:
    """Return the source of what a person says; nobody need be named."""
    return f"{OVERRIDE_SOURCE} by {author}" if author else OVERRIDE_SOURCE


def require_kind(kind: str) -> None:
    """Refuse a kind that is none, and list those there are."""
    if kind not in KINDS:
        raise LexiconError(f"There is no kind ‘{kind}’.", f"Kinds are {', '.join(KINDS)}.")


@dataclass(frozen=True)
class Concept:
    """A word the lexicon knows.

    Parameters
    ----------
    name
        Canonical name, in plain words: ``pointed ears``.
    kind
        ``part`` of a thing, ``attribute`` of it or of a part, its ``surroundings``, an
        ``artefact`` of the picture or something put on, or ``low-level`` (edges, plain colours).
    is_a
        The more general concept this one is a kind of; empty for none.
    part_of
        Categories (or things) it is a part or an attribute of; empty means that of ``is_a``.
    context_of
        Categories (or things) beside which it is found and of which it is no part, whatever its
        kind.
    adjectives
        Words that make ``is_a`` this concept, with any of its names: *fluffy*, *shaggy* coat.
    synonyms
        Other names.
    source
        Who says so: the default lexicon, a project's, or a person.
    """

    name: str
    kind: Kind
    is_a: str = ""
    part_of: tuple[str, ...] = ()
    context_of: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    source: str = DEFAULT_SOURCE

    @property
    def origin(self) -> KindOrigin:
        """Who says so, as one word: ``person``, ``project`` or ``shipped``."""
        if self.source == DEFAULT_SOURCE:
            return "shipped"
        return "person" if self.source.startswith(OVERRIDE_SOURCE) else "project"


@dataclass(frozen=True)
class Category:
    """A category of things that classes may be kinds of: animal, vehicle.

    Parameters
    ----------
    name
        One word, singular.
    is_a
        The wider category; empty for none.
    members
        Things in it, singular.
    source
        Who says so.
    """

    name: str
    is_a: str = ""
    members: tuple[str, ...] = ()
    source: str = DEFAULT_SOURCE


@dataclass(frozen=True)
class Support:
    """Whether a concept may rightly speak for a class of such things, and why.

    Parameters
    ----------
    verdict
        ``supports``: it belongs to the thing. ``opposes``: it does not. ``neutral``: it could
        belong to anything. ``unknown``: the lexicon does not know the concept.
    chain
        Sentences, each resting on the ones before it.
    score
        How likely it is a legitimate reason for such a class, 0 to 1: to put concepts in order.
        No verdict rests on it alone.
    """

    verdict: Verdict
    chain: tuple[str, ...]
    score: float = 0.5
