"""What is said of a network that was trained: its units' words, read anew from what they respond to.

Training moves what units respond to, so that a proposal which keeps every word would be judged by words
that no longer fit. One procedure reads all networks: a unit is said to see the concept that its
responses match best on *select*, where the match reaches the bar of proposed words.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from circuitz.plausibility.check_settings import PROPOSAL_BAR
from circuitz.z.targets import target_units
from circuitz.zstar.chains.searched_networks import SearchedNetwork
from circuitz.zstar.chains.z_state import Names, ZState


def words_anew(state: ZState, network: SearchedNetwork, fixed: Collection[str] = ()) -> ZState:
    """Return the state with the words its network's units match now.

    Parameters
    ----------
    state, network
        The z and its network.
    fixed
        Targets whose words are left as they are: what people wrote.
    """
    kept = {target: names for target, names in state.words.items() if target in fixed}
    taken = {unit for target in fixed for unit in target_units(target)} | set(state.silenced)
    said: dict[str, Names] = {}
    for unit, scores in network.matches.items():
        if unit in taken or not scores:
            continue
        word = max(scores, key=lambda name: _finite(scores[name]))
        if _finite(scores[word]) >= PROPOSAL_BAR:
            said[unit] = (word,)
    return replace(state, words={**said, **kept})


def _finite(score: float) -> float:
    return score if np.isfinite(score) else -1.0
