"""A rater in code who says whether pictures show a concept, with a stated error rate.

It stands in for a person and is labelled *simulated* in every judgement it gives.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from circuitz.cards.rater_answer import CANNOT_TELL
from circuitz.disk.hashing import json_hash
from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_pack import NO, YES
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.session import Session
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_store import JudgementStore


def simulate_concept_answers(
    pack: TaskPack,
    store: JudgementStore,
    truth: Mapping[str, npt.NDArray[np.float32]],
    *,
    error: float = 0.05,
    unsure: float = 0.0,
    seed: int = 0,
    name: str = "",
) -> int:
    """Answer every question of a pack about concepts; returns how many.

    Parameters
    ----------
    truth
        By word, ``(n,)`` of 0, 1 or NaN (nobody could tell) over the concept set. A word it does
        not know is answered at random, as by somebody who does not know it either.
    error
        Chance of seeing what is not there, or not seeing what is.
    unsure
        Chance of not being able to tell.
    seed
        Draws errors; the same picture and word are answered in the same way again.

    Raises
    ------
    LabellingError
        If a rate is no share.
    """
    for what, value in (("error", error), ("unsure", unsure)):
        if not 0 <= value <= 1:
            raise LabellingError(f"The share {what} is {value}.", "It is a share, from 0 to 1.")
    session = Session(pack, store, name or f"simulated-{seed}", kind="simulated")
    rows: list[Judgement] = []
    for q in pack.questions:
        draw = np.random.default_rng([seed, int(json_hash([q.item, q.word])[:12], 16)])
        wrong, lost, coin = draw.random(3)
        known = truth.get(q.word)
        value = float(known[pack.plan[q.id]["row"]]) if known is not None else float(coin < 0.5)
        if np.isnan(value) or lost < unsure:
            choice = CANNOT_TELL
        else:
            choice = YES if (value == 1) != (wrong < error) else NO
        rows.append(session.answer_as_judgement(q.id, choice, json_hash([q.id, choice, seed])[:32]))
    store.store_superseding_answers(rows)
    return len(pack.questions)
