"""A z as a chain holds it: which network, which units are silenced, and the words on units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from circuitz.disk.hashing import json_hash

Names = tuple[str, ...]


@dataclass(frozen=True)
class ZState:
    """One z of a search, without its arrays.

    Parameters
    ----------
    network
        Name of its weights in the search: ``start``, or that of a weight step.
    words
        By target (a unit of the cut, or a group), the names said of it; never empty.
    silenced
        Units of the cut whose paths are cut in these weights, sorted.
    edited
        Concepts that were edited in the pictures its weights were trained on, sorted. Whatever is
        trained from them goes on editing these: on pictures as they are the old cue comes back.
    """

    network: str = "start"
    words: Mapping[str, Names] = field(default_factory=dict[str, Names])
    silenced: Names = ()
    edited: Names = ()

    def __post_init__(self) -> None:
        # What is drawn from the words must not depend on the order in which they came about.
        ordered = {target: self.words[target] for target in sorted(self.words)}
        object.__setattr__(self, "words", ordered)

    @cached_property
    def key(self) -> str:
        """Names the z: the same for the same words on the same network."""
        return json_hash(self.to_json())[:16]

    @cached_property
    def vocabulary(self) -> Names:
        """All names that are said of anything, sorted."""
        return tuple(sorted({name for names in self.words.values() for name in names}))

    @cached_property
    def lineage(self) -> str:
        """Names what z's that are much alike share: the network, and which names are used at all."""
        return json_hash([self.network, self.silenced, self.vocabulary])[:12]

    def with_words(self, changes: Mapping[str, Names]) -> ZState:
        """Return the state with other names on some targets; none takes the words away."""
        merged = {**self.words, **changes}
        return replace(self, words={t: tuple(names) for t, names in merged.items() if names})

    def bearing(self, name: str) -> Names:
        """Return the targets of which a name is said, sorted."""
        return tuple(sorted(t for t, names in self.words.items() if name in names))

    def changes_from(self, other: ZState) -> int:
        """Count the targets said otherwise, the units silenced otherwise, and another network."""
        targets = self.words.keys() | other.words.keys()
        differ = sum(self.words.get(t) != other.words.get(t) for t in targets)
        silences = len(set(self.silenced) ^ set(other.silenced))
        return differ + silences + (self.network != other.network)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "network": self.network,
            "words": {target: list(self.words[target]) for target in sorted(self.words)},
            "silenced": list(self.silenced),
            **({"edited": list(self.edited)} if self.edited else {}),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ZState:
        """Read it back; raises KeyError, TypeError or ValueError where it is malformed."""
        return cls(
            str(record["network"]),
            {str(t): tuple(map(str, names)) for t, names in record["words"].items()},
            tuple(map(str, record["silenced"])),
            tuple(map(str, record.get("edited", ()))),
        )
