"""Which columns of a concept set some words mean. A column is its own concept, by its own name.

Words name a column, first one to fit:

1. that bears the very name (case, hyphens, underscores and plurals make no difference);
2. whose name is a synonym, to the lexicon, of what the words say;
3. that is a kind of what the words say (*ears*, where *pointed ears* and *floppy ears* are columns
   that the lexicon has as kinds of ears: any will do). A name without an entry is a kind of what its
   last words make (*wavy hair* is hair), and then there must be no other column to choose from.

What fits several columns equally is *ambiguous*, and none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from circuitz.lexicon.column_synonyms import SynonymPair
from circuitz.lexicon.graded_words import split_graded_words
from circuitz.lexicon.matching import Hit, affirmed_hits
from circuitz.lexicon.phrases import SAID_OF_ANYTHING
from circuitz.lexicon.word_forms import NEGATORS, Token, phrase_key, tokens
from circuitz.lexicon.wordnet import WordNet

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon

Key = tuple[str, ...]
_MOST_CACHED: Final = 20_000


@dataclass(frozen=True)
class AmbiguousWords:
    """Words that fit several columns equally, and the names of these."""

    words: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        *first, last = (f"‘{name}’" for name in self.columns)
        return f"‘{self.words}’ fits the columns {', '.join(first)} and {last} equally"


@dataclass(frozen=True)
class WordsInColumns:
    """What some words say, in terms of columns.

    Parameters
    ----------
    concepts
        What they name, in order: a column's own name, or a more general word; each with the
        columns that tell whether it is there, none where no column does.
    ambiguous
        What fits several columns equally.
    """

    concepts: tuple[tuple[str, tuple[int, ...]], ...]
    ambiguous: tuple[AmbiguousWords, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What they name."""
        return tuple(name for name, _ in self.concepts)


@dataclass(frozen=True)
class _Mention:
    """A thing that words name: as it is written, and whether it is said to be a kind of it."""

    name: str
    key: Key
    written: str
    narrowed: str = ""


