"""Variants of one z: the same network under other words, and with the path of a word cut.

Who has trained one network has nothing to compare it with. Its variants differ in what people are to
judge: which words are said, and how much each drives. They are made without knowing which words are
good, so that this is left to the people who compare them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, zip_longest

import numpy as np

from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.chains.z_state import Names, ZState

# Share of the cut that may be silent: more leaves nothing to explain.
_MOST_SILENT = 0.5
_UNKNOWN_WORD = "blorb"
# Draws at random in a row that may come to nothing new before there are no more variants.
_TRIES = 40


def variant_states(networks: SearchedNetworks, n: int, *, seed: int = 0) -> dict[str, ZState]:
    """Return the start and variants of it, by what each differs in.

    In turn: a word dropped everywhere, the path of a word cut, two words exchanged; once, no words at
    all, all words moved to other units, and a word that nobody knows; then words drawn at random.

    Parameters
    ----------
    networks
        With the start in it.
    n
        Most variants, the start among them.
    seed
        Of what is drawn.
    """
    start = networks.state_of("start")
    rng = np.random.default_rng([seed, 31])
    words = _words_by_drive(networks, start)
    found = {"as it is": start}
    keys = {start.key}
    planned = zip_longest(
        _dropped(start, words), _cut(networks, start, words), _exchanged(start, words),
        _once(start, words, rng),
    )  # fmt: skip
    for one in (one for turn in planned for one in turn if one is not None):
        if len(found) == n:
            return found
        if one[1].key not in keys:
            found[one[0]] = one[1]
            keys.add(one[1].key)
    misses = 0
    while len(found) < n and words and misses < _TRIES:
        what, state = _random(networks, start, words, rng)
        if state.key in keys or what in found:
            misses += 1
            continue
        found[what] = state
        keys.add(state.key)
        misses = 0
    return found


def _words_by_drive(networks: SearchedNetworks, start: ZState) -> list[str]:
    """Return the words of the start, those on units that drive most first."""
    drives = networks.network_of(start).drives
    total = {w: sum(drives.get(t, 0.0) for t in start.bearing(w)) for w in start.vocabulary}
    return sorted(total, key=lambda word: (-total[word], word))


def _renamed(state: ZState, changes: dict[str, str | None]) -> ZState:
    """Return a state in which words are called otherwise, or not at all."""

    def names_of(names: Names) -> Names:
        changed = (changes.get(name, name) for name in names)
        return tuple(dict.fromkeys(name for name in changed if name is not None))

    return replace(state, words={}).with_words({t: names_of(n) for t, n in state.words.items()})


def _dropped(start: ZState, words: list[str]) -> Iterator[tuple[str, ZState]]:
    for word in words:
        yield f"without the word ‘{word}’", _renamed(start, {word: None})


def _cut(
    networks: SearchedNetworks, start: ZState, words: list[str]
) -> Iterator[tuple[str, ZState]]:
    units = networks.network_of(start).drives
    for word in words:
        bearers = set(start.bearing(word)) & set(units)
        if bearers and len(bearers) <= _MOST_SILENT * len(units):
            left = {t: names for t, names in start.words.items() if t not in bearers}
            yield (
                f"path of ‘{word}’ cut",
                replace(start, words=left, silenced=tuple(sorted(bearers))),
            )


def _exchanged(start: ZState, words: list[str]) -> Iterator[tuple[str, ZState]]:
    for one, other in pairwise(words):
        yield f"‘{one}’ and ‘{other}’ exchanged", _renamed(start, {one: other, other: one})


def _once(
    start: ZState, words: list[str], rng: np.random.Generator
) -> Iterator[tuple[str, ZState]]:
    if not words:
        return
    yield "no words", _renamed(start, dict.fromkeys(words))
    yield f"‘{words[0]}’ called ‘{_UNKNOWN_WORD}’", _renamed(start, {words[0]: _UNKNOWN_WORD})
    targets = list(start.words)
    order = rng.permutation(len(targets))
    moved = {targets[i]: start.words[targets[int(j)]] for i, j in enumerate(order)}
    yield "words moved to other units", replace(start, words=moved)


def _random(
    networks: SearchedNetworks, start: ZState, words: list[str], rng: np.random.Generator
) -> tuple[str, ZState]:
    """Return the start with up to two words dropped and up to four drawn anew."""
    gone = rng.choice(words, int(rng.integers(0, min(3, len(words) + 1))), replace=False).tolist()
    state = _renamed(start, dict.fromkeys(gone))
    units = sorted(networks.network_of(start).drives)
    drawn = rng.choice(units, int(rng.integers(0, min(5, len(units) + 1))), replace=False).tolist()
    said = {unit: (str(rng.choice(words)),) for unit in drawn}
    what = [f"without the word ‘{word}’" for word in gone]
    what += [f"‘{names[0]}’ on {unit}" for unit, names in said.items()]
    return ", ".join(what) or "as it is", state.with_words(said)
