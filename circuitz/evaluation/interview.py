"""Put questions to the simulated rater and write its answers down as judgements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card
from circuitz.evaluation.evaluation_sets import InputsWithTruth
from circuitz.evaluation.simulated_rater import SimulatedRater
from circuitz.store.judgement import Judgement, Use, iso_utc_now

INSTRUCTIONS = "1"


def simulate_perceptions(
    rater: SimulatedRater,
    shown_set: InputsWithTruth,
    rows: npt.NDArray[np.int64],
    keys: Sequence[str],
) -> list[dict[str, bool]]:
    """Let the rater look at some inputs; returns what it believes to see in each."""
    truth = shown_set.truth
    return [
        rater.perceive(truth.concepts[int(i)], truth.concept_names, key=key)
        for i, key in zip(rows, keys, strict=True)
    ]


def interview_simulated_rater(
    rater: SimulatedRater,
    card: Card,
    keys: Sequence[str],
    perceptions: Sequence[dict[str, bool]],
    *,
    classes: tuple[str, ...],
    task: str,
    use: Use,
    seed: int,
    z_hash: str = "",
    on_answer: Callable[[int], None] | None = None,
) -> list[Judgement]:
    """Ask about every input and return the answers as judgements, in order.

    A question's seed, and with it the order of the options, depends on the input alone, so that
    the same input is asked about in the same way under every card.

    Parameters
    ----------
    keys, perceptions
        Content hash of each input, and what the rater saw in it.
    classes
        What to choose from.
    task, use
        As written into the judgements.
    seed
        Seed of the interview.
    z_hash
        The z asked about, for cards that were not made from one.
    on_answer
        Called with the number of answers so far.
    """
    found: list[Judgement] = []
    for key, perceived in zip(keys, perceptions, strict=True):
        question = int(key[:12], 16) ^ seed
        order = np.random.default_rng([seed, question]).permutation(len(classes))
        options = tuple(classes[int(i)] for i in order)
        answer = rater.answer(card, perceived, options=options, seed=question)
        shown = datetime.fromisoformat(iso_utc_now())
        answered = shown + timedelta(seconds=answer.seconds)
        row = Judgement(
            task=task,
            kind="label",
            z_hash=card.z_hash or z_hash,
            card_hash=card.hash,
            items=(key,),
            options=options,
            seed=question,
            answer=answer.to_json(),
            rater=rater.name,
            rater_kind=rater.kind,
            shown=shown.isoformat(timespec="milliseconds"),
            answered=answered.isoformat(timespec="milliseconds"),
            key=":".join((task, rater.name, rater.hash, card.hash, key, INSTRUCTIONS, str(seed))),
            instructions=INSTRUCTIONS,
            use=use,
        )
        found.append(row.validated_with_id())
        if on_answer is not None:
            on_answer(len(found))
    return found
