"""Tests of words on D and D′ that z keeps: what people see where the words' units are active."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from circuitz.z.word_match import Population, WordHolds, WordMatch

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z's notes keep them.
NOTE = "word_tests"
#: Answers a search may see, and fresh ones that export is decided on.
Half = Literal["search", "audit"]


@dataclass(frozen=True)
class WordTest:
    """A test of one word on one population.

    Parameters
    ----------
    word
        The concept, as the concept set calls it.
    population, half
        Where it was tested, and by which half of the answers.
    verdict
        Of the sequential test; ``untested`` where it did not decide.
    estimate, low, high
        Share of pictures on which the answer was as the units say, with its 95 % interval; ``None`` without answers.
    right, answers
        Answers as the units say, and all answers that count.
    rater_error, gold
        Share of wrong answers among hidden pictures whose answer is known, and how many there were.
    units
        Units that bore the word, sorted: the test is about them together.
    weights_hash, inputs
        Of the network, and the fingerprint of the pictures.
    raters, simulated
        Who answered, and whether any of them was simulated.
    reason
        Why it is untested, and what else should be known of it; empty where there is nothing.
    pooled_drop
        Whether all words together hold clearly less often on this population than on the concept set,
        by the same raters' answers.
    seed
        The pictures were drawn with it; ``None`` of records of before.
    """

    word: str
    population: Population
    half: Half
    verdict: WordHolds
    estimate: float | None
    low: float | None
    high: float | None
    right: int
    answers: int
    rater_error: float
    gold: int
    units: tuple[str, ...]
    weights_hash: str
    inputs: str
    raters: tuple[str, ...] = ()
    simulated: bool = False
    reason: str = ""
    pooled_drop: bool = False
    seed: int | None = None

    @property
    def match(self) -> WordMatch:
        """The test as the card shows it."""
        return WordMatch(
            self.population, self.verdict, self.estimate, self.low, self.high, self.answers
        )

    def is_about(
        self, units: Iterable[str], weights_hash: str, annotated: Iterable[str] = ()
    ) -> bool:
        """Whether it was made of these units of this network.

        Parameters
        ----------
        units
            Units of which the word holds on the concept set.
        weights_hash
            Of the network.
        annotated
            All that are still said to bear the word: units may have been tested with the others
            of which the word holds on one split of the concept set and not on another.
        """
        mine, made_of = set(units), set(self.units)
        return (
            bool(mine)
            and mine <= made_of <= mine | set(annotated)
            and self.weights_hash == weights_hash
        )


_TUPLES = ("units", "raters")
_NAMES = {field.name for field in fields(WordTest)}
#: Tests of before have none of these.
_NEWER = {"pooled_drop", "seed"}


def with_word_tests(z: AnnotatedModel, tests: Iterable[WordTest]) -> AnnotatedModel:
    """Return z with tests kept; one of the same word, population and half is replaced.

    A test that decided stays where the new one did not, and rests on fewer answers about the same
    units and pictures: who asks again and hears nothing has not lost what was said. Nor is a word that
    failed on one draw of pictures cleared by a draw with another seed: nobody asks until chance is
    kind. Other answers about the first draw clear it.
    """
    kept = {(t.word, t.population, t.half): t for t in word_tests(z)}
    for test in tests:
        slot = (test.word, test.population, test.half)
        if slot not in kept or not _outweighs(kept[slot], test):
            kept[slot] = test
    return z.with_(what="word tests", notes={**z.notes, NOTE: [asdict(t) for t in kept.values()]})


def word_tests(z: AnnotatedModel) -> tuple[WordTest, ...]:
    """Return the tests kept of the present weights; those of other weights say nothing of them."""
    records: Any = z.notes.get(NOTE, [])
    found: list[WordTest] = []
    for record in records:
        if _NAMES - _NEWER <= set(record) <= _NAMES:
            fixed: dict[str, Any] = {**record, **{name: tuple(record[name]) for name in _TUPLES}}
            found.append(WordTest(**fixed))
    return tuple(test for test in found if test.weights_hash == z.weights_hash)


def _outweighs(old: WordTest, new: WordTest) -> bool:
    same = (old.units, old.weights_hash, old.inputs) == (new.units, new.weights_hash, new.inputs)
    if not same:
        return False
    if new.verdict == "untested":
        return old.verdict != "untested" and new.answers < old.answers
    return old.verdict == "fails" and new.verdict == "holds" and old.seed != new.seed
