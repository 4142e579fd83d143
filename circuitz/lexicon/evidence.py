"""What WordNet and the table of parts say for a concept being part of a class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from circuitz.lexicon import parts_table as table
from circuitz.lexicon.concept import Kind
from circuitz.lexicon.phrases import Phrase
from circuitz.lexicon.sorts import GROWN, KIND_OF, LIVING, MADE, may_belong, sort_of
from circuitz.lexicon.wordnet import Sense, WordNet

#: Parts of parts of parts; kinds of kinds of a part.
_CLOSURE, _PART_KINDS = 3, 2
_FEW = 4  # senses of a word that are looked at
_TOO_WIDE = 4  # steps from the root of WordNet: *artifact* says nothing
_NARROW, _ALIKE = 7, 0.6
_COMMON, _MAIN = 0.2, 0.5  # share of a sense: a *beak* is a nose only in jest
#: *With very long neck*: a few words on, in the same clause.
_HAS = r"\b(?:with|having|has|have|consisting of|bearing|and)(?: (?!that\b|for\b|to\b|which\b)[\w-]+,?){0,4} "
_NAMED = 6  # an *extension ladder* is a ladder; that a window is an opening says nothing


@dataclass(frozen=True)
class Evidence:
    """One reason.

    Parameters
    ----------
    score
        How likely it makes the concept a legitimate reason for the class, 0 to 1.
    kind
        Kind of the concept, in this light.
    chain
        Sentences.
    """

    score: float
    kind: Kind | str
    chain: tuple[str, ...]


def a(noun: str) -> str:
    """Return the noun with *a* or *an*."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def inherits(name: str, synset: int, above: int, wordnet: WordNet) -> tuple[str, ...]:
    """Say that a thing is a kind of another; nothing where it is that itself."""
    if synset == above:
        return ()
    titles = [wordnet.title(s) for s in wordnet.path(synset, above)]
    if titles[0] != name:
        titles = [name, *titles[(titles[0] in wordnet.names(synset)) :]]
    subject = a(name)
    way = " ⊂ ".join(titles)
    return (f"{subject[0].upper()}{subject[1:]} is {a(titles[-1])} (WordNet: {way}).",)


