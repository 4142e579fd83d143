"""Say something of a unit of which nothing is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.word_source import WordSource, draw_word
from circuitz.zstar.kernels.word_targets import WordTargets


@dataclass(frozen=True)
class AddWord:
    """Put a word drawn from q(word | unit) on a unit without words."""

    targets: WordTargets
    source: WordSource
    name: str = "add"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state with one word more."""
        unit = self.targets.draw(state, self.targets.units_without_words(state), rng)
        word = None if unit is None else draw_word(self.source, state, unit, rng)
        if unit is None or word is None:
            return None
        return ZProposal(
            state.with_words({unit: (word,)}), f"add ‘{word}’ to {unit}", self.source.name
        )
