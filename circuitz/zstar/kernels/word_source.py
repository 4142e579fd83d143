"""q(word | unit): where the words that kernels propose come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from circuitz.zstar.chains.z_state import ZState

F64 = npt.NDArray[np.float64]
# Difference of two match scores at which one word is e times as likely as another.
_SHARPNESS = 0.15


class WordSource(Protocol):
    """Proposes words for units."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def chances(self, state: ZState, target: str) -> dict[str, float]:
        """Return how likely each word is proposed; they sum to 1, or there are none."""
        ...


@dataclass(frozen=True)
class RandomWords:
    """Every word alike.

    Parameters
    ----------
    words
        The columns of the concept set.
    """

    words: Sequence[str]
    name: str = "random"

    def chances(self, state: ZState, target: str) -> dict[str, float]:  # noqa: ARG002 - all units alike
        """Return the same chance for all."""
        return {word: 1 / len(self.words) for word in self.words}


#: Match scores of a unit by word, on *select*; NaN where a word cannot be judged.
MatchScores = Callable[[ZState, str], dict[str, float]]


@dataclass(frozen=True)
class MatchedWords:
    """Words that match a unit's responses on the *select* images: e^{score / 0.15}.

    Parameters
    ----------
    scores
        Match scores of a unit of a state.
    """

    scores: MatchScores
    name: str = "rule"

    def chances(self, state: ZState, target: str) -> dict[str, float]:
        """Return chances by match; none where the unit matches nothing."""
        scores = {w: s for w, s in self.scores(state, target).items() if np.isfinite(s)}
        return shares_of_logits({w: s / _SHARPNESS for w, s in scores.items()})


def shares_of_logits(logits: dict[str, float]) -> dict[str, float]:
    """Return shares in proportion to e to the power of each value; none of none."""
    if not logits:
        return {}
    values = np.array(list(logits.values()))
    raised = np.exp(values - values.max())
    return dict(zip(logits, (raised / raised.sum()).tolist(), strict=True))


def draw_word(
    source: WordSource,
    state: ZState,
    target: str,
    rng: np.random.Generator,
    without: Sequence[str] = (),
) -> str | None:
    """Draw a word for a target, other than some; ``None`` where there is none."""
    chances = {w: p for w, p in source.chances(state, target).items() if w not in without}
    total = sum(chances.values())
    if total <= 0:
        return None
    names = list(chances)
    return names[int(rng.choice(len(names), p=np.array(list(chances.values())) / total))]
