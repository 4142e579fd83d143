"""The control without z: a rater who takes notes from labelled inputs of D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.make_card import LEAST
from circuitz.errors import LabellingError

# A concept seen e^2 times as readily in a class as elsewhere is noted as a strong cue.
SHARE_A_NAT = 0.10


def choose_rows_balanced_by_class(
    labels: npt.NDArray[np.int64], n: int, seed: int
) -> npt.NDArray[np.int64]:
    """Choose ``n`` rows at random, equally many of each class as far as they go round.

    Raises
    ------
    LabellingError
        If there are fewer than ``n`` rows.
    """
    if n > len(labels):
        raise LabellingError(f"{n} examples were asked for, {len(labels)} are there.", "Ask less.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        turn[rows] = np.arange(len(rows))
    return np.sort(order[np.argsort(turn[order], kind="stable")][:n])


def notes_card(
    labels: Sequence[str],
    perceived: Sequence[Mapping[str, bool]],
    classes: tuple[str, ...],
    *,
    per_class: int = 10,
    subject: str = "",
) -> Card:
    """Write the card a person could write after looking at labelled inputs.

    For each class and concept: the log-odds of seeing the concept in the class less those of
    seeing it elsewhere (half a sighting added to each count). Whoever only looks at D notes the
    shortcut like everything else.

    Parameters
    ----------
    labels
        Class of each input.
    perceived
        What the rater saw in each.
    classes
        All classes, in the card's order.
    per_class
        Most cues noted for one class.
    """
    if len(labels) != len(perceived):
        raise LabellingError(
            f"{len(labels)} labels and {len(perceived)} inputs do not fit.", "Give one each."
        )
    names = sorted({name for seen in perceived for name in seen})
    sees = np.array([[float(seen.get(n, np.nan)) for n in names] for seen in perceived])
    sees = sees.reshape(len(perceived), len(names))
    entries: list[ClassEntry] = []
    for name in classes:
        inside = np.array([label == name for label in labels], dtype=bool)
        if not inside.any() or inside.all():
            entries.append(ClassEntry(name, ()))
            continue
        odds = _log_odds(sees[inside]) - _log_odds(sees[~inside])
        cues = [
            Cue(names[c], (names[c],), (), round(float(odds[c]) * SHARE_A_NAT, 4))
            for c in np.argsort(-np.abs(odds), kind="stable")[:per_class].tolist()
        ]
        entries.append(ClassEntry(name, tuple(c for c in cues if abs(c.strength) >= LEAST)))
    return Card(tuple(entries), subject)


def _log_odds(sees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known = ~np.isnan(sees)
    yes = np.where(known, sees, 0.0).sum(0)
    no = known.sum(0) - yes
    return np.log((yes + 0.5) / (no + 0.5))
