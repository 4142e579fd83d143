"""Whether words hold less often on D or D′ than on the concept set, all of them together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from circuitz.posterior.words.one_word_test import WordTestOutcome
from circuitz.stats.counted_shares import share_with_wilson_interval
from circuitz.z.word_match import POPULATION_NAMES
from circuitz.z.word_tests import WordTest

#: A drop by more than this is told, where its 95 % interval lies above zero.
DROP = 0.05


def with_remark_on_pooled_drop(
    tests: Sequence[WordTest], outcomes: Sequence[WordTestOutcome]
) -> tuple[WordTest, ...]:
    """Return tests that say, as their reason, if words hold less often there than on the concept set.

    The same raters answered about hidden pictures of the concept set that were drawn in the same
    way. No single word is convicted by it; it is said beside each verdict, and export on D′ asks for a
    signature. The interval of the
    difference is Newcombe's (1998, *Statistics in Medicine* 17, method 10); tests that stop early
    make shares a little too extreme.
    """
    remarks: dict[str, str] = {}
    for population in ("D", "D'"):
        mine = [
            o for t, o in zip(tests, outcomes, strict=True) if t.population == population and o.answers
        ]  # fmt: skip
        here = share_with_wilson_interval(sum(o.right for o in mine), sum(o.answers for o in mine))
        there = share_with_wilson_interval(
            sum(o.concept_right for o in mine), sum(o.concept_answers for o in mine)
        )
        if not here.n or not there.n:
            continue
        drop = there.value - here.value
        low = drop - math.hypot(there.value - there.low, here.high - here.value)
        if drop > DROP and low > 0:
            remarks[population] = (
                f"all words together hold on {here.value:.0%} of {here.n} pictures of "
                f"{POPULATION_NAMES[population]} and on {there.value:.0%} of {there.n} of the concept "
                "set, by the same raters' answers"
            )
    return tuple(
        replace(
            t, reason="; ".join(filter(None, [t.reason, remarks[t.population]])), pooled_drop=True
        )
        if t.answers and t.population in remarks
        else t
        for t in tests
    )
