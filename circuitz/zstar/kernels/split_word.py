"""Split what is said: two names of one target part, or some targets of a word get another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.word_source import WordSource, draw_word
from circuitz.zstar.kernels.word_targets import WordTargets


@dataclass(frozen=True)
class SplitWord:
    """Keep one of a target's names; or give a word drawn anew to half of those that share a word."""

    targets: WordTargets
    source: WordSource
    name: str = "split"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state with a finer division."""
        loose = self.targets.with_words(state)
        several = [t for t in loose if len(state.words[t]) > 1]
        shared = [t for t in loose if any(len(state.bearing(n)) > 1 for n in state.words[t])]
        if several and (not shared or rng.random() < 0.5):
            target = several[int(rng.integers(len(several)))]
            word = str(rng.choice(state.words[target]))
            return ZProposal(state.with_words({target: (word,)}), f"‘{word}’ alone on {target}")
        target = self.targets.draw(state, shared, rng)
        if target is None:
            return None
        old = str(rng.choice([n for n in state.words[target] if len(state.bearing(n)) > 1]))
        word = draw_word(self.source, state, target, rng, without=state.words[target])
        if word is None:
            return None
        bearers = self.targets.loose_bearers(state, old)
        rng.shuffle(bearers)
        half = [target, *(t for t in bearers if t != target)][: max(1, len(bearers) // 2)]
        return ZProposal(
            state.with_words(dict.fromkeys(half, (word,))),
            f"split ‘{old}’: ‘{word}’ on {len(half)} of {len(bearers)}", self.source.name,
        )  # fmt: skip
