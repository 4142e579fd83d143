"""What a concept or class is called, taken apart: head noun, what describes it, whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from circuitz.lexicon.word_forms import singular, tokens
from circuitz.lexicon.wordnet import Sense, WordNet

_OF = frozenset(
    {"of", "on", "in", "at", "behind", "around", "under", "over", "with", "from", "for"}
)
#: Words before a noun that make no other thing of it.
SAID_OF_ANYTHING = frozenset(
    {"a", "an", "the", "its", "his", "her", "their", "some", "visible", "several", "two", "four"}
)
#: Verbs before what a thing has: *has loop*.
_HAVING = frozenset({"has", "have", "having", "is", "are", "shows", "showing", "with", "wearing"})
#: Heads that say nothing by themselves: of *grass texture* the grass counts.
GENERIC = frozenset(
    {
        "color", "colour", "hue", "texture", "surface", "material", "look", "appearance", "detail", "reflection",
        "scene", "background", "view", "setting", "area", "region", "patch", "piece", "scent",
        "element", "feature", "type", "kind", "style", "finish", "exterior", "slice", "chunk", "row", "pair", "bunch", "pile", "cluster", "set",
    }
)  # fmt: skip

#: Heads that make an attribute of whatever stands before them: *heart shape*.
SHAPES = frozenset({"shape", "form", "pattern", "outline", "silhouette", "contour", "shade"})

#: Words for what a class is one of, or is shown in: of *dog breed* the dog counts.
_CLASS_WORDS = frozenset(
    {
        "breed", "species", "kind", "type", "class", "sort", "variety", "race", "model", "make",
        "brand", "category", "image", "picture", "photo", "photograph",
    }
)  # fmt: skip


def class_noun(subject: str) -> str:
    """Return what thing a class is one of: *dog* of *dog breed*, *breed of dog*, *dogs*."""
    words = [token.raw for token in tokens(subject)]
    if "of" in words[1:-1]:
        start = words.index("of", 1)
        if singular(words[start - 1]) in _CLASS_WORDS:
            return class_noun(" ".join(words[start + 1 :]))
    while len(words) > 1 and singular(words[-1]) in _CLASS_WORDS:
        words.pop()
    return " ".join(w for i, w in enumerate(words) if i or w not in SAID_OF_ANYTHING)


@dataclass(frozen=True)
class Phrase:
    """A phrase and what WordNet knows of it.

    Parameters
    ----------
    text
        As asked.
    head
        The part of it that WordNet has: the whole phrase, or its last words. Where it has none,
        the last word; empty for an adjective.
    senses
        Of the head; none where WordNet has no such noun.
    before
        Words before the head, nearest first: *pointed* of *pointed ears*.
    whose
        What stands behind *of*, *on*, *in*: *the dog* of *tail of the dog*; empty for nothing.
    adjective
        The phrase names no thing: *furry*, *four-legged*.
    """

    text: str
    head: str
    senses: tuple[Sense, ...]
    before: tuple[str, ...] = ()
    whose: str = ""
    adjective: bool = False


@lru_cache(maxsize=4096)
def parse_phrase(text: str, wordnet: WordNet) -> Phrase:
    """Take a phrase apart."""
    words = [t.raw.removesuffix("'s") for t in tokens(text) if t.raw not in SAID_OF_ANYTHING]
    while len(words) > 1 and words[0] in _HAVING:
        words.pop(0)
    whole = _longest_final_noun(words, wordnet)
    if whole and whole[2] == len(words):
        return _phrase_from_head_match(text, words, whole, "", wordnet)
    joint = next((i for i, word in enumerate(words) if i and word in _OF), len(words))
    if joint < len(words) - 1:
        whose = " ".join(w for w in words[joint + 1 :])
        found = _longest_final_noun(words[:joint], wordnet)
        if found:
            return _phrase_from_head_match(text, words[:joint], found, whose, wordnet)
    if whole:
        return _phrase_from_head_match(text, words, whole, "", wordnet)
    for end in range(len(words) - 2, 0, -1):  # *hand holding it*
        found = _longest_final_noun(words[:end], wordnet)
        if found and words[end].endswith(("ing", "ed")):
            return _phrase_from_head_match(text, words[:end], found, "", wordnet)
    adjective = bool(words) and _looks_adjectival(words[-1], wordnet)
    head = "" if adjective or not words else singular(words[-1])
    return Phrase(text, head, (), tuple(reversed(words[:-1])), "", adjective)


def _phrase_from_head_match(
    text: str,
    words: list[str],
    head_match: tuple[str, tuple[Sense, ...], int],
    whose: str,
    wordnet: WordNet,
) -> Phrase:
    head, senses, length = head_match
    before = tuple(reversed(words[: len(words) - length]))
    # *White*, *round*: a noun of its own, but rather an adjective when it stands alone.
    adjective = length == len(words) == 1 and wordnet.is_adjective(words[0])
    return Phrase(text, head, senses, before, whose, adjective)


def _longest_final_noun(
    words: list[str], wordnet: WordNet
) -> tuple[str, tuple[Sense, ...], int] | None:
    """Find the longest run of last words that WordNet has as a noun."""
    for length in range(min(len(words), 5), 0, -1):
        for spelling in candidate_spellings(words[-length:], wordnet):
            senses = wordnet.senses(spelling)
            if senses:
                return spelling, senses, length
    return None


def candidate_spellings(words: list[str], wordnet: WordNet) -> list[str]:
    """Return what the words may stand as: as they are, in the singular, written together."""
    last = words[-1]
    irregular = wordnet.irregular_singulars(last)
    plural = last.endswith("s") and not last.endswith("ss")
    regular = [singular(last), last[:-1], last.removesuffix("es")] if plural else [singular(last)]
    if last.endswith("ves"):
        regular = [last[:-3] + "f", last[:-3] + "fe", *regular]
    ends = list(dict.fromkeys(end for end in (*irregular, *regular, last) if end))
    found: list[str] = []
    for start in _joined_prefixes(words[:-1], wordnet):
        found += [start + end for end in ends]
    return found


def _joined_prefixes(words: list[str], wordnet: WordNet) -> list[str]:
    """Return the words before the last, joined by blanks, hyphens or nothing: *hot-air balloon*."""
    starts = [""]
    for word in words:
        # A black seed is no blackseed.
        glues = (" ", "-") if wordnet.is_adjective(word) else (" ", "-", "")
        starts = [start + word + glue for start in starts for glue in glues]
    return starts[:27]


def _looks_adjectival(word: str, wordnet: WordNet) -> bool:
    endings = ("ed", "ish", "like", "shaped", "colored", "coloured", "y", "en", "ing", "ous", "al")
    return wordnet.is_adjective(word) or (len(word) > 4 and word.endswith(endings))
