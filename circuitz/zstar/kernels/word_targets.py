"""Which units the words kernels look at: those that drive classes more often than others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from circuitz.zstar.chains.z_state import ZState

# Share of draws in which every unit is as likely as any other.
_ANY = 0.2

#: Size of the drive of every unit of the cut, by unit.
DriveOfUnits = Callable[[ZState], dict[str, float]]


@dataclass(frozen=True)
class WordTargets:
    """Draws units and words of a state.

    Parameters
    ----------
    drives
        Summed size of the drive of every unit of the cut.
    fixed
        Targets whose words are left as they are: what people wrote.
    """

    drives: DriveOfUnits
    fixed: Collection[str] = ()

    def units_without_words(self, state: ZState) -> list[str]:
        """Return units that nothing is said of."""
        taken = set(state.words) | set(state.silenced) | set(self.fixed)
        return [unit for unit in self.drives(state) if unit not in taken]

    def with_words(self, state: ZState) -> list[str]:
        """Return targets of which something is said, and may be said otherwise."""
        return [target for target in state.words if target not in self.fixed]

    def loose_bearers(self, state: ZState, name: str) -> list[str]:
        """Return the targets of which a name is said, and may be said otherwise."""
        return [t for t in state.bearing(name) if t not in self.fixed]

    def draw(self, state: ZState, among: list[str], rng: np.random.Generator) -> str | None:
        """Draw a target by the size of its drive."""
        if not among:
            return None
        drives = self.drives(state)
        size = np.array([drives.get(target, 0.0) for target in among])
        total = size.sum()
        even = np.full(len(among), 1 / len(among))
        shares = even if total <= 0 else _ANY * even + (1 - _ANY) * size / total
        return among[int(rng.choice(len(among), p=shares / shares.sum()))]
