"""Whether a network agrees with its words where it is used: people say what a few pictures show."""

# ruff: noqa: PT028 - test_agreement() is a verb, not a test.

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.data.unlabelled_pictures import unlabelled_pictures
from circuitz.effects.picture_words import words_of_pictures
from circuitz.effects.rewrite import cut_of_one_layer, rewrite
from circuitz.effects.rewrite_result import FaceValueRewrite, with_agreement
from circuitz.effects.unit_words import words_of_units
from circuitz.errors import InputsError
from circuitz.plausibility.graded_proposals import grade_words
from circuitz.posterior.words.population_pictures import number_from_hash, rows_of_half
from circuitz.store.asking import NO, YES, Ask, AskedQuestion
from circuitz.store.judgement import Judgement, Use
from circuitz.z.inputs import InputSet
from circuitz.z.pixel_hashes import pixel_hashes
from circuitz.z.word_match import Population
from circuitz.z.word_tests import Half

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[str, int, int], None]
#: Pictures of a population of which people say every word.
PICTURES = 60
#: Fewer pictures of which every word is known tell too little for a card.
FEWEST_PICTURES = 20


@dataclass(frozen=True, eq=False)
class AgreementQuestions:
    """Pictures of one population of which every word has to be known.

    Parameters
    ----------
    population
        ``D`` or ``D'``.
    inputs
        All its pictures.
    rows
        ``(n,)`` int64, those that are asked about.
    questions
        What their labels leave open, word after word.
    """

    population: Population
    inputs: InputSet
    rows: npt.NDArray[np.int64]
    questions: tuple[AskedQuestion, ...]


def plan_agreement_questions(
    z: AnnotatedModel,
    *,
    data: InputSet | None = None,
    shifted: object | None = None,
    pictures: int = PICTURES,
    half: Half = "search",
    raters: int = 1,
    seed: int = 0,
) -> tuple[AgreementQuestions, ...]:
    """Choose pictures of D and D′, by their content, and ask whether they show the words of z.

    Parameters are those of :func:`test_agreement`.
    """
    spec = cut_of_one_layer(z)
    columns = words_of_units(z, spec).columns
    own = z.data if data is None else data
    sets: list[tuple[Population, InputSet]] = [] if own is None else [("D", own)]
    if shifted is not None:
        sets.append(("D'", unlabelled_pictures(shifted, z)))
    if not sets:
        raise InputsError("There is neither D nor D′ to ask about.", "Give data or shifted.")
    use: Use = "train" if half == "search" else "held-out"
    planned: list[AgreementQuestions] = []
    for population, inputs in sets:
        hashes = pixel_hashes(inputs)
        rows = rows_of_half(hashes, half)
        lot = [number_from_hash("agreement", seed, hashes[row]) for row in rows]
        rows = np.sort(rows[np.argsort(lot, kind="stable")][:pictures])
        labelled = words_of_pictures(inputs, columns).values[rows]
        questions = tuple(
            AskedQuestion(
                "shows", (hashes[row],), (YES, NO),
                seed=int(1e9 * number_from_hash("question", seed, word, hashes[row])),
                word=word, use=use, raters=raters,
                shown={"picture": inputs.images[row], "row": int(row), "population": population},
            )
            for w, word in enumerate(columns)
            for i, row in enumerate(rows)
            if np.isnan(labelled[i, w])
        )  # fmt: skip
        planned.append(AgreementQuestions(population, inputs, rows, questions))
    return tuple(planned)


def agreements(
    z: AnnotatedModel,
    planned: Sequence[AgreementQuestions],
    answers: Iterable[Judgement],
    *,
    permutations: int = 20,
    seed: int = 0,
) -> tuple[FaceValueRewrite, ...]:
    """Rewrite the pictures of which every word is known by now; those with too few are left out."""
    given = list(answers)
    spec = cut_of_one_layer(z)
    columns = words_of_units(z, spec).columns
    found: list[FaceValueRewrite] = []
    for one in planned:
        known = words_of_pictures(one.inputs, columns, None, given).values
        if columns and (~np.isnan(known).any(1)).sum() >= FEWEST_PICTURES:
            found.append(
                rewrite(z, one.inputs, answers=given, permutations=permutations, seed=seed)
            )
    return tuple(found)


def test_agreement(
    z: AnnotatedModel,
    ask: Ask,
    *,
    data: InputSet | None = None,
    shifted: object | None = None,
    pictures: int = PICTURES,
    half: Half = "search",
    raters: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Ask what pictures of D and D′ show, and keep how often the network agrees with its words.

    People say of a few pictures whether they show each word of z's cut; then the network is run on
    what they said instead of on the pictures (:func:`circuitz.rewrite`). How often it still
    chooses its class stands on the card. Words that a rule proposed are first told more fully
    (:func:`circuitz.grade_words`), for a main word alone seldom carries a unit.

    Parameters
    ----------
    z
        A measured, annotated model with D and a cut of one layer.
    ask
        Answers questions, as in :func:`circuitz.test_words`; a store's answers do
        (:func:`circuitz.answers_from_store`).
    data, shifted
        D, z's own by default; and D′. D′ comes without labels; no class of either is read.
    pictures
        Pictures of each population. A word of a picture that D's concept labels tell is not asked
        about.
    half
        ``search`` or ``audit``: which half of the pictures, by their content.
    raters
        How many people are to answer each question; a word holds of a picture as far as the mean
        of their answers.
    seed
        Of the choice of pictures, and of donors and permutations.
    progress
        Called with what is done, how far, and of how many.

    Returns
    -------
    AnnotatedModel
        z with graded words and with its agreement by population; without it where fewer than 20 pictures of a
        population have a value for every word.

    Raises
    ------
    InputsError
        If there is neither D nor D′.
    InterventionError
        If the cut has more than one layer, or the head is multi-label.
    MeasurementError, ConceptLabelsError
        If z was not measured on labelled pictures.
    """
    z = grade_words(z)
    planned = plan_agreement_questions(
        z, data=data, shifted=shifted, pictures=pictures, half=half, raters=raters, seed=seed
    )
    questions = [question for one in planned for question in one.questions]
    given = list(ask(questions)) if questions else []
    if progress is not None:
        progress("agreement with its words", 1, 2)
    found = agreements(z, planned, given, seed=seed)
    if progress is not None:
        progress("agreement with its words", 2, 2)
    return with_agreement(z, *found) if found else z
