"""A search by J that ends with rounds of fresh judgements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

import circuitz as cz
from circuitz.cards.card import Card
from circuitz.errors import SearchError
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.store.answer_bank import AnswerBank
from circuitz.store.asking import Ask, AskedQuestion, judgement_of_answer
from circuitz.store.judgement import Judgement
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.answers_once import AnswersOnce
from circuitz.zstar.chains.chain_result import ChainSearchResult
from circuitz.zstar.chains.chain_settings import ChainSettings
from circuitz.zstar.chains.end_by_rounds import MOST, OF_LINEAGE, highest_of_lineages
from circuitz.zstar.chains.joint_objective import ScoredZ
from circuitz.zstar.chains.z_state import ZState

from .conftest import Opinion

HOW = ChainSettings.quick(
    proposals=24, silences=0, weights=1, pixels=1, steps=200, inputs=60, flip=False
)


@dataclass(eq=False)
class Crowd:
    """Compares by opinion, or by a coin; says the class whose cues are most active."""

    coin: bool = False
    asked: int = 0

    def __call__(self, questions: Sequence[AskedQuestion]) -> list[Judgement]:
        return [self.answer(q, f"rater {i}") for q in questions for i in range(q.raters)]

    def answer(self, question: AskedQuestion, rater: str) -> Judgement:
        self.asked += 1
        rng = np.random.default_rng([question.seed, self.asked])
        if question.kind == "compare":
            a, b = (Opinion()(card) for card in question.shown["cards"])
            choice = str(rng.choice(["a", "b"])) if self.coin else "a" if a > b else "b"
        else:
            card: Card = question.shown["card"]
            choice = card.names[int(rng.integers(len(card.names)))]
        return judgement_of_answer(
            question,
            {"choice": choice},
            task=f"shift {self.asked}",
            rater=rater,
            rater_kind="simulated",
        )


@pytest.fixture(scope="module")
def search(
    caught: AnnotatedModel,
    prior: FittedPrior,
    likelihood: FittedLikelihood,
    tmp_path_factory: pytest.TempPathFactory,
):
    folder = tmp_path_factory.mktemp("search") / "state"

    def run(ask: Ask) -> ChainSearchResult:
        return cz.search(
            caught, prior=prior, likelihood=likelihood, settings=HOW, ask=ask, checkpoint=folder
        )

    return run


def test_few_of_each_lineage_go_to_people_and_the_start_always() -> None:
    start = ScoredZ(ZState(), -100.0, 0.0)
    words = [{f"conv:{i}": ("ears",)} for i in range(40)]
    alike = [ScoredZ(ZState("start", w), float(i), 0.0) for i, w in enumerate(words)]
    others = [ScoredZ(ZState(f"n{i}"), -float(i), 0.0) for i in range(40)]
    found = highest_of_lineages(start, [start, *alike, *others])
    assert found[0] is start
    assert len(found) == MOST
    assert [one.j for one in found[1 : 1 + OF_LINEAGE]] == [39.0, 38.0]
    assert sum(one.state.network == "start" for one in found[1:]) == OF_LINEAGE


def test_people_choose_on_judgements_that_no_choice_rested_on(
    search: Callable[[Ask], ChainSearchResult],
) -> None:
    result = search(Crowd())
    assert result.state in ("chosen", "start kept")
    assert result.judgements > 80
    assert (result.state == "chosen") == (result.best.state.key != result.start.state.key)
    if result.state == "chosen":
        assert result.fresh_gain is not None
        assert result.fresh_gain.low > 0
    assert result.to_json()["waiting_for"] == 0


def test_without_answers_it_waits_and_goes_on_when_they_are_there(
    search: Callable[[Ask], ChainSearchResult],
) -> None:
    bank = AnswerBank()
    waiting = search(bank)
    assert waiting.state == "waiting"
    assert len(waiting.questions) > 20
    assert "wait for answers" in waiting.remarks[0]
    crowd = Crowd()
    for _ in range(5):
        bank.add(crowd(waiting.questions))
        waiting = search(bank)
        if waiting.state != "waiting":
            break
    assert waiting.state in ("chosen", "start kept")
    assert not waiting.questions


def test_an_answer_counts_in_one_round_alone() -> None:
    question = AskedQuestion("shows", ("p",), ("yes", "no"), 0, word="snow", raters=1)
    first, second = (
        judgement_of_answer(
            question, {"choice": "yes"}, task="t", rater=rater, rater_kind="simulated"
        )
        for rater in ("ada", "ben")
    )
    once = AnswersOnce(lambda _questions: [first, second])
    assert once([question]) == [first]
    assert once([question]) == [second]
    assert once.open_questions == ()
    assert once([question]) == []
    assert once.open_questions == (question,)


def test_where_comparisons_are_foretold_no_better_than_by_chance_it_abstains(
    search: Callable[[Ask], ChainSearchResult],
) -> None:
    result = search(Crowd(coin=True))
    assert result.state == "abstained"
    assert result.best.state.key == result.start.state.key


def test_rounds_need_m_l(caught: AnnotatedModel, prior: FittedPrior) -> None:
    with pytest.raises(SearchError, match="M_L"):
        cz.search(caught, prior=prior, settings=HOW, ask=Crowd())
    with pytest.raises(SearchError, match="rounds of judgements"):
        cz.search(caught, ask=Crowd())  # type: ignore[call-overload]
