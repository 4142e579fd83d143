from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.lexicon.lexicon import Lexicon

LEXICON = Lexicon.load()
NAMES = st.sampled_from(LEXICON.names())
FILLER = st.sampled_from(["the", "of", "a", "mostly", "detector", "responds", "to", "on"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_parses_to_known_concepts_once_each(text: str):
    found = LEXICON.parse(text)
    assert len(set(found)) == len(found)
    assert all(name in LEXICON.concepts for name in found)


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
    assert (support.verdict == "unknown") == (concept not in LEXICON)


@settings(max_examples=60, deadline=None)
@given(NAMES, st.sampled_from(["part", "attribute", "surroundings", "artefact", "low-level"]))
def test_an_override_says_what_it_says_and_leaves_the_rest(name: str, kind: str):
    changed = LEXICON.with_override(name, kind=kind, author="Ana")  # pyright: ignore[reportArgumentType]
    assert changed.kind(name) == kind
    assert all(changed.concepts[n] == LEXICON.concepts[n] for n in LEXICON.names() if n != name)
    assert (changed.hash == LEXICON.hash) == (LEXICON.kind(name) == kind)
