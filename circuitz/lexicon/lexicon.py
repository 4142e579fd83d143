"""The lexicon: which concepts there are, of what kind, and how people write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType

from circuitz.errors import UnknownConceptError
from circuitz.lexicon import judge
from circuitz.lexicon import support as chains
from circuitz.lexicon.concept import (
    Category,
    Concept,
    Kind,
    KindOrigin,
    Support,
    require_kind,
)
from circuitz.lexicon.disputes import (
    check_no_synonym_cycles,
    check_not_both_part_and_context,
    join_agreeing_overrides,
)
from circuitz.lexicon.entry_fields import (
    concepts_as_layer,
    hash_of_entries,
    hint_at_nearest,
    layer_of_override,
    read_lexicon_file,
    shipped_layer,
    text_of_entries,
    write_lexicon_file,
)
from circuitz.lexicon.graded_words import split_graded_words
from circuitz.lexicon.judge import describes_entry
from circuitz.lexicon.judge_support import Entries, judge_support
from circuitz.lexicon.matching import Hit, Matcher, affirmed_concepts, all_names_of
from circuitz.lexicon.nouns import find_concrete_nouns, spell_single_noun
from circuitz.lexicon.overlay import (
    check_lexicon_consistency,
    forgotten_names,
    merge_layers,
    synonyms_people_list,
)
from circuitz.lexicon.parts_table import shipped_data_digest as shipped_digest
from circuitz.lexicon.read_yaml import Layer, parse_lexicon_layer
from circuitz.lexicon.word_forms import Token, phrase_key, tokens
from circuitz.lexicon.wordnet import WordNet

_MOST_CACHED = 20_000


@dataclass(frozen=True, eq=False)
class Lexicon:
    """What words mean, as a value: changes make a new one.

    It knows kinds only (ears are a part of a dog, snow is surroundings), never which values mean
    which class. A person's override is stronger than a project's file, which is stronger than
    the default lexicon.

    Parameters
    ----------
    concepts, categories
        By name.
    wordnet
        Ask the shipped WordNet extract, and the table of parts beside it, about what the entries
        do not say.
    forgotten
        Names that a file took away: they are unknown, whatever WordNet says.
    said_same
        Sets of names that people listed as synonyms, in the comparable form of
        :func:`~circuitz.lexicon.word_forms.phrase_key`; what is shipped is in none.
    """

    concepts: Mapping[str, Concept]
    categories: Mapping[str, Category] = field(default_factory=lambda: MappingProxyType({}))
    wordnet: bool = True
    forgotten: frozenset[str] = frozenset()
    said_same: frozenset[frozenset[tuple[str, ...]]] = frozenset()

    def __post_init__(self) -> None:
        check_not_both_part_and_context(self.concepts)
        check_lexicon_consistency(self.concepts, self.categories)

    @classmethod
    def load(cls, path: str | Path | None = None) -> Lexicon:
        """Load the default lexicon, with a project's file on top of it.

        Parameters
        ----------
        path
            YAML file; ``extends: none`` in it leaves the default out. ``None``: the default.

        Raises
        ------
        LexiconError
            If the file cannot be read or used; the message names the line.
        """
        if path is None:
            return _default_lexicon()
        text = read_lexicon_file(Path(path))
        return cls.from_text(text, f"project lexicon {Path(path).name}")

    @classmethod
    def from_text(cls, text: str, source: str = "project lexicon") -> Lexicon:
        """Load a lexicon from YAML text; see :meth:`load`."""
        layer = parse_lexicon_layer(text, source)
        layers = [layer] if layer.standalone else [shipped_layer(), layer]
        check_no_synonym_cycles([layer, *layer.overrides])
        layers += join_agreeing_overrides(layer.overrides)
        people = synonyms_people_list([layer, *layer.overrides])
        return cls(*merge_layers(layers), layer.wordnet, forgotten_names(layers), people)

    @cached_property
    def hash(self) -> str:
        """Hash of what it says, 64 hexadecimal digits; not of order, layout or sources."""
        shipped = shipped_digest() if self.wordnet else ""
        return hash_of_entries(self.concepts, self.categories, shipped, self.forgotten)

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.concepts)

    def parse(self, text: str) -> tuple[str, ...]:
        """Find the concepts a text affirms.

        The longest name wins, plurals, case and hyphens make no difference, what is denied does
        not count (*no snow*), and a concept is left out beside one of its own kinds (*ears*
        beside *pointed ears*). Things that have no entry are found where WordNet knows them
        (*rusty anchors* are anchors; see :mod:`circuitz.lexicon.nouns`).

        Parameters
        ----------
        text
            Free text, as an annotation.

        Returns
        -------
        tuple of str
            Names in the order of the text, each once: canonical ones, and WordNet's spellings.
        """
        found = self._parse_cache.get(text)
        if found is None:
            if len(self._parse_cache) >= _MOST_CACHED:
                self._parse_cache.clear()
            found = self._parse_cache[text] = self._parse_uncached(text)
        return found

    @cached_property
    def _parse_cache(self) -> dict[str, tuple[str, ...]]:
        # A lexicon is a value: what it read in a text once it reads always.
        return {}

    def _parse_uncached(self, text: str) -> tuple[str, ...]:
        words = tokens(split_graded_words(text)[0])
        return self.drop_ancestors(affirmed_concepts(words, self.find_mentions(words)))

    def find_mentions(self, words: list[Token]) -> list[Hit]:
        """Return where concepts and other things are named, denied ones too, in order."""
        hits = self._matcher.find_concept_mentions(words)
        taken = [any(start <= i < end for start, end, _ in hits) for i in range(len(words))]
        if self.wordnet and not all(taken):
            more = [
                (noun.start, noun.end, noun.name)
                for noun in find_concrete_nouns(words, taken, WordNet.load())
                if phrase_key(noun.name) not in self._forgotten_keys and not self.resolve(noun.name)
            ]
            hits = sorted([*hits, *more]) if more else hits
        return hits

    def entries(self, text: str) -> tuple[str, ...]:
        """Find the concepts a text affirms that have an entry; see :meth:`parse`."""
        return self.drop_ancestors(self._matcher.find_affirmed_concepts(text))

    def drop_ancestors(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return names without those that another of them is a kind of."""
        general = {above for name in names for above in self.ancestors(name)}
        return tuple(name for name in names if name not in general)

    def wordnet_noun(self, name: str) -> str:
        """Return WordNet's spelling of a thing without an entry: *anchor*; empty for any other."""
        return (
            spell_single_noun(tokens(name), WordNet.load()) if self._may_ask_wordnet(name) else ""
        )

    def resolve(self, name: str) -> str:
        """Return the canonical name of a concept or synonym; empty when there is none."""
        return name if name in self.concepts else self._matcher.resolve(name)

    def concept_of_last_words(self, name: str) -> str:
        """Return the entry that the last words of a name make, where they mean it; else empty."""
        found = self._matcher.concept_of_last_words(name)
        differs = found and judge.phrase_differs_from_entry(name, self.concepts[found])
        return "" if differs else found

    def concept(self, name: str) -> Concept:
        """Return a concept by its name or a synonym.

        Raises
        ------
        UnknownConceptError
            If there is none; the hint names the nearest.
        """
        found = self.resolve(name)
        if not found:
            raise UnknownConceptError(f"The lexicon has no entry ‘{name}’.", self.hint(name))
        return self.concepts[found]

    def hint(self, name: str) -> str:
        """Say what to do about a name that has no entry: the nearest ones, or add it."""
        return hint_at_nearest(name, self.concepts)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return self._find_entry(name) is not None or (
            self._may_ask_wordnet(name) and judge.wordnet_knows_phrase(name)
        )

    def kind(self, name: str) -> Kind | str:
        """Return the kind of a concept or synonym; ``unknown`` where nobody says one.

        A part with adjectives before it is an attribute: *barred wings*. Of a word without an entry
        WordNet says one where nearly all its senses are of that kind.
        """
        entry = self._find_entry(name)
        if entry is None and self._may_ask_wordnet(name):
            return judge.kind_of_all_senses(name)
        if entry is None:
            return "unknown"
        described = entry.kind == "part" and not self.resolve(name)
        return "attribute" if described and describes_entry(name, entry) else entry.kind

    def kind_origin(self, name: str) -> KindOrigin:
        """Return who says of what kind a concept is.

        Parameters
        ----------
        name
            A concept or synonym, or any word.

        Returns
        -------
        str
            ``person`` (an override), ``project`` (a file), ``shipped`` (the default lexicon),
            ``WordNet``, or ``unknown`` where nobody says a kind.
        """
        entry = self._find_entry(name)
        if entry is not None:
            return entry.origin
        return "unknown" if self.kind(name) == "unknown" else "WordNet"

    def names(self, kind: Kind | None = None) -> tuple[str, ...]:
        """Return the concepts' names, of one kind or of all, in the lexicon's order.

        Raises
        ------
        LexiconError
            If there is no such kind.
        """
        if kind is not None:
            require_kind(kind)
        return tuple(n for n, c in self.concepts.items() if kind is None or c.kind == kind)

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Return the concepts this one is a kind of, nearest first; none for an unknown one."""
        found = self.resolve(name)
        if not found:
            entry = self._find_entry(name)
            above = entry is not None and describes_entry(name, entry)
            return (entry.name, *self.ancestors(entry.name)) if entry is not None and above else ()
        return tuple(c.name for c in chains.lineage(self.concepts[found], self.concepts)[1:])

    def descendants(self, name: str) -> tuple[str, ...]:
        """Return the concepts that are kinds of this one."""
        found = self.resolve(name)
        return tuple(n for n in self.concepts if found and found in self.ancestors(n))

    def spellings(self, name: str) -> tuple[str, ...]:
        """Return all names of a concept, its own first: what a person may write for it."""
        return tuple(dict.fromkeys(all_names_of(self.concept(name), self.concepts)))

    def support(self, concept: str, subject: str) -> Support:
        """Judge whether a concept may rightly speak for a class of such things.

        Parameters
        ----------
        concept
            A concept or synonym.
        subject
            What the classes are kinds of: ``dog``. Empty or unknown: some thing.

        Returns
        -------
        Support
            Verdict, and the sentences it rests on with their sources. It *opposes* only by the word
            of people, of files, of what is shipped where its words can hardly mean anything else,
            or of WordNet where that holds in all plausible senses of both words.
        """
        knows = Entries(
            self.concepts,
            self.categories,
            self.resolve,
            self._matcher.named_by_last_words,
            self._may_ask_wordnet(concept),
        )
        return judge_support(concept, subject.strip(), self._find_entry(concept), knows)

    def _find_entry(self, name: str) -> Concept | None:
        """Find the concept that a name, or with WordNet's leave its last words, stand for."""
        found = self.resolve(name)
        if not found and self._may_ask_wordnet(name):
            found = self.concept_of_last_words(name)
        return self.concepts.get(found)

    def _may_ask_wordnet(self, name: str) -> bool:
        return self.wordnet and phrase_key(name) not in self._forgotten_keys

    @cached_property
    def _forgotten_keys(self) -> frozenset[tuple[str, ...]]:
        return frozenset(phrase_key(name) for name in self.forgotten)

    def with_override(
        self,
        name: str,
        *,
        kind: Kind | None = None,
        is_a: str | None = None,
        part_of: Iterable[str] | None = None,
        context_of: Iterable[str] | None = None,
        synonyms: Iterable[str] | None = None,
        adjectives: Iterable[str] | None = None,
        author: str = "",
        apart: bool = False,
    ) -> Lexicon:
        """Return a lexicon in which a person says otherwise, or adds a concept.

        Parameters
        ----------
        name
            A concept or synonym, or a new name.
        kind, is_a, part_of, context_of, synonyms, adjectives
            What is said; the rest stays, and synonyms are added. A new concept needs a kind.
        author
            Who says so; shown in evidence chains.
        apart
            A name that is a synonym of some concept becomes a concept of its own.

        Raises
        ------
        LexiconError
            If the result would not hold together, or the default knows no such thing.
        """
        layer = layer_of_override(
            name,
            "" if apart else self.resolve(name),
            author,
            kind=kind,
            is_a=is_a,
            part_of=part_of,
            context_of=context_of,
            synonyms=synonyms,
            adjectives=adjectives,
        )
        concepts, _ = merge_layers([concepts_as_layer(self.concepts), layer])
        kept = {
            n: replace(c, source=self._source_after_override(n, c, layer))
            for n, c in concepts.items()
        }
        gone = frozenset(n for n in self.forgotten if phrase_key(n) != phrase_key(name))
        same = synonyms_people_list([layer], self.said_same)
        return Lexicon(MappingProxyType(kept), self.categories, self.wordnet, gone, same)

    def _source_after_override(self, name: str, concept: Concept, layer: Layer) -> str:
        if name in layer.concepts or name not in self.concepts:
            return concept.source
        return self.concepts[name].source

    def to_text(self) -> str:
        """Return the whole lexicon as YAML that :meth:`from_text` reads back."""
        return text_of_entries(self.concepts, self.categories, self.wordnet, self.forgotten)

    def to_yaml(self, path: str | Path) -> None:
        """Write the whole lexicon to a file, to be edited and loaded.

        Raises
        ------
        LexiconError
            If the file cannot be written.
        """
        write_lexicon_file(Path(path), self.to_text())


@lru_cache(maxsize=1)
def _default_lexicon() -> Lexicon:
    concepts, categories = merge_layers([shipped_layer()])
    return Lexicon(MappingProxyType(concepts), MappingProxyType(categories))
