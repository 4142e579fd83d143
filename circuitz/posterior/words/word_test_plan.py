"""Which questions decide whether words hold on D and D′, and what answers to them say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from circuitz.errors import InputsError, LabellingError, MeasurementError
from circuitz.plausibility.check import check
from circuitz.posterior.words.one_word_test import GoldPicture, OneWordTest
from circuitz.posterior.words.pooled_drop import with_remark_on_pooled_drop
from circuitz.posterior.words.population_pictures import (
    PopulationPictures,
    half_of_picture,
    read_population,
    rows_of_half,
)
from circuitz.posterior.words.word_answers import AnswersAboutWords
from circuitz.posterior.words.word_draws import PictureDraw, draw_pictures, draws_to_ask
from circuitz.posterior.words.word_units import WordUnits, fit_word_probe, make_word_units
from circuitz.stats.sequential_test import MOST_ANSWERS
from circuitz.store.asking import AskedQuestion
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import Measurements
from circuitz.z.model import AnnotatedModel
from circuitz.z.pixel_hashes import pixel_hashes
from circuitz.z.word_match import POPULATION_NAMES, Population, units_bearing_words
from circuitz.z.word_tests import Half, WordTest

Progress = Callable[[str, int, int], None]
#: Hidden pictures whose answer is known, of a word and a population.
GOLD = 12


@dataclass(frozen=True, eq=False)
class WordTestPlan:
    """Tests of words on populations, with the pictures that are asked about.

    Parameters
    ----------
    tests
        One a word and population.
    populations
        The pictures.
    """

    tests: tuple[OneWordTest, ...]
    populations: Mapping[Population, PopulationPictures]

    @cached_property
    def pictures(self) -> frozenset[str]:
        """Content hashes of all pictures that questions may be about."""
        found = {picture for p in self.populations.values() for picture in p.hashes}
        return frozenset(found | {g.picture for test in self.tests for g in test.gold})

    @cached_property
    def gold_labels(self) -> dict[tuple[str, str], bool]:
        """By word and content hash of a hidden picture: whether it shows the word."""
        return {(test.word, g.picture): g.shows for test in self.tests for g in test.gold}

    def results(self, answers: AnswersAboutWords) -> tuple[WordTest, ...]:
        """Return what the answers say of every word on every population."""
        outcomes = [test.outcome(answers) for test in self.tests]
        records = tuple(
            test.record(outcome) for test, outcome in zip(self.tests, outcomes, strict=True)
        )
        return with_remark_on_pooled_drop(records, outcomes)

    def questions_left(
        self, answers: AnswersAboutWords, most: int = MOST_ANSWERS
    ) -> tuple[AskedQuestion, ...]:
        """Return the questions that undecided tests still need, at most this many a test."""
        return tuple(q for test in self.tests for q in test.questions_left(answers, most))


def plan_word_tests(
    z: AnnotatedModel,
    *,
    data: InputSet | None = None,
    shifted: InputSet | None = None,
    words: Sequence[str] | None = None,
    half: Half = "search",
    seed: int = 0,
    most: int = MOST_ANSWERS,
    progress: Progress | None = None,
) -> WordTestPlan:
    """Run z on D and D′ and draw the pictures that words are tested on.

    Parameters
    ----------
    z
        A measured, annotated model.
    data, shifted
        D (z's own by default) and D′; no label of them is read.
    words
        Which words; by default all that units of the cut bear and that hold on the concept set.
    half
        Half of the pictures to ask about.
    seed
        Seed of the draws.
    most
        Answers at most, a word and population.

    Raises
    ------
    InputsError
        If there is neither D nor D′, or they are no pictures.
    LabellingError
        If a word is borne by no unit, or so few answers decide nothing.
    MeasurementError
        If z was not measured.
    """
    if most < 1:
        raise LabellingError(f"{most} answers decide nothing.", "Allow 1 or more.")
    if half not in ("search", "audit"):
        raise LabellingError(f"There is no half {half!r}.", "Choose search or audit.")
    data = z.data if data is None else data
    concept_set = z.concept_set
    if z.measurements is None or concept_set is None or len(z.cut) != 1:
        raise MeasurementError(
            "Words can be tested of a measured z with a cut of one layer.",
            "Run z = cz.measure(z, concept_set, data) first.",
        )
    inputs: dict[Population, InputSet] = {}
    if data is not None:
        inputs["D"] = data
    if shifted is not None:
        inputs["D'"] = shifted
    if not inputs:
        raise InputsError("There is neither D nor D′ to test words on.", "Give data or shifted.")
    bearing = units_bearing_words(check(z, untrained=True).words, z.cut)
    chosen = _choose_words(bearing, words)
    populations: dict[Population, PopulationPictures] = {}
    for name, given_inputs in inputs.items():

        def report(done: int, total: int, what: str = POPULATION_NAMES[name]) -> None:
            if progress is not None:
                progress(f"run the network on {what}", done, total)

        if chosen:
            populations[name] = read_population(z, given_inputs, name, half, report)
    around = _Surroundings(z, z.measurements, concept_set, populations, half, seed, most)
    tests = [test for word in chosen for test in around.tests_of_word(word, bearing[word])]
    return WordTestPlan(tuple(tests), populations)


def _choose_words(
    bearing: Mapping[str, tuple[str, ...]], words: Sequence[str] | None
) -> tuple[str, ...]:
    if words is None:
        return tuple(bearing)
    unknown = [word for word in words if word not in bearing]
    if unknown:
        raise LabellingError(
            f"No unit of the cut bears ‘{unknown[0]}’ and matches it on the concept set.",
            f"Words that can be tested: {', '.join(bearing) or 'none'}.",
        )
    return tuple(dict.fromkeys(words))


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """What all tests of one z share."""

    z: AnnotatedModel
    measured: Measurements
    concept_set: InputSet
    populations: Mapping[Population, PopulationPictures]
    half: Half
    seed: int
    most: int

    def tests_of_word(self, word: str, units: tuple[str, ...]) -> list[OneWordTest]:
        """Draw the pictures of one word on every population."""
        reference = self.measured.layers[self.z.cut[0]].responses
        bearer = make_word_units(word, units, self.measured, self.concept_set, self.z.classes)
        probe = fit_word_probe(bearer, self.concept_set, reference)
        gold = self._draw_gold(bearer, reference, probe)
        found: list[OneWordTest] = []
        for i, (name, pictures) in enumerate(self.populations.items()):
            responses = pictures.seen.responses
            draws = draw_pictures(
                bearer,
                pictures.hashes,
                responses,
                probe(responses),
                pictures.seen.predicted,
                most=draws_to_ask(self.most),
                seed=self.seed,
            )
            found.append(
                OneWordTest(
                    word=word,
                    units=bearer.units,
                    weights_hash=self.z.weights_hash,
                    pictures=pictures,
                    draws=tuple(draws),
                    gold=tuple(gold[i :: len(self.populations)]),
                    seed=self.seed,
                    most=self.most,
                    name=name,
                )
            )
        return found

    def _draw_gold(
        self,
        bearer: WordUnits,
        reference: np.ndarray,
        probe: Callable[[np.ndarray], np.ndarray],
    ) -> list[GoldPicture]:
        """Draw pictures of the concept set whose label is known, in the way the others are."""
        taken = frozenset(p for some in self.populations.values() for p in some.hashes)
        hashes = pixel_hashes(self.concept_set)
        rows = rows_of_half(hashes, self.half, taken)
        rows = rows[np.isin(bearer.labels[rows], (0.0, 1.0))]
        if not len(rows):
            return []
        draws: list[PictureDraw] = draw_pictures(
            bearer,
            [hashes[row] for row in rows],
            reference[rows],
            probe(reference[rows]),
            None,
            most=GOLD * len(self.populations),
            seed=self.seed,
        )
        assert all(half_of_picture(hashes[rows[d.index]]) == self.half for d in draws)
        return [
            GoldPicture(
                int(rows[d.index]),
                hashes[rows[d.index]],
                bool(bearer.labels[rows[d.index]] == 1),
                d.units_say_yes,
                self.concept_set,
            )
            for d in draws
        ]