def itself(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> Evidence | None:
    """Find that the class is the concept, or a kind of it: *shelf* of a bookshelf."""
    if sense.synset not in wordnet.ancestors(whole.synset) or _wide(sense.synset, wordnet):
        return None
    steps = inherits(name, whole.synset, sense.synset, wordnet)
    return Evidence(0.86, "part", steps or (f"‘{concept.head}’ is the class itself.",))


def meronym(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> Evidence | None:
    """Find the concept among the parts of the class, of what it is a kind of, and of their parts."""
    ups = wordnet.ancestors(whole.synset)
    start = _part_kinds(concept, sense, wordnet)
    best: Evidence | None = None
    for part in start:
        for way in _wholes(part, wordnet):
            end = way[-1]
            if _wide(end, wordnet):
                continue
            if end in ups:
                score = 0.97 - 0.02 * (len(way) - 2)
                steps = inherits(name, whole.synset, end, wordnet)
            elif len(way) == 2 and whole.synset in wordnet.ancestors(end):
                score, steps = 0.8, inherits(wordnet.title(end), end, whole.synset, wordnet)
            else:
                continue
            score -= 0.06 * (part != sense.synset)
            if best is None or score > best.score:
                named = " ⊂ ".join(wordnet.title(s) for s in way)
                is_kind = inherits(concept.head, sense.synset, part, wordnet)
                said = f"‘{concept.head}’ is part of {a(wordnet.title(end))} (WordNet: {named})."
                best = Evidence(score, "part", (*is_kind, said, *steps))
    return best


def _part_kinds(concept: Phrase, sense: Sense, wordnet: WordNet) -> list[int]:
    """Return a part, and what it is a kind of where nothing is known of its own wholes.

    An *extension ladder* is a ladder and has its wholes; a hoof is a foot, and yet no person's.
    """
    own = _wholes(sense.synset, wordnet) or _in_table(concept.head, sense.synset, True, wordnet)
    if own or sense.weight < _COMMON:
        return [sense.synset]
    ups = wordnet.ancestors(sense.synset).items()
    return [s for s, n in ups if n == 0 or (n <= _PART_KINDS and _depth(s, wordnet) >= _NAMED)]


def _grown(sense: Sense, wordnet: WordNet) -> bool:
    return sort_of(sense.synset, sense.file, wordnet) in ("body part", "plant part")


def listed(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> Evidence | None:
    """Find the concept in the table of parts, at the class or what it is a kind of."""
    if sense.synset < 0:
        return None
    start = _part_kinds(concept, sense, wordnet)
    closed = _in_table(concept.head, sense.synset, sense.weight >= _MAIN, wordnet)
    if not closed and sense.weight >= _COMMON and _grown(sense, wordnet):
        start += [way[-1] for way in _wholes(sense.synset, wordnet)]
    best: Evidence | None = None
    for part in start:
        word = concept.head if part == sense.synset else wordnet.title(part)
        found = _listed(word, part, name, whole, sense.weight >= _MAIN, wordnet)
        if found and part != sense.synset:
            if part in wordnet.ancestors(sense.synset):
                step = inherits(concept.head, sense.synset, part, wordnet)
            else:
                step = (f"‘{concept.head}’ is part of {a(word)} (WordNet).",)
            found = Evidence(found.score - 0.05, "part", (*step, *found.chain))
        if found and (best is None or found.score > best.score):
            best = found
    return best


def named(concept: Phrase, name: str, whole: Sense, wordnet: WordNet) -> Evidence | None:
    """Find the word in the table of parts, whatever WordNet takes it to mean."""
    wholes = table.shipped().get((table.plain(concept.head), ""))
    found = _at(concept.head, wholes, name, whole, wordnet) if wholes else None
    return Evidence(found.score - 0.08, found.kind, found.chain) if found else None


def _listed(
    word: str, part: int, name: str, whole: Sense, common: bool, wordnet: WordNet
) -> Evidence | None:
    wholes = _in_table(word, part, common, wordnet)
    return _at(word, wholes, name, whole, wordnet) if wholes else None


def _at(
    word: str, wholes: frozenset[tuple[str, str]], name: str, whole: Sense, wordnet: WordNet
) -> Evidence | None:
    """Find the class, or what it is a kind of, among the wholes of a part."""
    sort = sort_of(whole.synset, whole.file, wordnet)
    for above, steps in wordnet.ancestors(whole.synset).items():
        file = wordnet.file(above)
        # To WordNet a car is a container; what jugs have it has not.
        if file != "T" and sort_of(above, file, wordnet) != sort:
            continue
        for title in wordnet.names(above):
            # The widest kinds have a file of their own.
            if any(
                w == title.lower() and (file in (f, "T") or above == whole.synset)
                for w, f in wholes
            ):
                chain = (
                    f"‘{word}’ is part of {a(title)} (table of parts).",
                    *inherits(name, whole.synset, above, wordnet),
                )
                return Evidence(0.96 - 0.01 * min(steps, 6), "part", chain)
    return None


@lru_cache(maxsize=8192)
def _in_table(head: str, synset: int, common: bool, wordnet: WordNet) -> frozenset[tuple[str, str]]:
    """Return the wholes of a part, by its name and where that is common by its synonyms too."""
    if synset < 0:
        return frozenset()
    known = table.shipped()
    found: set[tuple[str, str]] = set()
    file = wordnet.file(synset)
    sort = sort_of(synset, file, wordnet)
    for letter in {file, {"body part": "b", "plant part": "P"}.get(sort, file)}:
        found |= known.get((head, letter), frozenset())
        for word in wordnet.names(synset) if common else ():
            entry = known.get((word, letter))
            if entry and word != head and wordnet.synset(word, file) == synset:
                found |= entry
    return frozenset(found)


def defined(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> Evidence | None:
    """Find the concept in the definition of the class, or the class in that of the concept."""
    fits = may_belong(*_sorts(sense, whole, wordnet))
    if fits < 0.15 or sense.weight < _COMMON:
        return None
    words = {concept.head, *wordnet.names(sense.synset)}
    for above, steps in wordnet.ancestors(whole.synset).items():
        if steps > 2 or _wide(above, wordnet):
            continue
        gloss = wordnet.gloss(above)
        for word in words:
            if re.search(_HAS + re.escape(word) + r"s?\b", gloss):
                said = f"WordNet defines {a(wordnet.title(above))} as ‘{gloss}’."
                chain = (said, *inherits(name, whole.synset, above, wordnet))
                return Evidence(0.72 + 0.2 * fits, "part", chain)
    gloss = wordnet.gloss(sense.synset)
    if gloss:
        for above, steps in wordnet.ancestors(whole.synset).items():
            if steps > 4 or _wide(above, wordnet):
                continue
            for word in wordnet.names(above):
                if re.search(rf"\b(of|on|in|at) (a|an|the) (\w+ )?{re.escape(word)}s?\b", gloss):
                    said = f"WordNet defines {a(concept.head)} as ‘{gloss}’."
                    chain = (said, *inherits(name, whole.synset, above, wordnet))
                    return Evidence(0.45 + 0.4 * fits, "part", chain)
    return None


def alike(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> Evidence | None:
    """Find the concept among the parts of things like the class."""
    best: Evidence | None = None
    if sense.weight < _COMMON:
        return None
    for way in _wholes(sense.synset, wordnet):
        if len(way) != 2:
            continue
        near, likeness = _alike(way[-1], whole.synset, wordnet)
        if near < 0 or likeness < _ALIKE:
            continue
        score = 0.3 + 0.5 * likeness
        if best is None or score > best.score:
            other = wordnet.title(way[-1])
            chain = (
                f"‘{concept.head}’ is part of {a(other)} (WordNet).",
                f"{a(name).capitalize()} is like {a(other)}: both are {wordnet.title(near)}.",
            )
            best = Evidence(score, "part", chain)
    return best


def by_sort(concept: Phrase, sense: Sense, whole: Sense, wordnet: WordNet) -> Evidence:
    """Judge from the sorts alone: a body part of an animal, weather around anything."""
    part, of = _sorts(sense, whole, wordnet)
    score = may_belong(part, of)
    if (part == "body part" and of in LIVING) or (part == "plant part" and of in GROWN):
        known = [way[-1] for way in _wholes(sense.synset, wordnet)]
        known = [s for s in known if sort_of(s, wordnet.file(s), wordnet) == of]
        if known or _in_table(concept.head, sense.synset, False, wordnet):
            score = 0.4  # it is known whose it is, and that is another
    return Evidence(score, _kind(part, of), _placed(concept, sense, part, wordnet))


def _kind(part: str, of: str) -> Kind:
    if of == "place" and part not in LIVING:
        return "surroundings"
    if part == "structure" and of in MADE:
        return "artefact"
    return KIND_OF.get(part, "surroundings")


def _placed(concept: Phrase, sense: Sense, part: str, wordnet: WordNet) -> tuple[str, ...]:
    """Say what sort a concept is of, with the way up."""
    if sense.synset < 0:
        return (f"‘{concept.head}’ names nothing that is seen (WordNet).",)
    ups = list(wordnet.ancestors(sense.synset))[:4]
    way = " ⊂ ".join(dict.fromkeys([concept.head, *(wordnet.title(s) for s in ups[1:])]))
    return (f"‘{concept.head}’ is of the sort ‘{part}’ (WordNet: {way}).",)


def _sorts(sense: Sense, whole: Sense, wordnet: WordNet) -> tuple[str, str]:
    of = sort_of(whole.synset, whole.file, wordnet)
    # A traffic light is a sign to WordNet; what is looked at as a class is a thing.
    of = "thing" if of in ("sign", "abstract", "attribute", "component", "light") else of
    return sort_of(sense.synset, sense.file, wordnet), of


@lru_cache(maxsize=8192)
def _wholes(synset: int, wordnet: WordNet) -> tuple[tuple[int, ...], ...]:
    """Return the ways from a part to its wholes, and theirs, as far as the closure goes."""
    ways: list[tuple[int, ...]] = []
    layer = [(synset,)]
    for _ in range(_CLOSURE):
        layer = [
            (*way, up)
            for way in layer
            for up in wordnet.wholes(way[-1])
            # Perch is what a perch is made of, and meat no part of an animal that is seen.
            if up not in way and (wordnet.file(synset), wordnet.file(up)) != ("F", "N")
        ]
        ways += layer
    return tuple(ways)


@lru_cache(maxsize=8192)
def _depth(synset: int, wordnet: WordNet) -> int:
    return max(wordnet.ancestors(synset).values())


def _wide(synset: int, wordnet: WordNet) -> bool:
    return _depth(synset, wordnet) < _TOO_WIDE


def _alike(one: int, other: int, wordnet: WordNet) -> tuple[int, float]:
    """Return what two things have in common and how near they are: Wu and Palmer, 1994."""
    shared = set(wordnet.ancestors(one)) & set(wordnet.ancestors(other))
    if not shared:
        return -1, 0.0
    near = max(shared, key=lambda s: _depth(s, wordnet))
    total = _depth(one, wordnet) + _depth(other, wordnet)
    if _depth(near, wordnet) < _NARROW:
        return -1, 0.0
    return near, 2 * _depth(near, wordnet) / total
