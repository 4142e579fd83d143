"""Say another word in place of one: of one target, or wherever it is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.word_source import WordSource, draw_word
from circuitz.zstar.kernels.word_targets import WordTargets


@dataclass(frozen=True)
class SwapWord:
    """Replace the words of one target by a word drawn for it, or, one time in four, a word everywhere."""

    targets: WordTargets
    source: WordSource
    name: str = "swap"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state with one word in another's place."""
        target = self.targets.draw(state, self.targets.with_words(state), rng)
        if target is None:
            return None
        before = state.words[target]
        word = draw_word(self.source, state, target, rng, without=before)
        if word is None:
            return None
        if rng.random() < 0.75:
            said = " and ".join(before)
            return ZProposal(
                state.with_words({target: (word,)}), f"‘{word}’ for ‘{said}’ on {target}",
                self.source.name,
            )  # fmt: skip
        old = str(rng.choice(before))
        bearers = self.targets.loose_bearers(state, old)
        changed = {t: replaced_names(state.words[t], old, word) for t in bearers}
        return ZProposal(
            state.with_words(changed), f"‘{word}’ for ‘{old}’ everywhere ({len(bearers)})",
            self.source.name,
        )  # fmt: skip


def replaced_names(names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """Return names with one replaced by another, each once."""
    return tuple(dict.fromkeys(new if name == old else name for name in names))
