"""Merge what is said: two words become one, or a target gets a second name beside its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.swap_word import replaced_names
from circuitz.zstar.kernels.word_source import WordSource, draw_word
from circuitz.zstar.kernels.word_targets import WordTargets

_MOST_NAMES = 2


@dataclass(frozen=True)
class MergeWords:
    """Call two words by one of them everywhere; or say two things of one unit."""

    targets: WordTargets
    source: WordSource
    name: str = "merge"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state with a coarser division."""
        loose = self.targets.with_words(state)
        words = sorted({n for t in loose for n in state.words[t]})
        if len(words) > 1 and rng.random() < 0.5:
            old, new = (str(w) for w in rng.choice(words, 2, replace=False))
            bearers = self.targets.loose_bearers(state, old)
            changed = {t: replaced_names(state.words[t], old, new) for t in bearers}
            return ZProposal(state.with_words(changed), f"call ‘{old}’ ‘{new}’ ({len(bearers)})")
        single = [t for t in loose if len(state.words[t]) < _MOST_NAMES]
        target = self.targets.draw(state, single, rng)
        word = None if target is None else draw_word(
            self.source, state, target, rng, without=state.words[target]
        )  # fmt: skip
        if target is None or word is None:
            return None
        names = (*state.words[target], word)
        return ZProposal(
            state.with_words({target: names}), f"‘{word}’ beside the words of {target}",
            self.source.name,
        )  # fmt: skip
