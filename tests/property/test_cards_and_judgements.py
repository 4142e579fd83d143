"""Whatever is written into a card or a judgement comes back, and no words break a page."""

from __future__ import annotations

import json
import tempfile
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.cards.card import Card, ClassEntry, Cue, UnitExemplars
from circuitz.cards.make_card import card_with_permuted_words
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements

# Lone surrogates are no text: they cannot be written to any file.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
cues = st.builds(
    Cue,
    words=words,
    concepts=st.lists(words, max_size=2).map(tuple),
    units=st.lists(words, max_size=2).map(tuple),
    strength=st.floats(-2, 2),
    exemplars=st.lists(
        st.builds(UnitExemplars, words, words, st.lists(st.integers(0, 99), max_size=3).map(tuple)),
        max_size=2,
    ).map(tuple),
)
entries = st.builds(
    ClassEntry,
    name=words,
    cues=st.lists(cues, max_size=4).map(tuple),
    unexplained=st.none() | st.tuples(*[st.floats(-1, 2)] * 3),
)
cards = st.builds(Card, st.lists(entries, max_size=4).map(tuple), words, words, words)


@settings(max_examples=50, deadline=None)
@given(cards)
def test_cards_come_back(card: Card) -> None:
    back = Card.from_json(json.loads(json.dumps(card.to_json())))
    assert back == card
    assert back.hash == card.hash


@settings(max_examples=50, deadline=None)
@given(cards, st.integers(0, 2**32))
def test_permuting_keeps_all_but_the_words(card: Card, seed: int) -> None:
    other = card_with_permuted_words(card, seed)
    assert {(c.words, c.concepts) for c in _cues(other)} == {
        (c.words, c.concepts) for c in _cues(card)
    }
    assert [(c.units, c.strength) for c in _cues(other)] == [
        (c.units, c.strength) for c in _cues(card)
    ]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


@settings(max_examples=50, deadline=None)
@given(cards)
def test_words_never_become_markup(card: Card) -> None:
    tags = _Tags()
    tags.feed(card.to_html())
    allowed = {"section", "style", "h2", "h3", "h4", "ul", "li", "span", "p", "img"}
    allowed |= {"details", "summary", "b"}
    assert tags.seen <= allowed
    # One line a class, whatever the words hold.
    assert card.to_text().count("not explained: ") >= len(card.classes)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(words.filter(bool), min_size=1, max_size=3),
    st.dictionaries(words, st.none() | st.booleans() | st.floats(-9, 9) | words, max_size=3),
    st.integers(-(2**63), 2**63 - 1),
)
def test_judgements_come_back(options: list[str], answer: dict[str, object], seed: int) -> None:
    given_ = Judgement(
        "t", "label", "", "", tuple(options), tuple(options), seed, answer, "r", "person",
        "2026-01-01T00:00:00", "2026-01-01T00:00:01", "k", id="one",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        store = Judgements(Path(folder) / "j.sqlite")
        store.append(given_)
        assert store.get("one") == given_


def _cues(card: Card) -> list[Cue]:
    return [cue for entry in card.classes for cue in entry.cues]
