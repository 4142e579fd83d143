from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.phrases import candidate_spellings
from circuitz.lexicon.word_forms import tokens
from circuitz.lexicon.wordnet import WordNet

LEXICON = Lexicon.load()
ALONE = Lexicon.from_text("wordnet: false\n")
NAMES = st.sampled_from(LEXICON.names())
FILLER = st.sampled_from(["the", "of", "a", "mostly", "detector", "responds", "to", "on"])


SOME = (
    "anchor anchors rusty lantern sled umbrella carpet husky snow ears pointed no not "
    "without of the a and detector picture left die der Hand la chat zorgle coffee "
    "cup cups chequered green dog wheel mice table's free -- , ; fish tank den teapot "
    "quickly runs "
)
WORDS = st.lists(
    st.sampled_from(SOME.split()),
    max_size=12,
).map(" ".join)
FREE = st.one_of(st.text(max_size=200), WORDS)


def stands_in(name: str, text: str) -> bool:
    """Whether some words of the text, one after the other, are a noun spelled like this."""
    words = [t.raw.removesuffix("'s") for t in tokens(text)]
    wordnet = WordNet.load()
    return any(
        name in candidate_spellings(words[i:j], wordnet)
        for i in range(len(words))
        for j in range(i + 1, min(i + 3, len(words)) + 1)
    )


@settings(max_examples=300, deadline=None)
@given(FREE)
def test_any_text_parses_to_entries_and_to_nouns_that_stand_in_it(text: str):
    found = LEXICON.parse(text)
    assert len(set(found)) == len(found)
    assert set(LEXICON.entries(text)) <= set(found)
    for name in found:
        assert name in LEXICON.concepts or stands_in(name, text), (name, text)
        assert name in LEXICON.concepts or not LEXICON.resolve(name)


@settings(max_examples=150, deadline=None)
@given(FREE)
def test_without_wordnet_only_entries_are_found(text: str):
    assert ALONE.parse(text) == ALONE.entries(text) == LEXICON.entries(text)


@settings(max_examples=100, deadline=None)
@given(WORDS)
def test_what_is_denied_is_not_found(text: str):
    for clause in text.replace(";", ",").split(","):
        alone = " ".join(w for w in clause.split() if w not in ("and", "not", "no", "without"))
        assert LEXICON.parse(f"without {alone}") == ()


@settings(max_examples=100, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), FILLER, st.booleans())
def test_concepts_are_found_in_a_list_of_them(names: list[str], filler: str, upper: bool):
    text = "; ".join(f"{filler} {name}" for name in names)
    found = LEXICON.parse(text.upper() if upper else text)
    general = {above for name in names for above in LEXICON.ancestors(name)}
    assert [n for n in names if n not in general and n not in found] == []


@settings(max_examples=100, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_denied_concepts_are_not_found(names: list[str]):
    assert LEXICON.parse("; ".join(f"no {name}" for name in names)) == ()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_support_always_has_a_verdict_and_a_reason(concept: str, subject: str):
    support = LEXICON.support(concept, subject)
    assert support.verdict in ("supports", "opposes", "neutral", "unknown")
    assert support.chain
    assert support.verdict == "unknown" or concept in LEXICON


@settings(max_examples=60, deadline=None)
@given(NAMES, st.sampled_from(["part", "attribute", "surroundings", "artefact", "low-level"]))
def test_an_override_says_what_it_says_and_leaves_the_rest(name: str, kind: str):
    changed = LEXICON.with_override(name, kind=kind, author="Ana")  # pyright: ignore[reportArgumentType]
    assert changed.kind(name) == kind
    assert all(changed.concepts[n] == LEXICON.concepts[n] for n in LEXICON.names() if n != name)
    assert (changed.hash == LEXICON.hash) == (LEXICON.kind(name) == kind)
