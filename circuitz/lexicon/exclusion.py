"""Whether what two words plausibly mean rules out that the one is part of the other.

An accusation must not rest on a guess, and to take a word in its commonest sense is one: *loop* is a
fastener to WordNet first, a *galaxy* is a herb too. So all plausible senses of the concept are held
against all of the class. That a class has a concept is ruled out when

- the class is a whole thing: an animal, a person, a plant, food, or something made. A digit, a
  lesion, a review and a leaf are none, so nothing is ruled out for them;
- the sorts never go together, in any pair of senses: an animal is no part of a vehicle;
- the word is nowhere known as a part of things of that order: made things have *hoods* and *feet*,
  so neither speaks against a pan.

What cannot be seen (a *stroke*), what describes (*male*), signs, shapes and substances may belong to
anything. Senses are plausible but for the rarest, which together make up less than three tenths.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from circuitz.lexicon import parts_table
from circuitz.lexicon.phrases import Phrase, parse_phrase
from circuitz.lexicon.sorts import EATEN, IMPLAUSIBLE, LIVING, ORDER_OF_SORT, sort_of_sense
from circuitz.lexicon.wordnet import Sense, WordNet

#: Share of its senses that make a class a whole thing; of one that counts among them.
_WHOLLY, _SLIGHT = 0.6, 0.05
#: Of every *toaster* and *sweater* WordNet also has who does it.
_DOERS = ("er", "or")
#: Order and sort of what stands in a category of the lexicon.
_WHOLE_OF_CATEGORY = {
    "animal": ("animal", "animal"),
    "person": ("person", "person"),
    "vehicle": ("made", "vehicle"),
    "building": ("made", "building"),
    "furniture": ("made", "furniture"),
    "household": ("made", ""),
    "machine": ("made", ""),
    "plant": ("grown", "plant"),
    "food": ("eaten", "food"),
}
#: Sorts of what is around things, and makes up places.
_AROUND = frozenset({"place", "sky", "light", "liquid", "ground", "nature"})
_STUFF = frozenset({"material", "substance", "fabric"})
_NEVER_PARTS = (
    LIVING | _AROUND | {"building", "vehicle", "furniture", "structure", "people", "fuel", "sound"}
)
#: Sorts that are mostly whole things: what is part of buildings alone is none of chairs.
_STANDING = frozenset({"place", "building", "vehicle", "furniture"})
_WORN_OR_HELD = frozenset({"thing", "garment", "cloth"})
#: Made things that are used by themselves: none is a fixture of another made thing.
_USED_ALONE = (
    "container", "game equipment", "sports equipment", "plaything", "musical instrument", "tableware",
    "computer", "weapon", "footwear", "publication", "covering", "bundle", "building material",
    "way", "hanger", "candlestick", "implement", "representation", "rescue equipment", "peg",
)  # fmt: skip
_SIGNS = frozenset({"sign", "thing", "garment", "cloth"})
#: Share of a sense that names an organ: of a living thing that is plausible though it is rarer.
_ORGAN = 0.1
_HAVE = {"body part": LIVING, "plant part": frozenset({"grown"})}
_FAMILY_STEPS = 3  # under *artifact*: a family of made things
_TIME = "w"  # letter of WordNet's file: *night*
_FOUND_AROUND = frozenset({"plant", "fungus", "substance", "thing", "cloth", "material"})


class Whole(NamedTuple):
    """What a class is in one sense: the order of things, and the sort or family within it."""

    order: str
    sort: str


def plausible_wholes(subject: str, categories: Iterable[str], wordnet: WordNet) -> frozenset[Whole]:
    """Return what a class is in all its plausible senses; none where that is not a whole thing.

    Parameters
    ----------
    subject
        The class.
    categories
        Names of the categories that somebody put it in; they win over WordNet.
    """
    senses = parse_phrase(subject, wordnet).senses
    seen = [(s.weight, _whole_of_sense(s, wordnet)) for s in senses]
    told = next((_WHOLE_OF_CATEGORY[c] for c in categories if c in _WHOLE_OF_CATEGORY), None)
    if told is not None:
        order, sort = told
        alike = {w for _, w in seen if w is not None and w.order == order and sort in ("", w.sort)}
        return frozenset(alike or {Whole(*told)})
    # *Oak* is its wood too, and what is looked at is the tree.
    stuff = sum(s.weight for s in senses if sort_of_sense(s.synset, s.file, wordnet) in _STUFF)
    wholes = [(weight / (1 - stuff), whole) for weight, whole in seen if whole is not None]
    if sum(weight for weight, _ in wholes) < _WHOLLY:
        return frozenset()
    found = frozenset(whole for weight, whole in wholes if weight >= _SLIGHT)
    made = sum(weight for weight, whole in wholes if whole.order == "made")
    if made >= IMPLAUSIBLE and subject.endswith(_DOERS):
        return frozenset(whole for whole in found if whole.order != "person")
    return found


def share_of_places(thing: str, wordnet: WordNet) -> float:
    """Return the share of the senses of a class that are places or make them up."""
    senses = parse_phrase(thing, wordnet).senses
    return sum(s.weight for s in senses if sort_of_sense(s.synset, s.file, wordnet) in _AROUND)


def orders_of_categories(categories: Iterable[str]) -> frozenset[str]:
    """Return the orders of things that categories of the lexicon are of."""
    known = (_WHOLE_OF_CATEGORY[c] for c in categories if c in _WHOLE_OF_CATEGORY)
    return frozenset(order for order, _ in known)


def _whole_of_sense(sense: Sense, wordnet: WordNet) -> Whole | None:
    sort = sort_of_sense(sense.synset, sense.file, wordnet)
    order = ORDER_OF_SORT.get(sort)
    if order is None or _shows_something_else(sense.synset, wordnet):
        return None
    return Whole(order, _family(sense.synset, wordnet) if sort == "thing" else sort)


def _family(synset: int, wordnet: WordNet) -> str:
    """Return the family of a made thing: what stands some steps under *artifact* above it."""
    top = wordnet.first_synset("artifact", "T")
    if synset < 0 or top not in wordnet.ancestors_with_steps(synset):
        return "thing"
    way = wordnet.hypernym_path(synset, top)
    return wordnet.first_name_of_synset(way[max(len(way) - 1 - _FAMILY_STEPS, 0)])


def _shows_something_else(synset: int, wordnet: WordNet) -> bool:
    """Whether it is a picture: what belongs to what it shows may be anything."""
    pictures = {wordnet.first_synset(word, "A") for word in ("representation", "picture")}
    return synset >= 0 and bool(pictures & set(wordnet.ancestors_with_steps(synset)))


def is_ruled_out(
    phrase: Phrase, wholes: frozenset[Whole], wordnet: WordNet, *, anothers: bool = False
) -> bool:
    """Whether no plausible sense of a phrase can be part of any of the wholes.

    Parameters
    ----------
    anothers
        It is said to be that of another thing, so that the rarer uses of the word do not count.
    """
    if not phrase.senses or not wholes or _describes(phrase, wholes, wordnet):
        return False
    may = 0.0
    for sense in phrase.senses:
        sort = sort_of_sense(sense.synset, sense.file, wordnet)
        if sense.weight >= _ORGAN and any(w.order in _HAVE.get(sort, ()) for w in wholes):
            return False
        known = set() if anothers else _orders_with(phrase.head, sense, wordnet)
        if sort in _STANDING:
            known &= {w.order for w in wholes_of_part(phrase.head, wordnet) & wholes}
            if sort in ("vehicle", "building"):  # a trailer is part of a truck
                known |= {w.order for w in wholes if w.sort == sort}
        if _is_fixture(sense, sort, wordnet):
            known = known | {"made"}
        if any(w.order in known or _may_be_part(sort, w.order) for w in wholes):
            may += sense.weight
    return may < IMPLAUSIBLE


def _describes(phrase: Phrase, wholes: frozenset[Whole], wordnet: WordNet) -> bool:
    """Whether a phrase ends in an adjective: *male*, *slightly open*, *mouth open*."""
    if not wordnet.is_adjective(phrase.head) or not phrase.text.lower().endswith(phrase.head):
        return False  # *pedals* are things, though *pedal* describes too
    before = phrase.before[0] if phrase.before else ""
    return not before or before.endswith("ly") or bool(wholes_of_part(before, wordnet) & wholes)


def is_ruled_out_beside_entry(phrase: Phrase, wholes: frozenset[Whole], wordnet: WordNet) -> bool:
    """Whether an entry that says whose part a word is leaves no other sense that may belong.

    The entry says which animals or plants have it, so of these senses it is the better judge.
    """
    if not phrase.senses or not wholes:
        return False
    found = wholes_of_part(phrase.head, wordnet) & wholes
    alike = {whole.order for whole in found} - LIVING
    may = 0.0
    for sense in phrase.senses:
        if sense.synset < 0:
            continue  # a foot is no measure here: the entry is of what can be seen
        sort = sort_of_sense(sense.synset, sense.file, wordnet)
        told = sort in ("body part", "plant part")
        known = alike if told else _orders_with(phrase.head, sense, wordnet)
        if any(w.order in known or _may_be_part(sort, w.order, told) for w in wholes):
            may += sense.weight
    return may < IMPLAUSIBLE


def is_known_as_part(phrase: Phrase, wholes: frozenset[Whole], wordnet: WordNet) -> bool:
    """Whether a word is known as a part of things like the wholes; for signs, of that order.

    What is written stands on any made thing.
    """
    found = wholes_of_part(phrase.head, wordnet)
    signs = sum(s.weight for s in phrase.senses if s.file == "C") >= IMPLAUSIBLE
    if signs:
        return bool({whole.order for whole in found} & {whole.order for whole in wholes})
    return bool(found & wholes)


def _may_be_part(part: str, order: str, by_entry: bool = False) -> bool:
    """Whether something of a sort may be part of things of an order; ``by_entry``: not if living."""
    if part in _NEVER_PARTS:
        return False
    if part in ("plant", "fungus", "plant part", "produce"):
        return not by_entry and order in ("grown", "eaten")
    if part in EATEN:
        return order in ("eaten", "person")  # a *bun* is a way to wear hair
    if part == "body part":
        return not by_entry or order == "grown"
    if part in ("component", "fabric"):
        return order in ("made", "person")
    if part == "garment":  # a horse has *socks*, a mushroom a *veil*: markings are called so
        return order in ("person", "animal", "grown")
    if part in _WORN_OR_HELD:
        return order == "person"
    return part != "sign" or order not in ("grown", "eaten")


def _is_fixture(sense: Sense, sort: str, wordnet: WordNet) -> bool:
    """Whether a made thing may be a fixture of another: not so what is used by itself, as a cup."""
    if sort not in ("thing", "structure") or sense.synset < 0:
        return False
    above = set(wordnet.ancestors_with_steps(sense.synset))
    if sort == "structure":
        return wordnet.first_synset("supporting structure", "A") in above
    return not above & {wordnet.first_synset(word, "A") for word in _USED_ALONE}


def _orders_with(word: str, sense: Sense, wordnet: WordNet) -> set[str]:
    """Return the orders of things that have such a part: by the table, or in this sense."""
    found = {whole.order for whole in _wholes_in_table(word, wordnet)}
    return found | {whole.order for whole in _holonyms(sense, wordnet)}


@lru_cache(maxsize=4096)
def wholes_of_part(word: str, wordnet: WordNet) -> frozenset[Whole]:
    """Return what a word is known as a part of, in any sense: by the table, and by WordNet."""
    by_sense = (_holonyms(sense, wordnet) for sense in wordnet.senses(word))
    return frozenset[Whole]().union(_wholes_in_table(word, wordnet), *by_sense)


@lru_cache(maxsize=4096)
def _wholes_in_table(word: str, wordnet: WordNet) -> frozenset[Whole]:
    key = (parts_table.singularise_phrase(word), "")
    named = parts_table.shipped_parts_table().get(key, frozenset())
    senses = (Sense(wordnet.first_synset(name, file), file, 1.0) for name, file in named)
    return frozenset(w for sense in senses if (w := _whole_of_sense(sense, wordnet)))


def _holonyms(sense: Sense, wordnet: WordNet) -> frozenset[Whole]:
    synsets = wordnet.direct_part_holonyms(sense.synset) if sense.synset >= 0 else ()
    senses = (Sense(synset, wordnet.file_letter(synset), 1.0) for synset in synsets)
    return frozenset(w for above in senses if (w := _whole_of_sense(above, wordnet)))


def has_no_other_sense(name: str, kind: str, wordnet: WordNet) -> bool:
    """Whether the name of surroundings or of an artefact can hardly mean anything else.

    Parameters
    ----------
    name
        As it is spelled in an entry.
    kind
        ``surroundings`` or ``artefact``.
    """
    phrase = parse_phrase(name, wordnet)
    if phrase.before or phrase.whose or not phrase.senses:
        return True  # words put together, or new ones
    if kind == "artefact" and wholes_of_part(phrase.head, wordnet):
        return False
    own = _NEVER_PARTS | (_SIGNS if kind == "artefact" else _FOUND_AROUND)
    other = sum(
        s.weight
        for s in phrase.senses
        if sort_of_sense(s.synset, s.file, wordnet) not in own and s.file != _TIME
    )
    return other < IMPLAUSIBLE