@dataclass(frozen=True, eq=False)
class ColumnNames:
    """The columns of a concept set by name, and what the lexicon makes of them.

    Parameters
    ----------
    names
        As they stand in the concept set.
    lexicon
        Says which words are synonyms, and what is a kind of what.
    synonyms
        Pairs of columns with synonymous names, and what their labels show.
    """

    names: tuple[str, ...]
    lexicon: Lexicon
    synonyms: tuple[SynonymPair, ...] = ()
    _keys: tuple[Key, ...] = field(init=False)
    _entries: tuple[str, ...] = field(init=False)
    _cache: dict[tuple[str, tuple[str, ...]], WordsInColumns] = field(
        init=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "_keys", tuple(phrase_key(name) for name in self.names))
        put(self, "_entries", tuple(entry_of_name(name, self.lexicon) for name in self.names))
        put(self, "concept_of", self._join_columns())
        put(self, "above", tuple(self._general_names(i) for i in range(len(self.names))))

    concept_of: tuple[str, ...] = field(init=False)
    """Name of the concept of each column: its own, or, of those that are one, the first's."""
    above: tuple[frozenset[str], ...] = field(init=False)
    """What each column's concept is a kind of, by the lexicon's names."""

    def _join_columns(self) -> tuple[str, ...]:
        first = list(range(len(self.names)))
        for pair in self.synonyms:
            if pair.relation == "one":
                low, high = sorted(first[i] for i in pair.columns)
                first = [low if place == high else place for place in first]
        return tuple(self.names[i] for i in first)

    def _general_names(self, column: int) -> frozenset[str]:
        entry, name = self._entries[column], self.names[column]
        if entry:
            return frozenset(self.lexicon.ancestors(entry))
        head = head_of_name(name, self.lexicon)
        return frozenset((head, *self.lexicon.ancestors(head))) if head else frozenset()

    def are_kin(self, one: int, other: int) -> bool:
        """Whether two columns are one concept, may be one, or one is a kind of the other."""
        if self.concept_of[one] == self.concept_of[other]:
            return True
        wider = self._entries[one] in self.above[other] or self._entries[other] in self.above[one]
        pair = (min(one, other), max(one, other))
        return wider or any(p.columns == pair and p.relation == "unsettled" for p in self.synonyms)

    def read(self, text: str, concepts: Sequence[str] = ()) -> WordsInColumns:
        """Return what an annotation says of the columns.

        Parameters
        ----------
        text
            What was written.
        concepts
            What was read in it when it was written, or stated beside it; the text goes first where
            it bears the name of a column.
        """
        asked = (text, tuple(concepts))
        found = self._cache.get(asked)
        if found is None:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            found = self._cache[asked] = self._read_uncached(*asked)
        return found

    def wider_concepts(self, name: str) -> frozenset[str]:
        """Return what a concept is a kind of, by the lexicon's names."""
        return self._entry_and_wider(name)[1]

    def name_before(self, name: str) -> str:
        """Return what earlier versions called a column's concept, where they meant no other by it.

        They called it by the lexicon's name; what they kept under that is still about it.
        """
        if name not in self.names:
            return name
        before = [
            entry or head_of_name(own, self.lexicon)
            for own, entry in zip(self.names, self._entries, strict=True)
        ]
        mine = before[self.names.index(name)]
        return mine if mine and before.count(mine) == 1 and mine not in self.names else name

    def column_of(self, name: str) -> int | None:
        """Return the column that a name alone stands for; ``None`` for none, or more than one."""
        columns = self._resolve(self._mention_of_name(name))
        if isinstance(columns, AmbiguousWords) or not columns[1]:
            return None
        concepts = {self.concept_of[i] for i in columns[1]}
        return columns[1][0] if len(concepts) == 1 else None

    def _read_uncached(self, text: str, stated: tuple[str, ...]) -> WordsInColumns:
        mentions = list(self._mentions(tokens(split_graded_words(text)[0])))
        read = self._words_in_columns(mentions, text)
        if not stated or set(stated) in (set(read.names), set(self.lexicon.parse(text))):
            return read
        # Stated beside the text, or read in it with another lexicon or other columns.
        own = [m for m in mentions if m.key in self._keys]
        if all(name in self.names for name in stated):
            own = []
        covered = {word for m in own for word in m.key}
        rest = (n for n in stated if n in self.names or not set(phrase_key(n)) <= covered)
        return self._words_in_columns([*own, *map(self._mention_of_name, rest)], "\n".join(stated))

    def _words_in_columns(self, mentions: Sequence[_Mention], text: str) -> WordsInColumns:
        concepts: dict[str, tuple[int, ...]] = {}
        ambiguous: dict[AmbiguousWords, str] = {}
        for mention in mentions:
            found = self._resolve(mention, text)
            if isinstance(found, AmbiguousWords):
                ambiguous[found] = mention.name
            else:
                concepts.setdefault(*found)
        # A more general word beside a narrower one says nothing more: *ears* and *pointed ears*.
        entry = {name: self._entry_and_wider(name) for name in concepts}
        general = {wider for _, some in entry.values() for wider in some}
        return WordsInColumns(
            tuple(
                (name, columns)
                for name, columns in concepts.items()
                if not {name, entry[name][0]} & general
            ),
            tuple(some for some, name in ambiguous.items() if name not in general),
        )

    def _entry_and_wider(self, name: str) -> tuple[str, frozenset[str]]:
        """Return the lexicon's name for a concept, and what it is a kind of."""
        if name in self.names:
            column = self.names.index(name)
            return self._entries[column] or name, self.above[column]
        entry = entry_of_name(name, self.lexicon) or name
        return entry, frozenset(self.lexicon.ancestors(entry))

    def _mentions(self, words: list[Token]) -> Iterator[_Mention]:
        """Yield what a text affirms, in order: names of columns, and other words of the lexicon."""
        own = self._own_name_hits(words)
        read = self.lexicon.find_mentions(words)
        other = [
            hit
            for hit in read
            if not any(_overlap(hit, one) and _length(one) >= _length(hit) for one in own)
        ]
        # *Fluffy, grey coat* is read as two overlapping things, either of which may be a column.
        both = {hit[:2] for hit in read}
        own = [o for o in own if o[:2] in both or not any(_overlap(o, hit) for hit in other)]
        # A name that denies something (*no beard*) is not denied by its own word.
        plain = list(words)
        for start, end, _ in own:
            for i in range(start, end):
                plain[i] = replace(words[i], raw=".", word=".")
        for hit in affirmed_hits(plain, sorted([*own, *other])):
            start, end, name = hit
            key = tuple(word.word for word in words[start:end])
            written = " ".join(word.raw for word in words[start:end])
            narrowed = "" if hit in own else _narrowing_phrase(words, start, end)
            yield _Mention(name, key, written, narrowed)

    def _own_name_hits(self, words: list[Token]) -> list[Hit]:
        said = [word.word for word in words]
        hits: list[Hit] = []
        for name, key in dict(zip(self.names, self._keys, strict=True)).items():
            for i in range(len(said) - len(key) + 1 if key else 0):
                if tuple(said[i : i + len(key)]) == key:
                    hits.append((i, i + len(key), name))
        return [
            h
            for h in hits
            if not any(_length(o) > _length(h) and o[0] <= h[0] and h[1] <= o[1] for o in hits)
        ]

    def _mention_of_name(self, name: str) -> _Mention:
        entry = entry_of_name(name, self.lexicon)
        head = "" if entry else head_of_name(name, self.lexicon)
        return _Mention(entry or head or name, phrase_key(name), name, name if head else "")

    def _resolve(
        self, mention: _Mention, text: str = ""
    ) -> tuple[str, tuple[int, ...]] | AmbiguousWords:
        """Return a concept and its columns, or between which the choice is."""
        every = range(len(self.names))
        own = [i for i in every if mention.key == self._keys[i] and mention.key]
        own = own or [i for i in every if mention.name == self._entries[i] and mention.name]
        if own:
            return self._one_concept(own, mention, text)
        declared = [
            i
            for i in every
            if mention.name in self.above[i] and self.lexicon.resolve(self.names[i])
        ]
        kinds = [i for i in every if mention.name in self.above[i]]
        ends = len(mention.key)
        kinds = kinds or [
            i
            for i in every
            if ends and self._keys[i][-ends:] == mention.key and not _denies(self.names[i])
        ]
        if kinds and kinds == declared:
            return mention.name, tuple(kinds)
        if mention.narrowed or not kinds:
            return (mention.narrowed if kinds else "") or mention.name, ()
        nearest = [i for i in kinds if _contains(self._keys[i], mention.key)] or kinds
        return self._one_concept(nearest, mention, text)

    def _one_concept(
        self, columns: list[int], mention: _Mention, text: str
    ) -> tuple[str, tuple[int, ...]] | AmbiguousWords:
        concepts = {self.concept_of[i] for i in columns}
        spelled = [i for i in columns if self.names[i] in text]
        if len(concepts) > 1 and len({self.concept_of[i] for i in spelled}) == 1:
            concepts = {self.concept_of[spelled[0]]}
        if len(concepts) > 1:
            return AmbiguousWords(mention.written, tuple(self.names[i] for i in columns))
        (concept,) = concepts
        return concept, tuple(i for i, of in enumerate(self.concept_of) if of == concept)


