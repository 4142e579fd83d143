"""What WordNet and the table of parts say for a concept being part of a class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from circuitz.lexicon import parts_table
from circuitz.lexicon.concept import Kind
from circuitz.lexicon.phrases import Phrase
from circuitz.lexicon.sorts import (
    GROWN,
    KIND_OF,
    LIVING,
    MANUFACTURED,
    part_likelihood_by_sorts,
    sort_of_sense,
)
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
class WordNetEvidence:
    """One reason.

    Parameters
    ----------
    score
        How likely it makes the concept a legitimate reason for the class, 0 to 1.
    kind
        Kind of the concept, in this light.
    chain
        Sentences.
    likened
        It is said of things like the class, and not of the class.
    """

    score: float
    kind: Kind | str
    chain: tuple[str, ...]
    likened: bool = False


def prefix_a_or_an(noun: str) -> str:
    """Return the noun with *a* or *an*."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def hypernym_path_sentence(name: str, synset: int, above: int, wordnet: WordNet) -> tuple[str, ...]:
    """Say that a thing is a kind of another; nothing where it is that itself."""
    if synset == above:
        return ()
    titles = [wordnet.first_name_of_synset(s) for s in wordnet.hypernym_path(synset, above)]
    if titles[0] != name:
        titles = [name, *titles[(titles[0] in wordnet.all_names_of_synset(synset)) :]]
    subject = prefix_a_or_an(name)
    way = " ⊂ ".join(titles)
    return (f"{subject[0].upper()}{subject[1:]} is {prefix_a_or_an(titles[-1])} (WordNet: {way}).",)


