"""A concept and a class as they were put, taken apart: what either may plausibly mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from circuitz.lexicon import exclusion
from circuitz.lexicon.exclusion import Whole
from circuitz.lexicon.judge import telling_words
from circuitz.lexicon.phrases import Phrase, class_noun, parse_phrase
from circuitz.lexicon.sorts import IMPLAUSIBLE, order_of_sense
from circuitz.lexicon.word_forms import phrase_key
from circuitz.lexicon.wordnet import WordNet

#: Share of senses that make it plausible that a class is a whole thing.
_SOME = 0.25


@dataclass(frozen=True)
class ConceptAndClass:
    """A concept and a class.

    Parameters
    ----------
    subject
        The class.
    phrase
        The words of the concept that tell what it is.
    entry_phrase
        Those of them that name an entry; all where there is none.
    loose
        Only the last words name the entry.
    categories
        Categories that somebody put the class in.
    wholes
        What the class plausibly is; none where that is not known to be a whole thing.
    may_be_place
        The class may be a place, which its surroundings make up.
    may_be_thing
        The class is a whole thing in some plausible sense, and may stand in a scene.
    entry_orders
        Orders of things that the entry says have it; none where it does not say.
    modifiers_around
        Words before the head that are surroundings themselves: *ocean* of *ocean wave*.
    """

    subject: str
    phrase: Phrase
    entry_phrase: Phrase
    loose: bool
    categories: tuple[str, ...]
    wholes: frozenset[Whole]
    may_be_place: bool
    may_be_thing: bool
    entry_orders: frozenset[str] = frozenset()
    modifiers_around: tuple[str, ...] = ()

    @property
    def thing(self) -> str:
        """The class with an article, for sentences."""
        return f"a ‘{self.subject}’" if self.subject else "anything"

    @property
    def is_of_other_order(self) -> bool:
        """Whether the entry says it of another order of things than the class is of."""
        mine = {whole.order for whole in self.wholes}
        return bool(mine and self.entry_orders) and not mine & self.entry_orders

    @property
    def only_described(self) -> bool:
        """Whether the words before the head make no other thing of it: *brick* does of a wall."""
        adjective = WordNet.load().is_adjective
        return all(adjective(w) or w in self.modifiers_around for w in self.phrase.before)

    def is_ruled_out(self, owner: str = "") -> bool:
        """Whether the class has no such thing in any plausible sense, or not its ``owner``."""
        wordnet = WordNet.load()
        other = parse_phrase(owner, wordnet)
        apart = bool(owner) and exclusion.is_ruled_out(other, self.wholes, wordnet)
        return exclusion.is_ruled_out(self.phrase, self.wholes, wordnet, anothers=apart)


@lru_cache(maxsize=8192)
def take_apart(
    concept: str,
    named: str,
    subject: str,
    categories: tuple[str, ...],
    entry_orders: frozenset[str] = frozenset(),
) -> ConceptAndClass:
    """Take a concept and a class apart.

    Parameters
    ----------
    concept, subject
        As they were put.
    named
        The last words of the concept that name an entry, or all of them.
    categories
        Categories that somebody put the class in.
    entry_orders
        Orders of things that the entry says have it.
    """
    wordnet = WordNet.load()
    phrase = parse_phrase(telling_words(parse_phrase(concept, wordnet)), wordnet)
    thing = class_noun(subject)
    senses = parse_phrase(thing, wordnet).senses
    whole = sum(s.weight for s in senses if order_of_sense(s, wordnet))
    return ConceptAndClass(
        subject,
        phrase,
        parse_phrase(named, wordnet) if named != concept else phrase,
        phrase_key(named) != phrase_key(concept),
        categories,
        exclusion.plausible_wholes(thing, categories, wordnet) if thing else frozenset(),
        not categories and exclusion.share_of_places(thing, wordnet) >= IMPLAUSIBLE,
        bool(categories) or whole >= _SOME,
        entry_orders,
    )
