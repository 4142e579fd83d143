"""Do the words of a class tell it where z is used? Questions about D and D′, and what answers say.

Each word may hold while no word is what makes the class: units that bear true words may carry,
besides, something that nobody has named. So pictures that the network calls a class are compared
with others that it does not, by what people see of the class's words on them. Of a picture, the
evidence is the sum of the strengths of the words that are seen; it is scored by the area under the
ROC curve (Hanley and McNeil 1982, *Radiology* 143, for its error). No label of D′ is read.

The same words are asked about on D: where they tell the class there, and less well on D′, something
makes the class on D′ that went along with them on D.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu

from circuitz.posterior.words.population_pictures import PopulationPictures, number_from_hash
from circuitz.posterior.words.word_answers import AnswersAboutWords, PictureAnswer
from circuitz.store.asking import NO, YES, AskedQuestion
from circuitz.z.class_evidence import FEWEST_PICTURES, ClassEvidence
from circuitz.z.word_match import Population
from circuitz.z.word_tests import WordTest

if TYPE_CHECKING:
    from circuitz.measurement.cut_responses import CutResponses
    from circuitz.posterior.words.one_word_test import OneWordTest
    from circuitz.posterior.words.word_test_plan import WordTestPlan
    from circuitz.z.model import AnnotatedModel

F64 = npt.NDArray[np.float64]
#: The words are chosen on the first; a class is compared with itself on the second.
POPULATIONS: tuple[Population, ...] = ("D'", "D")
#: Pictures that the network calls the class, and as many others.
PICTURES = 20
#: Words of a class that are asked about, the strongest first; weaker ones than this are not.
WORDS, LEAST_STRENGTH = 5, 0.02
_SEEN = {YES: 1.0, NO: 0.0}
_TWO_SIDED = 1.96


@dataclass(frozen=True, eq=False)
class ClassQuestions:
    """The questions about one class on one population.

    Parameters
    ----------
    target, pictures
        The class, and the population.
    called, others
        Pictures (indices into the population's) that the network calls so, and others.
    words
        The tests of its words, which ask about a picture.
    strengths
        ``(w,)`` what each word's units drive the class by, in shares.
    seed
        The pictures were chosen with it.
    """

    target: str
    pictures: PopulationPictures
    called: tuple[int, ...]
    others: tuple[int, ...]
    words: tuple[OneWordTest, ...]
    strengths: F64
    seed: int

    def questions_left(self, answers: AnswersAboutWords) -> list[AskedQuestion]:
        """Return the questions that nobody has answered."""
        return [
            word.question_about(index)
            for index in (*self.called, *self.others)
            for word in self.words
            if not word.is_answered(answers, word.pictures.hashes[index])
        ]

    def evidence(self, answers: AnswersAboutWords) -> tuple[F64, F64, bool]:
        """Return the evidence of answered pictures, called and others, and if any was simulated."""
        found: list[F64] = []
        simulated = False
        for rows in (self.called, self.others):
            sums: list[float] = []
            for index in rows:
                told = [w.answer_about(answers, index) for w in self.words]
                given = [a for a in told if a is not None]
                if len(given) == len(told):
                    sums.append(
                        float(self.strengths @ np.array(list(map(_value_of_answer, given))))
                    )
                    simulated = simulated or any(a.simulated for a in given)
            found.append(np.array(sums))
        return found[0], found[1], simulated


def plan_class_questions(
    z: AnnotatedModel, plan: WordTestPlan, results: Sequence[WordTest], seed: int
) -> tuple[ClassQuestions, ...]:
    """Choose pictures of D′ and D, and words, for every class.

    Parameters
    ----------
    z
        The model.
    plan, results
        Tests of its words, and what came out: words alone are asked about that hold on D′ and,
        where they were tested there, on D.
    seed
        Seed of the choice of pictures.

    Returns
    -------
    tuple of ClassQuestions
        Those of D′ first. None without D′: how well words tell classes on D alone is no question.
    """
    effects = None if z.measurements is None else z.measurements.effects
    if effects is None or POPULATIONS[0] not in plan.populations:
        return ()
    lost = {r.word for r in results if r.verdict != "holds"}
    held = {(t.name, t.word): t for t in plan.tests if t.word not in lost}
    words = [word for name, word in held if name == POPULATIONS[0]]
    found: list[ClassQuestions] = []
    for name in POPULATIONS:
        pictures = plan.populations.get(name)
        if pictures is None:
            continue
        lot = np.array([number_from_hash("class", seed, one) for one in pictures.hashes])
        for k, target in enumerate(z.classes):
            if target not in effects.targets:
                continue
            drive = np.nan_to_num(
                effects.drive[:, effects.targets.index(target)].astype(np.float64)
            )
            strengths = {
                word: float(
                    sum(drive[effects.unit_index[u]] for u in held[POPULATIONS[0], word].units)
                )
                for word in words
            }
            chosen = _strongest(strengths)
            called = pictures_called(pictures.seen, k, z.head)
            found.append(
                ClassQuestions(
                    target,
                    pictures,
                    _by_lot(np.flatnonzero(called), lot),
                    _by_lot(np.flatnonzero(~called), lot),
                    tuple(held[name, word] for word in chosen),
                    np.array([strengths[word] for word in chosen], np.float64),
                    seed,
                )
            )
    return tuple(found)


def class_evidence_of(
    z: AnnotatedModel, questions: Sequence[ClassQuestions], answers: AnswersAboutWords
) -> tuple[ClassEvidence, ...]:
    """Return what answers say of every class on every population."""
    found: list[ClassEvidence] = []
    for one in questions:
        called, others, simulated = one.evidence(answers)
        area = low = high = None
        if one.words and min(len(called), len(others)) >= FEWEST_PICTURES:
            area, low, high = area_with_interval(called, others)
        found.append(
            ClassEvidence(
                one.target, one.pictures.population, one.pictures.half, area, low, high, len(called),
                len(others), tuple(w.word for w in one.words), z.weights_hash,
                one.pictures.fingerprint, simulated, one.seed,
            )
        )  # fmt: skip
    return tuple(found)


def area_with_interval(called: F64, others: F64) -> tuple[float, float, float]:
    """Return the area under the ROC curve and its 95 % interval (Hanley and McNeil 1982)."""
    m, n = len(called), len(others)
    area = float(mannwhitneyu(called, others).statistic) / (m * n)
    both_called, both_others = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (m - 1) * (both_called - area**2)
    variance = (variance + (n - 1) * (both_others - area**2)) / (m * n)
    half = _TWO_SIDED * float(np.sqrt(max(variance, 0.0)))
    return area, max(area - half, 0.0), min(area + half, 1.0)


def pictures_called(seen: CutResponses, k: int, head: str) -> npt.NDArray[np.bool_]:
    """``(n,)`` whether the network calls pictures class ``k``; of several labels each by itself."""
    return seen.logits[:, k] > 0 if head == "multi-label" else seen.predicted == k


def _strongest(strengths: Mapping[str, float]) -> list[str]:
    order = sorted(strengths, key=lambda word: -abs(strengths[word]))
    return [word for word in order if abs(strengths[word]) >= LEAST_STRENGTH][:WORDS]


def _by_lot(rows: npt.NDArray[np.int64], lot: F64) -> tuple[int, ...]:
    return tuple(int(i) for i in rows[np.argsort(lot[rows], kind="stable")][:PICTURES])


def _value_of_answer(answer: PictureAnswer) -> float:
    """Return 1 for seen and 0 for not seen; who cannot tell says neither."""
    return _SEEN.get(answer.choice, 0.5)
