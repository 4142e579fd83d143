"""What a check is asked for, and the bars it holds words to."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from circuitz.errors import CheckError
from circuitz.z.inputs import SPLITS
from circuitz.z.word_match import POPULATIONS, Population

#: An annotation passes its match when both scores reach this and the correlation is significant.
MATCH_BAR = 0.30
#: A rule proposes an annotation only well above the bar, so that what it proposes on *select*
#: still passes on *test* although the best of many was chosen.
PROPOSAL_BAR = 0.40
#: Two concepts whose labels correlate this much cannot be told apart by any unit.
COINCIDE = 0.90
#: Resampling the whole cut must change a class's margin by this many logits; below, the network
#: does not tell the class apart at the cut and shares of that change mean nothing.
SCALE_FLOOR = 0.5


@dataclass(frozen=True)
class CheckSettings:
    """Numbers a verdict depends on.

    Parameters
    ----------
    split
        Images that verdicts rest on: ``test`` or ``audit`` (``select`` has chosen the rivals, so
        verdicts on it are too kind and serve only to look).
    delta
        Margin: effects below it, in shares of the whole cut's, count as none.
    q
        False discovery rate within a kind of finding, for *flagged* and for *supported* alike.
    unexplained_bound
        Share of a class's effect that may stay unexplained.
    match_bar
        Normalised average precision and correlation an annotation must reach.
    level
        Level of intervals.
    populations
        Where a word must have been tested, and hold, to count: ``concepts``, ``D``, ``D'``. One
        that fails on D or D′ counts as none in any case.
    """

    split: str = "test"
    delta: float = 0.10
    q: float = 0.05
    unexplained_bound: float = 0.5
    match_bar: float = MATCH_BAR
    level: float = 0.95
    populations: tuple[Population, ...] = ("concepts",)

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise CheckError(
                f"There is no split {self.split!r}.", f"Choose one of {', '.join(SPLITS)}."
            )
        if isinstance(self.populations, str) or not set(self.populations) <= set(POPULATIONS):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise CheckError(
                f"Words cannot be asked to hold on {self.populations!r}.",
                f"Give some of {', '.join(map(repr, POPULATIONS))}, as a tuple.",
            )
        for name in ("delta", "q", "unexplained_bound", "match_bar", "level"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
                raise CheckError(
                    f"{name} is {value!r}.", "Give a number between 0 and 1, for instance 0.1."
                )

    @property
    def split_index(self) -> int:
        """Number of the split in ``SPLITS``."""
        return SPLITS.index(self.split)

    def as_dict(self) -> dict[str, str | float]:
        """Return settings by name, as stored with a report."""
        settings = asdict(self)
        # Told where it is not what it always was: reports of before are compared whole.
        populations = ", ".join(name for name in POPULATIONS if name in settings["populations"])
        del settings["populations"]
        more = {} if set(self.populations) <= {"concepts"} else {"populations": populations}
        return {**settings, **more}
