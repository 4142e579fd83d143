"""Cut the path of a unit, or of all that bear a word; and open one again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.word_targets import WordTargets

# Share of the cut that may be silent: more leaves nothing to explain.
_MOST_SILENT = 0.5


@dataclass(frozen=True)
class SilenceUnit:
    """Silence one unit, or, half of the time, all that bear a word (mean ablation in the weights)."""

    targets: WordTargets
    name: str = "silence"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state with fewer paths; words on silenced units go."""
        every = list(self.targets.drives(state))
        units = [u for u in every if u not in state.silenced]
        unit = self.targets.draw(state, units, rng)
        if unit is None:
            return None
        cut, what = {unit}, f"silence {unit}"
        if unit in state.words and rng.random() < 0.5:
            word = str(rng.choice(state.words[unit]))
            cut = set(state.bearing(word)) & set(units)
            what = f"silence ‘{word}’ ({len(cut)} units)"
        if len(cut) + len(state.silenced) > _MOST_SILENT * len(every):
            return None
        left = {t: names for t, names in state.words.items() if t not in cut}
        silenced = tuple(sorted({*state.silenced, *cut}))
        return ZProposal(replace(state, words=left, silenced=silenced), what)


@dataclass(frozen=True)
class UnsilenceUnit:
    """Open the path of one silenced unit again; nothing is said of it."""

    name: str = "un-silence"

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return the state with one path more."""
        if not state.silenced:
            return None
        unit = str(rng.choice(state.silenced))
        left = tuple(u for u in state.silenced if u != unit)
        return ZProposal(replace(state, silenced=left), f"open {unit} again")
