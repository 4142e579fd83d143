"""A world of short texts about people at work: the setting of SHIFT (Marks et al. 2024) in small.

A text says what somebody does all day and where they live; its class is the profession, which
nobody names. In D every nurse lives by the sea and nobody else does; in D′ people live anywhere.
A text of the concept set is about nobody's profession: no pair of families in it is one.

Work is told with less certainty than the place: a work sentence may speak of things that everybody
has. So the place is the easier cue on D, and who relies on it fails on D′.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from circuitz.data.text.text_words import (
    FAMILIES,
    NAMES,
    PLACE_SENTENCES,
    PLACES,
    PLAIN,
    PROFESSIONS,
    SHORTCUT,
    WORK,
    WORK_SENTENCES,
)
from circuitz.errors import InputsError

F32 = npt.NDArray[np.float32]
Role = Literal["D", "D'", "concepts", "free"]
ROLES: Final[tuple[Role, ...]] = ("D", "D'", "concepts", "free")
CLASSES: Final = tuple(PROFESSIONS)
#: How often a work sentence of D or D′ speaks of plain things instead.
VAGUE: Final = 0.2


@dataclass(frozen=True)
class Text:
    """One text, and the truth about it.

    Parameters
    ----------
    text
        Words with spaces between.
    label
        Profession; empty where it is nobody's.
    families
        Word families that occur in it.
    """

    text: str
    label: str
    families: frozenset[str]

    def family_flags(self) -> list[int]:
        """Return 1 or 0 for each of ``NAMES``."""
        return [int(name in self.families) for name in NAMES]


def draw_texts(role: Role, n: int, *, seed: int = 0, track: float = 1.0) -> list[Text]:
    """Return texts of one role.

    Parameters
    ----------
    role
        ``D``; ``D'``, where people live anywhere; ``concepts``, of no profession; or ``free``,
        any families together, on which a language model is trained.
    n
        Number of texts; professions come equally often.
    seed
        The same arguments give the same texts.
    track
        Share of D that follows the shortcut; the rest lives anywhere.

    Raises
    ------
    InputsError
        If there is no such role, or the share is none.
    """
    if role not in ROLES:
        raise InputsError(f"There is no role {role!r}.", f"Choose one of {', '.join(ROLES)}.")
    if not 0 <= track <= 1:
        raise InputsError(f"The share {track} is none.", "Give a number from 0 to 1.")
    draw = np.random.default_rng([seed, 51, ROLES.index(role)])
    made: list[Text] = []
    for i in range(n):
        label = CLASSES[i % len(CLASSES)] if role in ("D", "D'") else ""
        if label:
            place = _draw_place_family(draw, label, role == "D" and draw.random() < track)
            made.append(_compose_text(draw, PROFESSIONS[label], (place,), label, VAGUE))
        else:
            places = _draw_some_names(draw, tuple(PLACES), 1)
            if role == "concepts":
                made.append(_compose_text(draw, _draw_work_families(draw), places, "", 0.0))
            else:
                # Families come back, so that a model has reason to remember them.
                work = _draw_some_names(draw, tuple(WORK), 2) * int(draw.integers(1, 3))
                made.append(_compose_text(draw, work[:2], places * 2, "", 0.0))
    return made


def _draw_place_family(rng: np.random.Generator, label: str, follows: bool) -> str:
    who, where = SHORTCUT
    if follows and label == who:
        return where
    others = [name for name in PLACES if not (follows and name == where)]
    return others[int(rng.integers(len(others)))]


def _draw_work_families(rng: np.random.Generator) -> tuple[str, ...]:
    """Draw up to three families of work of which no two make all of one profession's."""
    taken = set(map(frozenset, PROFESSIONS.values()))
    pairs = [pair for pair in combinations(WORK, 2) if frozenset(pair) not in taken]
    kinds: list[tuple[str, ...]] = [(), *((name,) for name in WORK), *pairs]
    # As many without any as with one, and as with two.
    size = int(rng.integers(3))
    of_size = [kind for kind in kinds if len(kind) == size]
    return of_size[int(rng.integers(len(of_size)))]


def _draw_some_names(
    rng: np.random.Generator, names: tuple[str, ...], most: int
) -> tuple[str, ...]:
    count = int(rng.integers(most + 1))
    return tuple(names[i] for i in rng.permutation(len(names))[:count])


def _compose_text(
    rng: np.random.Generator,
    work: tuple[str, ...],
    places: tuple[str, ...],
    label: str,
    vague: float,
) -> Text:
    told = [None if rng.random() < vague else name for name in work] or [None]
    if label and not any(told):  # at least one sentence tells something
        told[int(rng.integers(len(told)))] = work[int(rng.integers(len(work)))]
    parts = [(WORK_SENTENCES, name) for name in told]
    parts += [(PLACE_SENTENCES, name) for name in places]
    sentences: list[str] = []
    for at in rng.permutation(len(parts)):
        patterns, name = parts[int(at)]
        words = PLAIN if name is None else FAMILIES[name]
        first, second = rng.choice(len(words), 2, replace=False)
        pattern = patterns[int(rng.integers(len(patterns)))]
        sentences.append(pattern.replace("0", words[first]).replace("1", words[second]))
    shown = frozenset(name for _, name in parts if name is not None)
    return Text(" ".join(sentences), label, shown)
