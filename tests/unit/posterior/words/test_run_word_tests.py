from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import circuitz as cz
from circuitz.errors import InputsError, LabellingError, MeasurementError
from circuitz.measurement.measure import measure
from circuitz.posterior.words.word_answers import merge_answers_about_words
from circuitz.posterior.words.word_test_plan import plan_word_tests
from circuitz.store.answer_bank import AnswerBank
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements
from circuitz.z.class_evidence import class_evidence
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.z.pixel_hashes import pixel_hashes
from circuitz.z.word_tests import word_tests
from tests.unit.posterior.words.conftest import Painters, answer_to

Make = Callable[..., Painters]


def verdicts(z: AnnotatedModel) -> dict[tuple[str, str], str]:
    return {(t.word, t.population): t.verdict for t in word_tests(z)}


def test_words_that_are_true_hold_where_the_model_is_used(
    caught: AnnotatedModel, pictures: InputSet, painters: Make
) -> None:
    raters = painters()
    z = cz.test_words(caught, raters, shifted=pictures, words=["snow", "ears"])
    assert set(verdicts(z).values()) == {"holds"}
    assert set(verdicts(z)) == {(w, p) for w in ("snow", "ears") for p in ("D", "D'")}
    snow = word_tests(z)[0]
    assert (snow.simulated, snow.raters, snow.gold, snow.half) == (True, ("Ada",), 12, "search")
    assert snow.low is not None
    assert snow.high is not None
    assert snow.low < snow.right / snow.answers <= snow.high
    assert z.hash == caught.hash, "who answers changes nothing of what z is"
    report = cz.check(z)
    assert "on D 2 hold" in repr(report)
    assert "answers of simulated raters" in repr(report)
    # A word is no longer asked about when it is decided, and nothing is asked twice.
    asked = Counter((q.word, q.items) for q in raters.seen if q.use != "gold")
    assert max(asked.values()) <= 2  # once for D, once for D′
    assert sum(asked.values()) < 4 * 60


def test_asking_again_and_hearing_nothing_loses_no_verdict(
    caught: AnnotatedModel, pictures: InputSet, painters: Make
) -> None:
    first = cz.test_words(caught, painters(), shifted=pictures)
    again = cz.test_words(first, lambda _: [], shifted=pictures)
    assert verdicts(again) == verdicts(first)
    assert class_evidence(again) == class_evidence(first)
    # More is heard: that counts, whatever it says.
    liars = painters(error=1.0, name="Bob")
    heard = cz.test_words(again, liars, shifted=pictures)
    assert verdicts(heard) != verdicts(first)
    # What is said of other units says nothing of these.
    silent = cz.test_words(caught, lambda _: [], shifted=pictures)
    assert set(verdicts(silent).values()) == {"untested"}
    assert set(verdicts(cz.test_words(silent, painters(), shifted=pictures)).values()) != {
        "untested"
    }


def test_a_word_that_is_right_by_chance_of_the_concept_set_fails_where_it_is_not(
    caught: AnnotatedModel, block_world: tuple[InputSet, InputSet], pictures: InputSet,
    painters: Make,
) -> None:  # fmt: skip
    data, concepts = block_world
    assert concepts.concepts is not None
    assert concepts.split is not None
    assert concepts.scene is not None
    assert concepts.masks is not None
    # Snow lies where there are ears, and nobody labels snow: snow units match *ears*.
    rows = np.flatnonzero(concepts.concepts[:, 0] == concepts.concepts[:, 3])
    tied = replace(
        concepts, images=concepts.images[rows], concepts=concepts.concepts[rows, :3],
        concept_names=concepts.concept_names[:3], split=concepts.split[rows],
        scene=concepts.scene[rows], masks=concepts.masks[rows],
    )  # fmt: skip
    snow = [u for u, a in caught.effective().items() if a.text == "snow" and u.startswith("conv3:")]
    z = caught.with_(log=())
    for unit in snow[:6]:
        z = z.annotate(unit, "ears", concepts=("ears",))
    z = measure(z, tied, data, images=90)
    before = [f for f in cz.check(z).findings if f.kind == "mislabelled-unit"]
    assert any(f.verdict == "supported" for f in before)
    tested = cz.test_words(z, painters(), shifted=pictures)
    assert verdicts(tested)["ears", "D'"] == "fails"
    report = cz.check(tested)
    words = [f for f in report.findings if f.kind == "mislabelled-unit"]
    assert not any(f.verdict == "supported" for f in words)
    assert any("D′" in f.sentence and "simulated" in f.sentence for f in words)
    assert all(x[0] >= y[0] for x, y in zip(
        report.unexplained.values(), cz.check(z).unexplained.values(), strict=True))  # fmt: skip
    # The other half says the same, on other pictures.
    first, second = painters(), painters()
    cz.test_words(z, first, shifted=pictures)
    audit = cz.test_words(z, second, shifted=pictures, half="audit")
    assert verdicts(audit)["ears", "D'"] == "fails"
    assert not {q.items for q in first.seen} & {q.items for q in second.seen}
    assert {q.use for q in second.seen} == {"gold", "held-out"}


def test_without_raters_words_are_untested_and_say_why(
    caught: AnnotatedModel, pictures: InputSet
) -> None:
    asked: list[AskedQuestion] = []

    def nobody(questions: Sequence[AskedQuestion]) -> list[Judgement]:
        asked.extend(questions)
        return []

    z = cz.test_words(caught, nobody, shifted=pictures)
    assert set(verdicts(z).values()) == {"untested"}
    assert {t.reason for t in word_tests(z)} == {"nobody was asked"}
    assert len(asked) <= len(word_tests(z)) * 24, "who does not answer is not asked on"
    z = cz.test_words(caught, nobody)
    assert {t.population for t in word_tests(z)} == {"D"}
    gone = InputSet(
        np.zeros((40, 24, 24, 3), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None, None]
    )
    dark = cz.test_words(caught, nobody, shifted=gone, words=["snow"])
    found = next(t for t in word_tests(dark) if t.population == "D'")
    assert found.verdict == "untested"
    assert "active on no picture of D′" in found.reason


