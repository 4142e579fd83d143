"""Take words away: from one target, or a word wherever it is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.word_targets import WordTargets


@dataclass(frozen=True)
class DropWord:
    """Take the words of one target away, or, half of the time, a word everywhere."""

    targets: WordTargets
    name: str = "drop"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state with fewer words."""
        target = self.targets.draw(state, self.targets.with_words(state), rng)
        if target is None:
            return None
        names = state.words[target]
        if rng.random() < 0.5:
            said = " and ".join(names)
            return ZProposal(state.with_words({target: ()}), f"drop ‘{said}’ from {target}")
        word = str(rng.choice(names))
        bearers = self.targets.loose_bearers(state, word)
        left = {t: tuple(n for n in state.words[t] if n != word) for t in bearers}
        return ZProposal(state.with_words(left), f"drop ‘{word}’ everywhere ({len(bearers)})")
