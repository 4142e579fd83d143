"""The blind detection test: what people see in a unit's pictures and in hard ones beside them.

Where a concept set does not label what a word means, nothing can be matched. Then a rater is shown
pictures one by one, half of them those the unit is most active on and half hard negatives, in a
shuffled order, and is asked of each whether it shows the word. They see neither activity nor z. A
word that fits tells the two halves apart; one that does not is answered alike on both.

- *accuracy*: share of pictures answered right (yes on active, no on hard ones), with the exact
  interval of Clopper and Pearson (1934).
- *supported*: accuracy beyond the bar (exact binomial test) **and** active pictures get more yes
  than hard ones (Fisher's exact test, one-sided).
- *flagged*: accuracy below the bar (exact binomial test).
- *inconclusive* otherwise, with what would decide it.

The bar lies midway between guessing and certainty. Pictures about which nobody could tell count
against whatever is being shown: as wrong for *supported*, as right for *flagged*. It is the
"detection scoring" of Paulo et al. (2024), with hard negatives, people, and exact tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.stats import beta, binom, hypergeom

from circuitz.stats.multiple_testing import benjamini_hochberg_q_values
from circuitz.z.finding import Verdict

BAR = 0.75
Q = 0.05
LEVEL = 0.95
#: More pictures than anybody would answer about one word.
MOST = 600


@dataclass(frozen=True)
class DetectionCounts:
    """What was answered on one half of the pictures: yes, no, and not to be told."""

    yes: int = 0
    no: int = 0
    unsure: int = 0

    @property
    def picture_count(self) -> int:
        """Pictures."""
        return self.yes + self.no + self.unsure


@dataclass(frozen=True)
class Detection:
    """A blind test of one word on one unit.

    Parameters
    ----------
    active, hard
        Answers on pictures the unit is most active on, and on hard negatives.
    accuracy, low, high
        Share answered right (what nobody could tell counts half), and its interval, in which
        that counts as wrong at the lower end and as right at the upper.
    p
        Fisher's exact test, one-sided: active pictures get no more yes than hard ones.
    p_support, p_flag, q_support, q_flag
        P-values of "accuracy is at most the bar, or active pictures get no more yes" and
        "accuracy is at least the bar"; and both adjusted over all words tested together.
    power
        Chance of flagging a word that tells nothing (accuracy one half) with so many pictures.
    verdict, family
        Verdict, and how many words were tested together.
    more
        About how many more pictures would decide it if answers went on so; 0 when it is decided
        or none ever would.
    """

    active: DetectionCounts
    hard: DetectionCounts
    accuracy: float
    low: float
    high: float
    p: float
    p_support: float
    p_flag: float
    power: float
    q_support: float = 1.0
    q_flag: float = 1.0
    verdict: Verdict = "inconclusive"
    family: int = 1
    more: int = 0

    @property
    def picture_count(self) -> int:
        """Pictures answered."""
        return self.active.picture_count + self.hard.picture_count


def run_detection_test(
    active: DetectionCounts, hard: DetectionCounts, *, bar: float = BAR
) -> Detection:
    """Test one word; verdicts are :func:`assign_detection_verdicts`'s."""
    n = active.picture_count + hard.picture_count
    if n == 0 or active.picture_count == 0 or hard.picture_count == 0:
        nan = float("nan")
        return Detection(active, hard, nan, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0)
    right = active.yes + hard.no
    unsure = active.unsure + hard.unsure
    # At worst, what nobody could tell was wrong; at best, right.
    seen = active.yes + hard.yes + hard.unsure
    p = float(
        hypergeom.sf(active.yes - 1, n, seen, active.picture_count)
    )  # Fisher's exact test, one-sided
    beyond = float(binom.sf(right - 1, n, bar))
    below = float(binom.cdf(right + unsure, n, bar))
    tail = (1 - LEVEL) / 2
    best = right + unsure
    return Detection(
        active,
        hard,
        accuracy=(right + unsure / 2) / n,
        low=0.0 if right == 0 else float(beta.ppf(tail, right, n - right + 1)),
        high=1.0 if best == n else float(beta.ppf(1 - tail, best + 1, n - best)),
        p=p,
        p_support=max(p, beyond),
        p_flag=below,
        power=_power_against_guessing(n, bar),
    )


def assign_detection_verdicts(
    tests: Sequence[Detection], *, q: float = Q, bar: float = BAR
) -> list[Detection]:
    """Give tests made together their verdicts, Benjamini-Hochberg over all of them."""
    known = [not np.isnan(t.accuracy) for t in tests]
    nan = float("nan")
    flags = benjamini_hochberg_q_values(
        [t.p_flag if k else nan for t, k in zip(tests, known, strict=True)]
    )
    supports = benjamini_hochberg_q_values(
        [t.p_support if k else nan for t, k in zip(tests, known, strict=True)]
    )
    made: list[Detection] = []
    for test, known_, flag, support in zip(tests, known, flags, supports, strict=True):
        verdict: Verdict = "inconclusive"
        if known_ and flag <= q:
            verdict = "flagged"
        elif known_ and support <= q:
            verdict = "supported"
        made.append(
            replace(
                test,
                q_flag=float(flag) if known_ else 1.0,
                q_support=float(support) if known_ else 1.0,
                verdict=verdict,
                family=sum(known),
                more=more_pictures_needed(test, bar=bar, q=q) if verdict == "inconclusive" else 0,
            )
        )
    return made


def more_pictures_needed(test: Detection, *, bar: float = BAR, q: float = Q) -> int:
    """How many more pictures would decide a test if answers went on as they are; 0 for none known."""
    if np.isnan(test.accuracy):
        return 0
    share, n = (
        test.accuracy,
        np.arange(test.picture_count + 2 - test.picture_count % 2, MOST + 1, 2),
    )
    right = np.round(share * n)
    tail = binom.sf(right - 1, n, bar) if share > bar else binom.cdf(right, n, bar)
    enough = n[tail <= q]
    return int(enough[0]) - test.picture_count if len(enough) else 0


@lru_cache(maxsize=256)
def _power_against_guessing(n: int, bar: float) -> float:
    """Chance that a word which tells nothing is flagged on its own at level Q."""
    right = np.arange(n + 1)
    flagged = binom.cdf(right, n, bar) <= Q
    return float(binom.pmf(right[flagged], n, 0.5).sum())
