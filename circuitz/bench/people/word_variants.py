"""One network under many words: as proposed, permuted, nonsense, swapped, stripped, struck, bare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from circuitz.evaluation.people.world_words import WorldWord
from circuitz.z.model import AnnotatedModel

WordVariant = Literal["proposed", "permuted", "nonsense", "swapped", "stripped", "struck", "bare"]
VARIANTS: tuple[WordVariant, ...] = (
    "proposed", "permuted", "nonsense", "swapped", "stripped", "struck", "bare",
)  # fmt: skip
AUTHOR = "benchmark"
_SYLLABLES = ("blorb", "grint", "wug", "frob", "snirk", "plim", "dax", "quon")


def with_words(
    z: AnnotatedModel, variant: WordVariant, words: Mapping[str, WorldWord], seed: int
) -> AnnotatedModel | None:
    """Return z under other words; ``None`` where that changes nothing.

    ``permuted`` moves every word to other units; ``nonsense`` calls each by a word of its own that
    nobody knows, so that nothing is merged; ``swapped`` exchanges two words, of the ground where there
    is one; ``stripped`` takes half of the words back; ``struck`` takes back those that are no part; ``bare`` takes back all.
    """
    if variant == "proposed":
        return z
    named = _targets_by_text(z)
    texts = sorted(named)
    rng = np.random.default_rng([seed, VARIANTS.index(variant)])
    renamed: dict[str, str | None] = {}
    if variant == "permuted" and len(texts) > 1:
        order = rng.permutation(len(texts))
        pairs = zip(order.tolist(), np.roll(order, -1).tolist(), strict=True)
        renamed = {texts[a]: texts[b] for a, b in pairs}
    elif variant == "nonsense":
        renamed = {text: nonsense_word(i) for i, text in enumerate(texts)}
    elif variant == "swapped" and len(texts) > 1:
        outside = [t for t in texts if is_outside(t, words)]
        one = str(rng.choice(outside or texts))
        other = str(rng.choice([t for t in texts if t not in outside and t != one] or
                               [t for t in texts if t != one]))  # fmt: skip
        renamed = {one: other, other: one}
    elif variant == "stripped":
        renamed = dict.fromkeys(rng.permutation(texts)[: len(texts) // 2].tolist())
    elif variant == "bare":
        renamed = dict.fromkeys(texts)
    elif variant == "struck":
        renamed = dict.fromkeys(t for t in texts if is_outside(t, words))
    for old, new in renamed.items():
        for target in named[old]:
            z = z.retract(target, author=AUTHOR) if new is None else z.annotate(
                target, new, author=AUTHOR
            )  # fmt: skip
    return z if renamed else None


def nonsense_word(i: int) -> str:
    """Return the ``i``-th word that nobody knows."""
    first, last = divmod(i, len(_SYLLABLES))
    return f"zzz {_SYLLABLES[last]}" + (f" {_SYLLABLES[first - 1]}" if first else "")


def is_outside(text: str, words: Mapping[str, WorldWord]) -> bool:
    """Whether a text names surroundings or an artefact, by the world's own tables."""
    return any(word.kind != "part" and name in text.split(" and ") for name, word in words.items())


def _targets_by_text(z: AnnotatedModel) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for target, said in z.effective().items():
        found.setdefault(said.text, []).append(target)
    return found