def entry_of_name(name: str, lexicon: Lexicon) -> str:
    """Return the lexicon's name for a column or word: an entry's, or WordNet's; empty for none."""
    return lexicon.resolve(name) or lexicon.wordnet_noun(name)


def head_of_name(name: str, lexicon: Lexicon) -> str:
    """Return what a name without an entry is a kind of; empty for nothing.

    Never what it is: *wavy hair* and *blond hair* are hair, and *no beard* is no beard.
    """
    if _denies(name):
        return ""
    one = lexicon.entries(name)
    return lexicon.concept_of_last_words(name) or (one[0] if len(one) == 1 else "")


_COLUMNS: WeakKeyDictionary[Lexicon, dict[tuple[str, ...], ColumnNames]] = WeakKeyDictionary()


def column_names(names: Sequence[str], lexicon: Lexicon) -> ColumnNames:
    """Return the columns by name alone, where no labels are at hand; the same object each time."""
    known = _COLUMNS.setdefault(lexicon, {})
    key = tuple(names)
    if key not in known:
        known[key] = ColumnNames(key, lexicon)
    return known[key]


def _narrowing_phrase(words: list[Token], start: int, end: int) -> str:
    """Return the words of a mention with what is said of the thing beside it; empty for nothing.

    *Wavy hair* says more than *hair*, and *letter y* more than *letter*.
    """
    first, last, wordnet = start, end, WordNet.load()
    while (
        first
        and words[first - 1].clause == words[start].clause
        and words[first - 1].raw not in SAID_OF_ANYTHING
        and wordnet.is_adjective(words[first - 1].raw)
    ):
        first -= 1
    if last < len(words) and words[last].clause == words[start].clause:
        raw = words[last].raw
        last += (len(raw) == 1 and raw not in ("a", "i")) or raw.isdigit()
    return " ".join(w.raw for w in words[first:last]) if (first, last) != (start, end) else ""


def _denies(name: str) -> bool:
    return any(token.raw in NEGATORS for token in tokens(name))


def _overlap(one: Hit, other: Hit) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _length(hit: Hit) -> int:
    return hit[1] - hit[0]


def _contains(words: Key, some: Key) -> bool:
    return any(words[i : i + len(some)] == some for i in range(len(words) - len(some) + 1))
