"""Which pictures people are asked about, to learn whether a word holds: the sampling is the estimand.

Half of the draws are pictures on which the word's units are active: a predicted class at random
among those that the units drive, then a picture of it in proportion to what the units contribute to
its margin; where these run out, pictures follow on which they are nearer to active than to silent.
A quarter are pictures at random on which they are silent. A quarter are pictures on
which a probe of the word expects it, whether the units are active there or silent: units that see
the word in some of its guises only are found out by them. (Silent ones alone would convict every
word: where a good probe sees what the units miss, the units are wrong by choice of the picture.)

Every picture is drawn once. Draws are made with permanent random numbers (Brewer, Early and Joyce
1972, *Australian Journal of Statistics* 14): each picture has one number for a word, whatever z is
tested, so that z's which are active on the same pictures ask about the same ones, and one answer
serves them all. A draw in proportion to weights takes pictures by −log(number) / weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from circuitz.posterior.words.population_pictures import number_from_hash
from circuitz.posterior.words.word_units import WordUnits

Stratum = Literal["active", "silent", "expected"]
#: Four draws in a row, in an order drawn by lot.
_CYCLE: tuple[Stratum, ...] = ("active", "active", "silent", "expected")
_INSTEAD: dict[Stratum, tuple[Stratum, ...]] = {
    "active": ("active",), "silent": ("silent", "active"), "expected": ("expected", "silent", "active"),
}  # fmt: skip
#: A probe expects the word from this probability on.
_EXPECTED = 0.5


@dataclass(frozen=True)
class PictureDraw:
    """One picture that was drawn.

    Parameters
    ----------
    index
        Which of the pictures that were drawn from.
    stratum
        ``active``, ``silent``, or ``expected`` by a probe.
    units_say_yes
        Whether the units are active on it: then the answer that it shows the word is right.
    """

    index: int
    stratum: Stratum
    units_say_yes: bool


def draw_pictures(
    word_units: WordUnits,
    hashes: Sequence[str],
    responses: npt.NDArray[Any],
    expected: npt.NDArray[np.float64],
    predicted: npt.NDArray[np.int64] | None,
    *,
    most: int,
    seed: int = 0,
) -> list[PictureDraw]:
    """Draw pictures to ask about, in the order they are asked.

    Parameters
    ----------
    word_units
        The units that bear the word.
    hashes, responses
        Of the pictures to draw from, each once.
    expected
        ``(m,)`` how likely a probe finds the word on each.
    predicted
        ``(m,)`` class that the network predicts of each; ``None`` where it is not known, and all
        count as of one class.
    most
        Draws at most. There are fewer where the active ones run out; where silent ones run out,
        their places go to active ones.
    seed
        Seed of the numbers.

    Returns
    -------
    list of PictureDraw
        Empty where the units are active nowhere.
    """
    active, silent = word_units.active_mask(responses), word_units.silent_mask(responses)
    lot = np.array([number_from_hash("draw", seed, word_units.word, one) for one in hashes])
    by_class = _active_by_class(word_units, responses, lot, predicted)
    if not by_class:
        return []
    order = np.random.default_rng([seed, int(1e9 * number_from_hash(word_units.word))])
    said = active | silent
    queues: dict[Stratum, Iterator[int]] = {
        "active": _turns_of_classes(by_class, order),
        "silent": _in_order_of_lot(silent, lot),
        "expected": _in_order_of_lot(said & (expected >= _EXPECTED), lot),
    }
    draws: list[PictureDraw] = []
    taken: set[int] = set()
    while len(draws) < most:
        for turn in order.permutation(len(_CYCLE)):
            stratum = _CYCLE[int(turn)]
            # What runs out gives its place to the next; without active ones there is no test.
            for instead in _INSTEAD[stratum]:
                index = next((i for i in queues[instead] if i not in taken), None)
                if index is not None:
                    taken.add(index)
                    yes = instead == "active" or bool(active[index])
                    draws.append(PictureDraw(index, instead, yes))
                    break
            else:
                return draws[:most]
    return draws[:most]


def _in_order_of_lot(mask: npt.NDArray[np.bool_], lot: npt.NDArray[np.float64]) -> Iterator[int]:
    rows = np.flatnonzero(mask)
    return iter([int(i) for i in rows[np.argsort(lot[rows], kind="stable")]])


def _active_by_class(
    word_units: WordUnits,
    responses: npt.NDArray[Any],
    lot: npt.NDArray[np.float64],
    predicted: npt.NDArray[np.int64] | None,
) -> list[list[int]]:
    """Active pictures of each class that is drawn from, each in the order of its draw."""
    active, leaning = word_units.active_mask(responses), word_units.leaning_mask(responses)
    contributed = word_units.contributions(responses)
    driven = word_units.classes_driven
    if predicted is None:
        some = contributed[:, driven] if driven.any() else contributed
        contributed = some.max(1, keepdims=True) if some.shape[1] else np.ones((len(lot), 1))
        predicted, driven = np.zeros(len(lot), np.int64), np.ones(1, bool)
    classes = [int(k) for k in np.unique(predicted[leaning])]
    # Units that drive no class say their word all the same: then all classes are drawn from.
    chosen = [k for k in classes if driven[k]] or classes
    found: list[list[int]] = []
    for k in chosen:
        mine = np.flatnonzero(leaning & (predicted == k))
        weight = contributed[mine, k]
        # What adds nothing is drawn last.
        weight = np.maximum(weight, weight.max() * 1e-6) if weight.any() else np.ones(len(mine))
        by_lot = -np.log(lot[mine]) / weight
        found.append([int(i) for i in mine[np.lexsort((by_lot, ~active[mine]))]])
    return found


def _turns_of_classes(
    by_class: Sequence[Sequence[int]], order: np.random.Generator
) -> Iterator[int]:
    """Give one picture of every class in turn, the classes by lot, until none is left."""
    queues = [list(reversed(pictures)) for pictures in by_class]
    while any(queues):
        for k in order.permutation(len(queues)):
            if queues[int(k)]:
                yield queues[int(k)].pop()


def draws_to_ask(most: int) -> int:
    """Draws that are made so that ``most`` answers can count although some pictures are unusable."""
    return most + math.ceil(most / 4)
