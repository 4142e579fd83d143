"""Cards that differ in known ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from circuitz.cards.card import Card, ClassEntry, Cue


def build_card(husky: dict[str, float], corgi: dict[str, float] | None = None) -> Card:
    """A card of two classes with these cues; each word has a unit of its own."""
    classes = {"husky": husky, "corgi": {"short legs": 0.5} if corgi is None else corgi}
    return Card(
        tuple(
            ClassEntry(name, tuple(Cue(w, (w,), (f"conv:{w}",), s) for w, s in cues.items()))
            for name, cues in classes.items()
        ),
        "dog",
    )


@pytest.fixture
def make_card() -> Callable[..., Card]:
    return build_card
