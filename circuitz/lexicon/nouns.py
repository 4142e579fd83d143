"""Things a text names that have no entry in the lexicon, but that WordNet knows.

Of every run of words between function words the last concrete noun counts (*chequered anchors* are
anchors), unless an entry was found in the run. Of *X of Y* only X does, for Y says whose it is.
Animals and persons are left out: those are what classes are, and no class is a concept. What is
found stands in the text: nothing is inferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from circuitz.lexicon.phrases import GENERIC, SHAPES, candidate_spellings
from circuitz.lexicon.word_forms import COPULAS, NEGATORS, Token
from circuitz.lexicon.wordnet import WordNet

#: Letters of the lexicographer's files of things one can see in a picture.
_CONCRETE = frozenset("AbFoPuy")
_MOSTLY = 0.5
_LONGEST = 3
_OF = frozenset({"of", "from"})
_ENGLISH = frozenset(
    {
        "a", "an", "the", "of", "on", "in", "at", "with", "without", "and", "or", "for", "to",
        "by", "from", "behind", "under", "over", "near", "around", "between", "its", "his", "her",
        "their", "it", "this", "that", "these", "those", "when", "where", "while", "if", "as",
        "than", "then", "there", "here", "some", "any", "all", "each", "every", "many", "most",
        "mostly", "often", "always", "sometimes", "only", "also", "more", "less", "like", "but",
        "has", "have", "having", "be", "been", "do", "does", "can", "may", "see", "sees", "seen",
        "shows", "show", "into", "onto", "against", "across", "along", "up", "down", "off", "out",
        "other", "another", "such", "both", "either", "perhaps", "maybe", "what", "who", "whose",
        "not", "no",
    }
) | COPULAS | NEGATORS  # fmt: skip
#: Little words of other languages that no English text has.
_FOREIGN = frozenset(
    {
        "der", "das", "dem", "des", "den", "und", "mit", "auf", "ist", "ein", "eine", "einer",
        "im", "zu", "von", "unter", "le", "la", "les", "du", "une", "et", "avec", "sur", "dans",
        "el", "los", "las", "del", "con", "una", "unas", "por", "para", "il", "gli", "di", "della",
        "het", "een", "van", "op", "och", "med", "på", "em", "uma", "com",
    }
)  # fmt: skip
#: Nouns of people who describe units and pictures, and of what is in any picture.
_META = frozenset(
    {
        "detector", "unit", "neuron", "channel", "filter", "feature", "response", "activation",
        "picture", "image", "photo", "photograph", "camera", "frame", "pixel", "input", "class",
        "label", "concept", "thing", "object", "item", "stuff", "side", "left", "right", "top", "bottom",
        "corner", "middle", "centre", "center", "front", "back", "part", "animal", "test", "model",
        "network", "layer", "map", "sign", "word", "lot", "bit", "end", "kind", "sort",
    }
) | GENERIC | SHAPES  # fmt: skip
_INFLECTED = ("ly", "ing", "ed", "er", "est", "ish", "able", "like")


@dataclass(frozen=True)
class Noun:
    """A noun of a text: the words it covers, and WordNet's spelling of it."""

    start: int
    end: int
    name: str


def find_concrete_nouns(
    text: Sequence[Token], covered: Sequence[bool], wordnet: WordNet
) -> list[Noun]:
    """Find the concrete nouns of a text, in order.

    Parameters
    ----------
    text
        Its words.
    covered
        Which of them belong to entries that were found.
    """
    found: list[Noun] = []
    owned = False
    for run in _content_word_runs(text):
        before = text[run.start - 1] if run.start else None
        whose = owned and before is not None and before.raw in _OF | {"the", "a", "an", "its"}
        here = any(covered[i] for i in run)
        noun = (
            None
            if here or (whose and _follows_of(text, run.start))
            else _last_concrete_noun(text, run, wordnet)
        )
        if noun is not None:
            found.append(noun)
        owned = here or noun is not None
    return found if found and _looks_english(text, covered, wordnet) else []


def spell_single_noun(text: Sequence[Token], wordnet: WordNet) -> str:
    """Return WordNet's spelling of a text that is one noun; empty when it is none."""
    if not 0 < len(text) <= _LONGEST:
        return ""
    return _spell_concrete_noun([token.raw for token in text], wordnet)


def _content_word_runs(text: Sequence[Token]) -> Iterator[range]:
    """Yield runs of words of one clause without a function word."""
    start = 0
    for i in range(len(text) + 1):
        ends = i == len(text) or text[i].raw in _ENGLISH or text[i].clause != text[start].clause
        if ends and i > start:
            yield range(start, i)
        if ends:
            start = i if i < len(text) and text[i].raw not in _ENGLISH else i + 1


def _follows_of(text: Sequence[Token], start: int) -> bool:
    """Whether only an article stands between a run and an *of* before it."""
    i = start - 1
    while i >= 0 and text[i].raw in ("the", "a", "an", "its"):
        i -= 1
    return i >= 0 and text[i].raw in _OF and text[i].clause == text[start].clause


def _last_concrete_noun(text: Sequence[Token], run: range, wordnet: WordNet) -> Noun | None:
    """Find the last concrete noun of a run, as long as possible."""
    for end in range(run.stop, run.start, -1):
        for start in range(max(run.start, end - _LONGEST), end):
            words = [token.raw.removesuffix("'s") for token in text[start:end]]
            # *An umbrella* is a thing, *umbrella* by itself may describe one.
            article = start > 0 and text[start - 1].raw in ("a", "an", "the")
            name = _spell_concrete_noun(words, wordnet, thing=article)
            if name:
                return Noun(start, end, name)
    return None


def _spell_concrete_noun(words: list[str], wordnet: WordNet, *, thing: bool = False) -> str:
    """Return WordNet's spelling of words that are a concrete noun; empty when they are none."""
    if not all(words) or any(len(word) < 2 or word.isdigit() for word in words):
        return ""
    for spelling in candidate_spellings(words, wordnet):
        senses = wordnet.senses(spelling)
        if not senses:
            continue
        if spelling in _META or sum(s.weight for s in senses if s.file in _CONCRETE) < _MOSTLY:
            return ""
        adjective = not thing and len(words) == 1 and wordnet.is_adjective(words[0])
        return "" if adjective else spelling
    return ""


def _looks_english(text: Sequence[Token], covered: Sequence[bool], wordnet: WordNet) -> bool:
    """Whether a text can be English: words of other languages look like nouns of ours.

    Not where it has little words of another language and none of English, nor where most of its
    words are unknown.
    """
    raw = [token.raw for token in text]
    if any(w in _FOREIGN for w in raw) and not any(w in _ENGLISH for w in raw):
        return False
    content = [i for i, word in enumerate(raw) if word not in _ENGLISH and not covered[i]]
    strange = sum(not _is_english_word(raw[i], wordnet) for i in content)
    return 2 * strange <= len(content)


def _is_english_word(word: str, wordnet: WordNet) -> bool:
    return (
        word.endswith(_INFLECTED)
        or wordnet.is_adjective(word)
        or any(wordnet.senses(spelling) for spelling in candidate_spellings([word], wordnet))
    )
