"""Find concepts in a sentence: the longest name wins, adjectives may stand apart."""

from __future__ import annotations

from collections.abc import Mapping

from circuitz.lexicon.concept import Concept
from circuitz.lexicon.word_forms import COPULAS, Token, negation_flags, phrase_key, tokens

Key = tuple[str, ...]
Hit = tuple[int, int, str]
"""First word, the one after the last, and what they name."""


def all_names_of(concept: Concept, concepts: Mapping[str, Concept]) -> list[str]:
    """Return all names of a concept: its own, its synonyms, and adjectives with its parent's."""
    names = [concept.name, *concept.synonyms]
    parent = concepts.get(concept.is_a)
    if parent is not None:
        nouns = (parent.name, *parent.synonyms)
        names += [f"{adjective} {noun}" for adjective in concept.adjectives for noun in nouns]
    return names


class Matcher:
    """The names of a lexicon, ready to be looked up.

    Parameters
    ----------
    concepts
        Concepts by name; no two may share a name.
    """

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self._names: dict[Key, str] = {}
        self._described: dict[Key, dict[Key, str]] = {}  # noun -> adjective -> concept
        # What is written out wins over what is put together from adjectives.
        for concept in concepts.values():
            for name in (concept.name, *concept.synonyms):
                self._names.setdefault(phrase_key(name), concept.name)
        for concept in concepts.values():
            for name in all_names_of(concept, concepts):
                self._names.setdefault(phrase_key(name), concept.name)
        for concept in concepts.values():
            parent = concepts.get(concept.is_a)
            if parent is None:
                continue
            for noun in (parent.name, *parent.synonyms):
                adjectives = self._described.setdefault(phrase_key(noun), {})
                for adjective in concept.adjectives:
                    adjectives.setdefault(phrase_key(adjective), concept.name)
        self._adjectives = {a for table in self._described.values() for a in table}
        self._longest = max((len(k) for k in self._names), default=0)

    def resolve(self, name: str) -> str:
        """Return the concept with exactly this name or synonym; empty when there is none."""
        return self._names.get(phrase_key(name), "")

    def concept_of_last_words(self, name: str) -> str:
        """Return the concept that the last words of a name make; empty when there is none."""
        words = phrase_key(name)
        ends = (self._names.get(words[i:], "") for i in range(len(words)))
        return next(filter(None, ends), "")

    def named_by_last_words(self, name: str) -> str:
        """Return the last words of a name that make a concept; empty when none do."""
        words = phrase_key(name)
        ends = (words[i:] for i in range(len(words)) if words[i:] in self._names)
        return " ".join(next(ends, ()))

    def find_affirmed_concepts(self, text: str) -> tuple[str, ...]:
        """Return the concepts a text affirms, in order, each once.

        Parameters
        ----------
        text
            Free text.

        Returns
        -------
        tuple of str
            Canonical names.
        """
        words = tokens(text)
        return affirmed_concepts(words, self.find_concept_mentions(words))

    def find_concept_mentions(self, words: list[Token]) -> list[Hit]:
        """Return where concepts are named, denied ones too: start, end, concept."""
        hits: list[Hit] = []
        i = 0
        while i < len(words):
            hit = self._mentions_starting_at(words, i)
            if not hit:
                i += 1
                continue
            hits.extend(hit)
            i = max(end for _, end, _ in hit)
        return hits

    def _mentions_starting_at(self, words: list[Token], i: int) -> list[tuple[int, int, str]]:
        """Return hits (start, end, concept) that begin at word ``i``; none when none does."""
        exact: list[tuple[int, int, str]] = []
        room = min(self._longest, len(words) - i)
        for length in range(room, 0, -1):
            end = i + length
            if words[i].clause != words[end - 1].clause:
                continue
            noun = tuple(w.word for w in words[i:end])
            name = self._names.get(noun)
            if name:
                exact = self._match_adjectives_after_noun(words, i, end, noun) or [(i, end, name)]
                break
        listed = self._match_adjectives_before_noun(words, i)
        reach = max((end for _, end, _ in exact), default=i)
        return listed if listed and listed[-1][1] > reach else exact

    def _match_adjectives_before_noun(
        self, words: list[Token], i: int
    ) -> list[tuple[int, int, str]]:
        """Adjectives before one noun: *fluffy, grey coat*."""
        for noun, adjectives in self._described.items():
            hits: list[tuple[int, str]] = []
            for j in range(i, len(words)):
                if hits and tuple(w.word for w in words[j : j + len(noun)]) == noun:
                    end = j + len(noun)
                    return [(start, end, name) for start, name in hits]
                name = adjectives.get((words[j].word,))
                if name:
                    hits.append((j, name))
                elif not hits or (
                    words[j].raw != "and" and (words[j].word,) not in self._adjectives
                ):
                    break
        return []

    def _match_adjectives_after_noun(
        self, words: list[Token], start: int, end: int, noun: Key
    ) -> list[tuple[int, int, str]]:
        """Adjectives after a noun: *ears that are pointed*."""
        adjectives = self._described.get(noun)
        if adjectives is None:
            return []
        hits: list[tuple[int, int, str]] = []
        j, linked = end, False
        while j < len(words) and words[j].clause == words[start].clause:
            name = adjectives.get((words[j].word,))
            if words[j].raw in COPULAS:
                linked = linked or words[j].raw != "and"
            elif name and linked:
                hits.append((j, j + 1, name))
            else:
                break
            j += 1
        return hits


def affirmed_concepts(words: list[Token], hits: list[Hit]) -> tuple[str, ...]:
    """Return what is named and not denied, in order, each once."""
    return tuple(dict.fromkeys(name for _, _, name in affirmed_hits(words, hits)))


def affirmed_hits(words: list[Token], hits: list[Hit]) -> list[Hit]:
    """Return the hits that the text does not deny."""
    denied = negation_flags(words, [start for start, _, _ in hits])
    found: list[Hit] = []
    for hit, no in zip(hits, denied, strict=True):
        after = [w.raw for w in words[hit[1] : hit[1] + 2]]
        free = after[:1] == ["free"] and after != ["free", "of"]  # snow-free
        if not (no or free):
            found.append(hit)
    return found