def test_raters_who_err_or_cannot_tell_never_make_a_word_hold(
    caught: AnnotatedModel, painters: Make
) -> None:
    def unsure(questions: Sequence[AskedQuestion]) -> list[Judgement]:
        return [answer_to(q, "cannot tell") for q in questions]

    z = cz.test_words(caught, unsure, words=["snow"])
    found = word_tests(z)[0]
    assert found.verdict != "holds"
    assert not found.simulated
    assert found.right == 0
    coin = cz.test_words(caught, painters(error=0.5), words=["snow"])
    assert word_tests(coin)[0].verdict != "holds"
    assert word_tests(coin)[0].rater_error > 0.1

    def broken(questions: Sequence[AskedQuestion]) -> list[Judgement]:
        return [answer_to(q, "not usable") for q in questions]

    none = word_tests(cz.test_words(caught, broken, words=["snow"]))[0]
    assert (none.verdict, none.answers) == ("untested", 0)


def test_answers_of_a_store_decide_and_what_is_missing_is_known(
    caught: AnnotatedModel, pictures: InputSet, painters: Make, tmp_path: Path
) -> None:
    plan = plan_word_tests(caught, shifted=pictures, words=["snow"])
    store = Judgements(tmp_path / "a.sqlite")
    nothing = merge_answers_about_words([])
    first = plan.questions_left(nothing, most=6)
    assert len(first) == 2 * (12 + 6)
    assert {q.shown["population"] for q in first} == {"concepts", "D", "D'"}
    store.append(painters()(first))
    some = cz.test_words(caught, cz.answers_from_store(store), shifted=pictures, words=["snow"])
    assert set(verdicts(some).values()) == {"untested"}
    assert {t.answers for t in word_tests(some)} == {6}
    assert all("more are needed" in t.reason for t in word_tests(some))
    left = plan.questions_left(merge_answers_about_words(store.rows()))
    assert {q.items for q in left}.isdisjoint({q.items for q in first})

    # Somebody stops in the middle: what was answered is there, and the same call goes on with it.
    def stopped(questions: Sequence[AskedQuestion]) -> list[Judgement]:
        store.append(painters()(questions[:5]))
        raise KeyboardInterrupt

    before = len(store)
    with pytest.raises(KeyboardInterrupt):
        cz.test_words(caught, AnswerBank(stopped, store.rows()), shifted=pictures, words=["snow"])
    assert len(store) == before + 5
    raters = painters()
    done = cz.test_words(caught, AnswerBank(raters, store.rows()), shifted=pictures, words=["snow"])
    assert set(verdicts(done).values()) == {"holds"}


def test_one_bank_serves_all_models(
    caught: AnnotatedModel, pictures: InputSet, painters: Make
) -> None:
    raters = painters()
    bank = AnswerBank(raters)
    cz.test_words(caught, bank, shifted=pictures, words=["snow"])
    once = len(raters.seen)
    again = cz.test_words(caught, bank, shifted=pictures, words=["snow"])
    assert len(raters.seen) == once
    assert set(verdicts(again).values()) == {"holds"}


def test_copies_of_a_picture_count_once_and_labels_of_the_shifted_set_are_not_read(
    caught: AnnotatedModel, shifted: tuple[InputSet, np.ndarray], painters: Make
) -> None:
    labelled, _ = shifted
    double = InputSet(np.concatenate([labelled.images, labelled.images]))
    z = cz.test_words(caught, painters(), shifted=double, words=["snow"])
    same = cz.test_words(caught, painters(), shifted=labelled, words=["snow"])
    assert word_tests(z) == word_tests(same)
    assert len(set(pixel_hashes(double))) == len(labelled)


def test_words_that_hold_less_often_there_than_on_the_concept_set_are_told(
    caught: AnnotatedModel, pictures: InputSet, painters: Make
) -> None:
    raters = painters()

    def worse_elsewhere(questions: Sequence[AskedQuestion]) -> list[Judgement]:
        rows = raters(questions)
        return [
            answer_to(q, row.answer["choice"] if k % 5 or q.use == "gold" else "cannot tell")
            for k, (q, row) in enumerate(zip(questions, rows, strict=True))
            if row.answer is not None
        ]

    z = cz.test_words(caught, worse_elsewhere, shifted=pictures)
    said = [t.reason for t in word_tests(z) if "all words together hold on" in t.reason]
    assert said
    assert all("of the concept set, by the same raters' answers" in reason for reason in said)


def test_what_cannot_be_tested_is_refused_by_name(caught: AnnotatedModel, painters: Make) -> None:
    with pytest.raises(LabellingError, match="No unit of the cut bears ‘unicorn’"):
        cz.test_words(caught, painters(), words=["unicorn"])
    with pytest.raises(LabellingError, match="no half"):
        cz.test_words(caught, painters(), half="both")  # pyright: ignore[reportArgumentType]
    with pytest.raises(LabellingError, match="decide nothing"):
        cz.test_words(caught, painters(), most=0)
    with pytest.raises(InputsError, match="neither D nor D′"):
        cz.test_words(caught.with_(data=None), painters())
    with pytest.raises(MeasurementError):
        cz.test_words(caught.with_(measurements=None), painters())
    tokens = InputSet(np.zeros((5, 4), np.int32))
    with pytest.raises(InputsError, match="holds no pictures"):
        cz.test_words(caught, painters(), shifted=tokens)