def find_as_class_or_its_hypernym(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> WordNetEvidence | None:
    """Find that the class is the concept, or a kind of it: *shelf* of a bookshelf."""
    if sense.synset not in wordnet.ancestors_with_steps(whole.synset) or _is_too_general(
        sense.synset, wordnet
    ):
        return None
    steps = hypernym_path_sentence(name, whole.synset, sense.synset, wordnet)
    return WordNetEvidence(0.86, "part", steps or (f"‘{concept.head}’ is the class itself.",))


def find_among_class_meronyms(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> WordNetEvidence | None:
    """Find the concept among the parts of the class, of what it is a kind of, and of their parts."""
    ups = wordnet.ancestors_with_steps(whole.synset)
    start = _part_with_hypernyms(concept, sense, wordnet)
    best: WordNetEvidence | None = None
    for part in start:
        for way in _holonym_paths(part, wordnet):
            end = way[-1]
            if _is_too_general(end, wordnet):
                continue
            if end in ups:
                score = 0.97 - 0.02 * (len(way) - 2)
                steps = hypernym_path_sentence(name, whole.synset, end, wordnet)
            elif len(way) == 2 and whole.synset in wordnet.ancestors_with_steps(end):
                score, steps = (
                    0.8,
                    hypernym_path_sentence(
                        wordnet.first_name_of_synset(end), end, whole.synset, wordnet
                    ),
                )
            else:
                continue
            score -= 0.06 * (part != sense.synset)
            if best is None or score > best.score:
                named = " ⊂ ".join(wordnet.first_name_of_synset(s) for s in way)
                is_kind = hypernym_path_sentence(concept.head, sense.synset, part, wordnet)
                said = f"‘{concept.head}’ is part of {prefix_a_or_an(wordnet.first_name_of_synset(end))} (WordNet: {named})."
                best = WordNetEvidence(score, "part", (*is_kind, said, *steps))
    return best


def _part_with_hypernyms(concept: Phrase, sense: Sense, wordnet: WordNet) -> list[int]:
    """Return a part, and what it is a kind of where nothing is known of its own wholes.

    An *extension ladder* is a ladder and has its wholes; a hoof is a foot, and yet no person's.
    """
    own = _holonym_paths(sense.synset, wordnet) or _wholes_in_table(
        concept.head, sense.synset, True, wordnet
    )
    if own or sense.weight < _COMMON:
        return [sense.synset]
    ups = wordnet.ancestors_with_steps(sense.synset).items()
    return [
        s for s, n in ups if n == 0 or (n <= _PART_KINDS and _synset_depth(s, wordnet) >= _NAMED)
    ]


def _is_body_or_plant_part(sense: Sense, wordnet: WordNet) -> bool:
    return sort_of_sense(sense.synset, sense.file, wordnet) in ("body part", "plant part")


def find_in_parts_table(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> WordNetEvidence | None:
    """Find the concept in the table of parts, at the class or what it is a kind of."""
    if sense.synset < 0:
        return None
    start = _part_with_hypernyms(concept, sense, wordnet)
    closed = _wholes_in_table(concept.head, sense.synset, sense.weight >= _MAIN, wordnet)
    if not closed and sense.weight >= _COMMON and _is_body_or_plant_part(sense, wordnet):
        start += [way[-1] for way in _holonym_paths(sense.synset, wordnet)]
    best: WordNetEvidence | None = None
    for part in start:
        word = concept.head if part == sense.synset else wordnet.first_name_of_synset(part)
        found = _find_class_among_part_wholes(
            word, part, name, whole, sense.weight >= _MAIN, wordnet
        )
        if found and part != sense.synset:
            if part in wordnet.ancestors_with_steps(sense.synset):
                step = hypernym_path_sentence(concept.head, sense.synset, part, wordnet)
            else:
                step = (f"‘{concept.head}’ is part of {prefix_a_or_an(word)} (WordNet).",)
            found = WordNetEvidence(found.score - 0.05, "part", (*step, *found.chain))
        if found and (best is None or found.score > best.score):
            best = found
    return best


def find_word_in_parts_table(
    concept: Phrase, name: str, whole: Sense, wordnet: WordNet
) -> WordNetEvidence | None:
    """Find the word in the table of parts, whatever WordNet takes it to mean."""
    wholes = parts_table.shipped_parts_table().get(
        (parts_table.singularise_phrase(concept.head), "")
    )
    found = _match_class_to_wholes(concept.head, wholes, name, whole, wordnet) if wholes else None
    return WordNetEvidence(found.score - 0.08, found.kind, found.chain) if found else None


def _find_class_among_part_wholes(
    word: str, part: int, name: str, whole: Sense, common: bool, wordnet: WordNet
) -> WordNetEvidence | None:
    wholes = _wholes_in_table(word, part, common, wordnet)
    return _match_class_to_wholes(word, wholes, name, whole, wordnet) if wholes else None


def _match_class_to_wholes(
    word: str, wholes: frozenset[tuple[str, str]], name: str, whole: Sense, wordnet: WordNet
) -> WordNetEvidence | None:
    """Find the class, or what it is a kind of, among the wholes of a part."""
    sort = sort_of_sense(whole.synset, whole.file, wordnet)
    for above, steps in wordnet.ancestors_with_steps(whole.synset).items():
        file = wordnet.file_letter(above)
        # To WordNet a car is a container; what jugs have it has not.
        if file != "T" and sort_of_sense(above, file, wordnet) != sort:
            continue
        for title in wordnet.all_names_of_synset(above):
            # The widest kinds have a file of their own.
            if any(
                w == title.lower() and (file in (f, "T") or above == whole.synset)
                for w, f in wholes
            ):
                chain = (
                    f"‘{word}’ is part of {prefix_a_or_an(title)} (table of parts).",
                    *hypernym_path_sentence(name, whole.synset, above, wordnet),
                )
                return WordNetEvidence(0.96 - 0.01 * min(steps, 6), "part", chain)
    return None


@lru_cache(maxsize=8192)
def _wholes_in_table(
    head: str, synset: int, common: bool, wordnet: WordNet
) -> frozenset[tuple[str, str]]:
    """Return the wholes of a part, by its name and where that is common by its synonyms too."""
    if synset < 0:
        return frozenset()
    known = parts_table.shipped_parts_table()
    found: set[tuple[str, str]] = set()
    file = wordnet.file_letter(synset)
    sort = sort_of_sense(synset, file, wordnet)
    for letter in {file, {"body part": "b", "plant part": "P"}.get(sort, file)}:
        found |= known.get((head, letter), frozenset())
        for word in wordnet.all_names_of_synset(synset) if common else ():
            entry = known.get((word, letter))
            if entry and word != head and wordnet.first_synset(word, file) == synset:
                found |= entry
    return frozenset(found)


def find_in_definitions(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> WordNetEvidence | None:
    """Find the concept in the definition of the class, or the class in that of the concept."""
    fits = part_likelihood_by_sorts(*_part_and_whole_sorts(sense, whole, wordnet))
    if fits < 0.15 or sense.weight < _COMMON:
        return None
    words = {concept.head, *wordnet.all_names_of_synset(sense.synset)}
    for above, steps in wordnet.ancestors_with_steps(whole.synset).items():
        if steps > 2 or _is_too_general(above, wordnet):
            continue
        gloss = wordnet.gloss(above)
        for word in words:
            if re.search(_HAS + re.escape(word) + r"s?\b", gloss):
                said = f"WordNet defines {prefix_a_or_an(wordnet.first_name_of_synset(above))} as ‘{gloss}’."
                chain = (said, *hypernym_path_sentence(name, whole.synset, above, wordnet))
                return WordNetEvidence(0.72 + 0.2 * fits, "part", chain)
    gloss = wordnet.gloss(sense.synset)
    if gloss:
        for above, steps in wordnet.ancestors_with_steps(whole.synset).items():
            if steps > 4 or _is_too_general(above, wordnet):
                continue
            for word in wordnet.all_names_of_synset(above):
                if re.search(rf"\b(of|on|in|at) (a|an|the) (\w+ )?{re.escape(word)}s?\b", gloss):
                    said = f"WordNet defines {prefix_a_or_an(concept.head)} as ‘{gloss}’."
                    chain = (said, *hypernym_path_sentence(name, whole.synset, above, wordnet))
                    return WordNetEvidence(0.45 + 0.4 * fits, "part", chain)
    return None


def find_among_parts_of_similar_things(
    concept: Phrase, sense: Sense, name: str, whole: Sense, wordnet: WordNet
) -> WordNetEvidence | None:
    """Find the concept among the parts of things like the class."""
    best: WordNetEvidence | None = None
    if sense.weight < _COMMON:
        return None
    for way in _holonym_paths(sense.synset, wordnet):
        if len(way) != 2:
            continue
        near, likeness = _common_ancestor_and_wu_palmer(way[-1], whole.synset, wordnet)
        if near < 0 or likeness < _ALIKE:
            continue
        score = 0.3 + 0.5 * likeness
        if best is None or score > best.score:
            other = wordnet.first_name_of_synset(way[-1])
            chain = (
                f"‘{concept.head}’ is part of {prefix_a_or_an(other)} (WordNet).",
                f"{prefix_a_or_an(name).capitalize()} is like {prefix_a_or_an(other)}: both are {wordnet.first_name_of_synset(near)}.",
            )
            best = WordNetEvidence(score, "part", chain, likened=True)
    return best


def judge_by_sort(concept: Phrase, sense: Sense, whole: Sense, wordnet: WordNet) -> WordNetEvidence:
    """Judge from the sorts alone: a body part of an animal, weather around anything."""
    part, of = _part_and_whole_sorts(sense, whole, wordnet)
    score = part_likelihood_by_sorts(part, of)
    if (part == "body part" and of in LIVING) or (part == "plant part" and of in GROWN):
        ways = _holonym_paths(sense.synset, wordnet) if sense.synset >= 0 else ()
        known = [way[-1] for way in ways]
        known = [s for s in known if sort_of_sense(s, wordnet.file_letter(s), wordnet) == of]
        if known or _wholes_in_table(concept.head, sense.synset, False, wordnet):
            score = 0.4  # it is known whose it is, and that is another
    return WordNetEvidence(
        score, _kind_from_sorts(part, of), _sort_sentence(concept, sense, part, wordnet)
    )


def _kind_from_sorts(part: str, of: str) -> Kind:
    if of == "place" and part not in LIVING:
        return "surroundings"
    if part == "structure" and of in MANUFACTURED:
        return "artefact"
    return KIND_OF.get(part, "surroundings")


def _sort_sentence(concept: Phrase, sense: Sense, part: str, wordnet: WordNet) -> tuple[str, ...]:
    """Say what sort a concept is of, with the way up."""
    if sense.synset < 0:
        return (f"‘{concept.head}’ names nothing that is seen (WordNet).",)
    ups = list(wordnet.ancestors_with_steps(sense.synset))[:4]
    way = " ⊂ ".join(
        dict.fromkeys([concept.head, *(wordnet.first_name_of_synset(s) for s in ups[1:])])
    )
    return (f"‘{concept.head}’ is of the sort ‘{part}’ (WordNet: {way}).",)


def _part_and_whole_sorts(sense: Sense, whole: Sense, wordnet: WordNet) -> tuple[str, str]:
    of = sort_of_sense(whole.synset, whole.file, wordnet)
    # A traffic light is a sign to WordNet; what is looked at as a class is a thing.
    of = "thing" if of in ("sign", "abstract", "attribute", "component", "light") else of
    return sort_of_sense(sense.synset, sense.file, wordnet), of


@lru_cache(maxsize=8192)
def _holonym_paths(synset: int, wordnet: WordNet) -> tuple[tuple[int, ...], ...]:
    """Return the ways from a part to its wholes, and theirs, as far as the closure goes."""
    ways: list[tuple[int, ...]] = []
    layer = [(synset,)]
    for _ in range(_CLOSURE):
        layer = [
            (*way, up)
            for way in layer
            for up in wordnet.direct_holonyms(way[-1])
            # Perch is what a perch is made of, and meat no part of an animal that is seen.
            if up not in way
            and (wordnet.file_letter(synset), wordnet.file_letter(up)) != ("F", "N")
        ]
        ways += layer
    return tuple(ways)


@lru_cache(maxsize=8192)
def _synset_depth(synset: int, wordnet: WordNet) -> int:
    return max(wordnet.ancestors_with_steps(synset).values())


def _is_too_general(synset: int, wordnet: WordNet) -> bool:
    return _synset_depth(synset, wordnet) < _TOO_WIDE


def _common_ancestor_and_wu_palmer(first: int, second: int, wordnet: WordNet) -> tuple[int, float]:
    """Return what two things have in common and how near they are: Wu and Palmer, 1994."""
    shared = set(wordnet.ancestors_with_steps(first)) & set(wordnet.ancestors_with_steps(second))
    if not shared:
        return -1, 0.0
    near = max(shared, key=lambda s: _synset_depth(s, wordnet))
    total = _synset_depth(first, wordnet) + _synset_depth(second, wordnet)
    if _synset_depth(near, wordnet) < _NARROW:
        return -1, 0.0
    return near, 2 * _synset_depth(near, wordnet) / total
