"""WordNet, as much of it as is shipped: senses of nouns, their kinds, wholes and definitions.

``extract.py`` makes the file and says what stands in it. It is read when first asked, and mostly
searched as text: to build tables of all its words would take longer than what is asked of them.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files


@dataclass(frozen=True)
class Sense:
    """One sense of a word.

    Parameters
    ----------
    synset
        Its number; -1 for one that is not shipped.
    file
        Letter of the lexicographer's file, as in ``extract.FILES``.
    weight
        Share of it among the senses of the word.
    """

    synset: int
    file: str
    weight: float


class WordNet:
    """The shipped extract.

    Parameters
    ----------
    text
        What ``extract.make`` returns.
    """

    def __init__(self, text: str) -> None:
        _, self._names, facts, nouns, adjectives, plurals = text.split("\n# ")
        self._facts = facts.split("\n")  # the block's name stands where synset -1 would
        self._titles = self._names.split("\n")
        self._nouns = dict(line.split("|", 1) for line in nouns.split("\n")[1:])
        self._adjectives = adjectives + "\n"
        self._plurals = plurals + "\n"
        self._wholes_too: dict[int, tuple[int, ...]] = {}

    @classmethod
    def load(cls) -> WordNet:
        """Read the shipped extract, once."""
        return _load_shipped_wordnet()

    def senses(self, word: str) -> tuple[Sense, ...]:
        """Return the senses of a noun as it is spelled, in lower case; none for unknown ones."""
        return _weighted_senses(self, word)

    def is_adjective(self, word: str) -> bool:
        """Whether it is an adjective of one word."""
        return f"\n{word}\n" in self._adjectives

    def irregular_singulars(self, word: str) -> tuple[str, ...]:
        """Return what it may be an irregular plural of."""
        at = self._plurals.find(f"\n{word}|")
        if at < 0:
            return ()
        line = self._plurals[at + 1 : self._plurals.index("\n", at + 1)]
        return tuple(line.partition("|")[2].split())

    def first_name_of_synset(self, synset: int) -> str:
        """Return its first name."""
        return self._titles[synset + 1][1:-1].split(";")[0]

    def all_names_of_synset(self, synset: int) -> tuple[str, ...]:
        """Return all its names."""
        return tuple(self._titles[synset + 1][1:-1].split(";"))

    def file_letter(self, synset: int) -> str:
        """Return the letter of its lexicographer's file."""
        return self._facts[synset + 1][0]

    def direct_hypernyms(self, synset: int) -> tuple[int, ...]:
        """Return what it is directly a kind of."""
        return tuple(map(int, self._facts[synset + 1].split("|", 3)[1].split()))

    def direct_holonyms(self, synset: int) -> tuple[int, ...]:
        """Return what it is directly a part or a member of, or what is made of it."""
        return tuple(int(w[1:]) for w in self._facts[synset + 1].split("|", 3)[2].split())

    def direct_part_holonyms(self, synset: int) -> tuple[int, ...]:
        """Return what it is directly a part of: neither a member, nor what it is made of."""
        found = self._facts[synset + 1].split("|", 3)[2].split()
        return tuple(int(w[1:]) for w in found if w.startswith("p"))

    def gloss(self, synset: int) -> str:
        """Return the definition, where it may name parts."""
        return self._facts[synset + 1].split("|", 3)[3]

    def ancestors_with_steps(self, synset: int) -> dict[int, int]:
        """Return itself and all it is a kind of, with the number of steps up."""
        return _steps_to_ancestors(self, synset)

    def hypernym_path(self, synset: int, ancestor: int) -> tuple[int, ...]:
        """Return the shortest way up from a synset to one of its ancestors."""
        steps = self.ancestors_with_steps(synset)
        way = [ancestor]
        while way[-1] != synset:
            at = way[-1]
            way.append(
                next(
                    s for s in steps if at in self.direct_hypernyms(s) and steps[s] == steps[at] - 1
                )
            )
        return tuple(reversed(way))

    def first_synset(self, name: str, file: str = "") -> int:
        """Return the first sense of a name within a file; -1 where there is none."""
        found = (s.synset for s in self.senses(name) if s.synset >= 0 and file in ("", s.file))
        return next(found, -1)

    @cached_property
    def _lowercase_names(self) -> str:
        return self._names.lower()

    def find_synset_of_unique_name(self, word: str) -> int:
        """Return the synset of a name that only one has; -1 where there is none."""
        at = self._lowercase_names.find(f";{word};")
        return self._names.count("\n", 0, at) - 1 if at >= 0 else -1

    def sense_line(self, word: str) -> str:
        """Return the senses of a word of several, as they stand in the file."""
        return self._nouns.get(word, "")


@lru_cache(maxsize=1)
def _load_shipped_wordnet() -> WordNet:
    data = files("circuitz.lexicon").joinpath("wordnet.txt.gz").read_bytes()
    return WordNet(gzip.decompress(data).decode())


@lru_cache(maxsize=8192)
def _steps_to_ancestors(wordnet: WordNet, synset: int) -> dict[int, int]:
    steps, layer = {synset: 0}, [synset]
    while layer:
        up = [above for at in layer for above in wordnet.direct_hypernyms(at) if above not in steps]
        for above in up:
            steps.setdefault(above, steps[layer[0]] + 1)
        layer = list(dict.fromkeys(up))
    return steps


@lru_cache(maxsize=8192)
def _weighted_senses(wordnet: WordNet, word: str) -> tuple[Sense, ...]:
    line = wordnet.sense_line(word)
    if not line:
        synset = wordnet.find_synset_of_unique_name(word)
        return (Sense(synset, wordnet.file_letter(synset), 1.0),) if synset >= 0 else ()
    found: list[tuple[int, str, float]] = []
    for rank, item in enumerate(line.split()):
        name, _, count = item.partition(".")
        synset = int(name) if name.isdigit() else -1
        file = wordnet.file_letter(synset) if synset >= 0 else name
        # Counts are thin: the order of the senses says as much.
        found.append((synset, file, float(count or 0) + 2.0 / (rank + 1)))
    # ICE is no ice, unless there is nothing else.
    found = [f for f in found if f[0] < 0 or not _is_acronym(word, f[0], wordnet)] or found
    total = sum(weight for _, _, weight in found)
    return tuple(Sense(synset, file, weight / total) for synset, file, weight in found)


def _is_acronym(word: str, synset: int, wordnet: WordNet) -> bool:
    return word.upper() in wordnet.all_names_of_synset(
        synset
    ) and word not in wordnet.all_names_of_synset(synset)
