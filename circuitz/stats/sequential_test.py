"""A sequential test of a share that is seen through answers that may be wrong.

Wald's sequential probability ratio test (Wald 1945, *Annals of Mathematical Statistics* 16) of a
share A of at most .70 against one of at least .90. Who answers errs on a share ε of questions, so
that an answer comes out right with probability m = ε + (1 − 2ε) A. ε itself is known from few
questions whose answer is known: *holds* must be reached with ε at its lower limit, where wrong
answers tell most against the share, and *fails* with ε at its upper, where raters may explain most
of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from circuitz.errors import InputsError

#: A share up to the first does not hold, one from the second on does.
NOT_HOLDING, HOLDING = 0.70, 0.90
#: Chance of *holds* at the first, and of *fails* at the second, where the test runs to its end.
ALPHA = BETA = 0.05
#: Answers after which a test that has not decided is given up.
MOST_ANSWERS = 60
#: What is known of a rater's errors before any is seen: 5 %, as sure as 40 answers make it.
PRIOR_WRONG, PRIOR_RIGHT = 2.0, 38.0
LIMIT_LEVEL = 0.90
# Raters who are wrong half the time say nothing; a limit beyond that would turn answers round.
_LARGEST_ERROR = 0.45
SequentialVerdict = Literal["holds", "fails", "undecided"]


@dataclass(frozen=True)
class RaterError:
    """How often raters err, from questions whose answer is known.

    Parameters
    ----------
    share
        Mean of the posterior.
    low, high
        One-sided limits at 90 % each.
    wrong, n
        Wrong answers to such questions, and all.
    """

    share: float
    low: float
    high: float
    wrong: int
    n: int


def rater_error_from_known_answers(wrong: int, n: int) -> RaterError:
    """Return the share of wrong answers with its limits, prior Beta(2, 38).

    Raises
    ------
    InputsError
        If more answers are wrong than there are.
    """
    if not 0 <= wrong <= n:
        raise InputsError(f"{wrong} of {n} answers cannot be wrong.", "Count again.")
    a, b = PRIOR_WRONG + wrong, PRIOR_RIGHT + n - wrong
    low, high = (float(beta.ppf(level, a, b)) for level in (1 - LIMIT_LEVEL, LIMIT_LEVEL))
    return RaterError(a / (a + b), min(low, _LARGEST_ERROR), min(high, _LARGEST_ERROR), wrong, n)


def share_of_right_answers(share: float, error: float) -> float:
    """Return m = ε + (1 − 2ε) A."""
    return error + (1 - 2 * error) * share


@dataclass(frozen=True)
class SequentialTest:
    """The test, with the rater's error at its limits.

    Parameters
    ----------
    error_low, error_high
        ε that *holds* and that *fails* is reached with.
    most
        Answers after which it is given up.
    """

    error_low: float
    error_high: float
    most: int = MOST_ANSWERS

    def __post_init__(self) -> None:
        if not 0 <= self.error_low <= self.error_high < 0.5:
            raise InputsError(
                f"Raters err on {self.error_low} to {self.error_high} of questions.",
                "Give shares below one half, the smaller first.",
            )
        if self.most < 1:
            raise InputsError(f"{self.most} answers decide nothing.", "Allow 1 or more.")

    @classmethod
    def from_rater_error(cls, error: RaterError, most: int = MOST_ANSWERS) -> SequentialTest:
        """Return the test for raters of this error."""
        return cls(error.low, error.high, most)

    def verdict_at(self, right: int, wrong: int) -> SequentialVerdict:
        """Return what these counts say, had the test not ended before."""
        if self._log_ratio(right, wrong, self.error_low) >= math.log((1 - BETA) / ALPHA):
            return "holds"
        if self._log_ratio(right, wrong, self.error_high) <= math.log(BETA / (1 - ALPHA)):
            return "fails"
        return "undecided"

    def run(self, answers: Iterable[bool]) -> tuple[SequentialVerdict, int, int]:
        """Go through answers in their order until the test decides or is given up.

        Parameters
        ----------
        answers
            Whether each was right.

        Returns
        -------
        The verdict, right answers, and all answers that it rests on.
        """
        right = n = 0
        for answer in answers:
            right += bool(answer)
            n += 1
            verdict = self.verdict_at(right, n - right)
            if verdict != "undecided" or n >= self.most:
                return verdict, right, n
        return "undecided", right, n

    @staticmethod
    def _log_ratio(right: int, wrong: int, error: float) -> float:
        low, high = (share_of_right_answers(a, error) for a in (NOT_HOLDING, HOLDING))
        return right * math.log(high / low) + wrong * math.log((1 - high) / (1 - low))


@dataclass(frozen=True)
class OperatingCharacteristics:
    """What a test does with a share.

    Parameters
    ----------
    holds, fails, undecided
        Chances of the verdicts; they sum to 1.
    answers
        Answers it takes on average.
    """

    holds: float
    fails: float
    undecided: float
    answers: float


def operating_characteristics(
    test: SequentialTest, share: float, error: float
) -> OperatingCharacteristics:
    """Return exactly what a test does, by dynamic programming over counts.

    Parameters
    ----------
    test
        The test.
    share
        A, as it is in truth.
    error
        ε, as it is in truth.
    """
    if not (0 <= share <= 1 and 0 <= error <= 1):
        raise InputsError(f"A share of {share}, an error of {error}?", "Give values from 0 to 1.")
    m = share_of_right_answers(share, error)
    ended = {"holds": 0.0, "fails": 0.0}
    answers = 0.0
    # going[r]: chance that the test goes on with r right answers so far.
    going: npt.NDArray[np.float64] = np.ones(1)
    for n in range(1, test.most + 1):
        answers += float(going.sum())
        going = np.append(going * (1 - m), 0.0) + np.append(0.0, going * m)
        for right in range(n + 1):
            verdict = test.verdict_at(right, n - right) if going[right] else "undecided"
            if verdict != "undecided":
                ended[verdict] += float(going[right])
                going[right] = 0.0
    return OperatingCharacteristics(ended["holds"], ended["fails"], float(going.sum()), answers)
