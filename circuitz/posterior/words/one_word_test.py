"""The test of one word on one population: its questions, and what answers to them say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from circuitz.posterior.words.population_pictures import PopulationPictures, number_from_hash
from circuitz.posterior.words.word_answers import AnswersAboutWords, PictureAnswer
from circuitz.posterior.words.word_draws import PictureDraw
from circuitz.stats.counted_shares import share_with_wilson_interval
from circuitz.stats.sequential_test import (
    RaterError,
    SequentialTest,
    rater_error_from_known_answers,
)
from circuitz.store.asking import NO, YES, AskedQuestion
from circuitz.store.judgement import Use
from circuitz.z.inputs import InputSet
from circuitz.z.word_match import POPULATION_NAMES, Population, WordHolds
from circuitz.z.word_tests import WordTest

_DECIDED: dict[str, WordHolds] = {"holds": "holds", "fails": "fails"}


@dataclass(frozen=True, eq=False)
class GoldPicture:
    """A picture of the concept set that is mixed in, and whose answer is known.

    Parameters
    ----------
    row, picture
        Its row, and content hash.
    shows
        Whether it shows the word, by its label.
    units_say_yes
        Whether the word's units are active on it.
    inputs
        The concept set.
    """

    row: int
    picture: str
    shows: bool
    units_say_yes: bool
    inputs: InputSet


@dataclass(frozen=True)
class WordTestOutcome:
    """What answers say of one word on one population.

    Parameters
    ----------
    verdict
        ``untested`` where the test has not decided.
    right, answers
        Answers as the units say, and all that count.
    error
        Of the raters.
    concept_right, concept_answers
        The same raters' answers to the hidden pictures of the concept set: those that are as the
        units say, and all.
    raters, simulated
        Who answered.
    open
        Draws that nobody has answered.
    """

    verdict: WordHolds
    right: int
    answers: int
    error: RaterError
    concept_right: int
    concept_answers: int
    raters: tuple[str, ...]
    simulated: bool
    open: int


@dataclass(frozen=True, eq=False)
class OneWordTest:
    """A test of one word on one population.

    Parameters
    ----------
    word, units, weights_hash
        What is tested.
    name, pictures
        The population.
    draws
        Pictures in the order that they are asked; none where the units are active nowhere.
    gold
        Hidden pictures whose answer is known.
    seed
        The draws were made with it.
    most
        Answers at most.
    """

    word: str
    units: tuple[str, ...]
    weights_hash: str
    name: Population
    pictures: PopulationPictures
    draws: tuple[PictureDraw, ...]
    gold: tuple[GoldPicture, ...]
    seed: int
    most: int

    def outcome(self, answers: AnswersAboutWords) -> WordTestOutcome:
        """Go through the answers in the order of the draws, as far as the test needs them.

        Pictures that nobody answered, or that are not usable, are passed over.
        """
        told = [(gold, a) for gold in self.gold if (a := answers.about(self.word, gold.picture))]
        wrong = sum(a.choice != (YES if gold.shows else NO) for gold, a in told)
        error = rater_error_from_known_answers(wrong, len(told))
        answered = list(self._answered_draws(answers))
        verdict, right, n = SequentialTest.from_rater_error(error, self.most).run(
            _is_as_units_say(a, draw.units_say_yes) for draw, a in answered
        )
        who = [a for _, a in (*told, *answered[:n])]
        return WordTestOutcome(
            _DECIDED.get(verdict, "untested"),
            right,
            n,
            error,
            sum(_is_as_units_say(a, gold.units_say_yes) for gold, a in told),
            len(told),
            tuple(sorted({name for a in who for name in a.raters})),
            any(a.simulated for a in who),
            len(self.draws) - len(answered) - self._unusable_draws(answers),
        )

    def record(self, outcome: WordTestOutcome) -> WordTest:
        """Return what came out as z keeps it."""
        share = share_with_wilson_interval(outcome.right, outcome.answers)
        some = outcome.answers > 0
        return WordTest(
            word=self.word,
            population=self.name,
            half=self.pictures.half,
            verdict=outcome.verdict,
            estimate=share.value if some else None,
            low=share.low if some else None,
            high=share.high if some else None,
            right=outcome.right,
            answers=outcome.answers,
            rater_error=outcome.error.share,
            gold=outcome.error.n,
            units=self.units,
            weights_hash=self.weights_hash,
            inputs=self.pictures.fingerprint,
            raters=outcome.raters,
            simulated=outcome.simulated,
            reason=self._why_untested(outcome) if outcome.verdict == "untested" else "",
            seed=self.seed,
        )

    def first_questions(self) -> Iterator[AskedQuestion]:
        """Give all questions in the order they are asked, those whose answer is known first."""
        yield from map(self._question_about_gold, self.gold)
        yield from (self.question_about(draw.index) for draw in self.draws)

    def questions_left(self, answers: AnswersAboutWords, most: int) -> list[AskedQuestion]:
        """Return questions that nobody answered, while the test has not decided.

        Parameters
        ----------
        most
            How many of the draws at most, and never more than may count.
        """
        outcome = self.outcome(answers)
        if outcome.verdict != "untested" or outcome.answers >= self.most or not self.draws:
            return []
        wanted = min(most, self.most - outcome.answers)
        left = [
            draw
            for draw in self.draws
            if not self.is_answered(answers, self.pictures.hashes[draw.index])
        ]
        gold = [one for one in self.gold if not self.is_answered(answers, one.picture)]
        return [
            *map(self._question_about_gold, gold),
            *(self.question_about(draw.index) for draw in left[:wanted]),
        ]

    def question_about(self, index: int) -> AskedQuestion:
        """Return the question about one picture of the population."""
        use: Use = "train" if self.pictures.half == "search" else "held-out"
        row = int(self.pictures.rows[index])
        return self._question(
            self.pictures.hashes[index], self.pictures.inputs, row, self.name, use
        )

    def answer_about(self, answers: AnswersAboutWords, index: int) -> PictureAnswer | None:
        """Return what was said of one picture of the population, if anybody said anything."""
        return answers.about(self.word, self.pictures.hashes[index])

    def is_answered(self, answers: AnswersAboutWords, picture: str) -> bool:
        """Whether somebody answered about a picture, or called it not usable."""
        found = answers.about(self.word, picture)
        return found is not None or answers.is_unusable(self.word, picture)

    def _answered_draws(
        self, answers: AnswersAboutWords
    ) -> Iterator[tuple[PictureDraw, PictureAnswer]]:
        for draw in self.draws:
            found = answers.about(self.word, self.pictures.hashes[draw.index])
            if found is not None:
                yield draw, found

    def _unusable_draws(self, answers: AnswersAboutWords) -> int:
        return sum(
            answers.is_unusable(self.word, self.pictures.hashes[draw.index]) for draw in self.draws
        )

    def _question_about_gold(self, gold: GoldPicture) -> AskedQuestion:
        return self._question(gold.picture, gold.inputs, gold.row, "concepts", "gold")

    def _question(
        self, picture: str, inputs: InputSet, row: int, population: Population, use: Use
    ) -> AskedQuestion:
        return AskedQuestion(
            "shows",
            (picture,),
            (YES, NO),
            seed=int(1e9 * number_from_hash("question", self.seed, self.word, picture)),
            word=self.word,
            use=use,
            shown={"picture": inputs.images[row], "row": row, "population": population},
        )

    def _why_untested(self, outcome: WordTestOutcome) -> str:
        name = POPULATION_NAMES[self.name]
        if not self.draws:
            return f"its units are active on no picture of {name} ({self.pictures.half} half)"
        if not outcome.answers:
            return "nobody was asked"
        if outcome.answers >= self.most:
            return f"{outcome.right} of {outcome.answers} answers lie between holding and failing"
        if outcome.open:
            return (
                f"{outcome.right} of {outcome.answers} answers do not decide, and more are needed"
            )
        return (
            f"{outcome.right} of {outcome.answers} answers do not decide, and there are no other "
            f"pictures of {name} to ask about"
        )


def _is_as_units_say(answer: PictureAnswer, units_say_yes: bool) -> bool:
    """Whether an answer is as the units say; who cannot tell does not confirm them."""
    return answer.choice == (YES if units_say_yes else NO)
