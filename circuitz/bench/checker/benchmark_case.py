"""A case: one annotated network, and what an honest check has to say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from circuitz.bench.checker.base_network import BaseNetwork

Role = Literal["plain", "sabotage", "decoy", "nothing"]


@dataclass(frozen=True)
class Planted:
    """One thing that was planted.

    Parameters
    ----------
    kinds
        Kinds of finding that name it rightly.
    units
        Ids of the units it is about.
    target
        Class it is about; empty where the finding is about units alone.
    """

    kinds: tuple[str, ...]
    units: tuple[str, ...]
    target: str = ""


@dataclass(frozen=True, eq=False)
class CheckerCase:
    """A network with words, and its truth.

    Parameters
    ----------
    base
        The network, its words, D and the concept set.
    planted
        What a check has to find; nothing for a decoy.
    innocent
        Findings that would be false alarms whatever else is known.
    before
        The network the words were written on, where it was changed afterwards.
    legitimate_pairs
        Pairs of concept and class that belong together although the concept lies outside.
    name, role
        Filled in by the registry.
    """

    base: BaseNetwork
    planted: tuple[Planted, ...] = ()
    innocent: tuple[Planted, ...] = ()
    before: BaseNetwork | None = None
    legitimate_pairs: frozenset[tuple[str, str]] = frozenset()
    name: str = ""
    role: Role = "plain"

    @property
    def family(self) -> str:
        """Where its network comes from."""
        return self.base.family

    @property
    def seed(self) -> int:
        """Its seed."""
        return self.base.seed
