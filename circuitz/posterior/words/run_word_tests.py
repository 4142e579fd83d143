"""Test whether words hold where z is used, by asking people about pictures of D and D′."""

# ruff: noqa: PT028 - test_words() is a verb, not a test.

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from circuitz.data.unlabelled_pictures import unlabelled_pictures
from circuitz.posterior.words.class_questions import class_evidence_of, plan_class_questions
from circuitz.posterior.words.word_answers import merge_answers_about_words
from circuitz.posterior.words.word_test_plan import WordTestPlan, plan_word_tests
from circuitz.stats.sequential_test import MOST_ANSWERS
from circuitz.store.asking import Ask, AskedQuestion
from circuitz.store.judgement import Judgement
from circuitz.z.class_evidence import with_class_evidence
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.z.word_tests import Half, with_word_tests, word_tests

Progress = Callable[[str, int, int], None]
#: Pictures of a word that are asked about before it is looked whether the word is decided.
BATCH = 12


def test_words(
    z: AnnotatedModel,
    ask: Ask,
    *,
    data: InputSet | None = None,
    shifted: object | None = None,
    words: Sequence[str] | None = None,
    half: Half = "search",
    seed: int = 0,
    most: int = MOST_ANSWERS,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Test on D and on unlabelled D′ whether words hold, and return z with what came out.

    People are asked *does this picture show the word?*: about pictures on which the units that
    bear the word are active, and about pictures on which they are silent. An answer is right when
    it is as the units say; who cannot tell is not right. A word holds, or fails, by a sequential
    test of a share of right answers of at most .70 against one of at least .90
    (:mod:`circuitz.stats.sequential_test`), and stays untested where that does not decide.

    On D′ people are then asked about pictures that the network calls each class, and about others,
    whether the words of the class that hold tell the ones from the others
    (:mod:`circuitz.posterior.words.class_questions`): each word may hold, and something that nobody
    has named make the class.

    Parameters
    ----------
    z
        A measured, annotated model with a cut of one layer.
    ask
        Answers questions: a screen with people before it, simulated people, or the answers in a
        store (:func:`circuitz.answers_from_store`). It is asked in small batches, and no more
        about a word that is decided, or about which it answers nothing. Whoever keeps answers in a
        store loses none when this is interrupted: the same call goes on with them.
    data, shifted
        D, z's own by default; and D′: an ``InputSet``, pictures ``(n, h, w, c)``, or a folder of
        pictures. Neither's labels are read. A population that is not given is not tested.
    words
        Which words; by default all that units of the cut bear and that hold on the concept set.
        Where some alone are named, nobody is asked about classes.
    half
        ``search`` or ``audit``: which half of the pictures (by their content) is asked about, so
        that export is decided on other pictures than a search has seen.
    seed
        Seed of the draws.
    most
        Answers at most, a word and population.
    progress
        Called with what is done, how far, and of how many.

    Returns
    -------
    AnnotatedModel
        z with a record of each word and population (:func:`circuitz.z.word_tests.word_tests`). A
        word that nobody answered about is *untested*, with the reason.

    Raises
    ------
    InputsError
        If there is neither D nor D′, or they hold no pictures.
    LabellingError
        If a word is borne by no unit of the cut.
    MeasurementError
        If z was not measured.
    """
    others = None if shifted is None else unlabelled_pictures(shifted, z)
    plan = plan_word_tests(
        z, data=data, shifted=others, words=words, half=half, seed=seed, most=most,
        progress=progress,
    )  # fmt: skip
    given = ask_in_rounds(plan, ask, progress)
    answers = merge_answers_about_words(given)
    results = plan.results(answers)
    if not results:
        return z
    z = with_word_tests(z, results)
    # Some of the words alone do not say what a class rests on.
    if words is not None:
        return z
    # Verdicts as they stand: a decided one outlasts a test that heard less.
    tested = {(t.word, t.population, t.half) for t in results}
    standing = [t for t in word_tests(z) if (t.word, t.population, t.half) in tested]
    classes = plan_class_questions(z, plan, standing, seed)
    left = {(q.word, q.items): q for one in classes for q in one.questions_left(answers)}
    if left:
        answers = merge_answers_about_words([*given, *ask(list(left.values()))])
    found = class_evidence_of(z, classes, answers)
    return with_class_evidence(z, found)


def ask_in_rounds(
    plan: WordTestPlan, ask: Ask, progress: Progress | None = None
) -> list[Judgement]:
    """Ask until every word is decided or nobody answers about it; returns all answers."""
    batch = None if getattr(ask, "asks_nobody", False) else BATCH
    going = {test: test.first_questions() for test in plan.tests}
    given: list[Judgement] = []
    while going:
        asked = {test: _next_batch(left, batch) for test, left in going.items()}
        questions = [question for some in asked.values() for question in some]
        fresh = list(ask(questions)) if questions else []
        given += fresh
        answers = merge_answers_about_words(given)
        answered = {(row.kind, row.items) for row in fresh}
        for test, some in asked.items():
            outcome = test.outcome(answers)
            nobody = not any((q.judgement_kind, q.items) in answered for q in some)
            if nobody or outcome.verdict != "untested" or outcome.answers >= test.most:
                del going[test]
        if progress is not None:
            progress("test words", len(plan.tests) - len(going), len(plan.tests))
    return given


def _next_batch(left: Iterator[AskedQuestion], batch: int | None) -> list[AskedQuestion]:
    """Take the next questions; the hidden ones go with the first."""
    found: list[AskedQuestion] = []
    about_draws = 0
    for question in left:
        found.append(question)
        about_draws += question.use != "gold"
        if batch is not None and about_draws >= batch:
            break
    return found
