"""What a kernel is: it proposes one change of a z, and says what the change is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from circuitz.zstar.chains.z_state import ZState


@dataclass(frozen=True)
class ZProposal:
    """One proposed z.

    Parameters
    ----------
    state
        The z.
    what
        The change, in words.
    source
        Where a word came from (``rule``, ``random``, ``people``); empty where none was drawn.
    readings
        The same change under other words: of these and the z the one of the highest J is proposed.
        Training is dear and a card is cheap, so that one training is read more than once.
    """

    state: ZState
    what: str
    source: str = ""
    readings: tuple[ZState, ...] = ()


class Kernel(Protocol):
    """Proposes changes of one kind."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
        """Return another z; ``None`` where this kind of change cannot be made here."""
        ...
