"""The search by J on a network that learned snow, with raters who like parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import circuitz as cz
from circuitz.cards.make_card import card
from circuitz.errors import SearchError
from circuitz.plausibility.check import check
from circuitz.plausibility.word_report import report_words
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.chain_folder import PROPOSALS, best_in_folder
from circuitz.zstar.chains.chain_result import ChainSearchResult
from circuitz.zstar.chains.chain_settings import ChainSettings
from circuitz.zstar.chains.searched_networks import SearchedNetworks, words_on_cut
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.search_settings import SearchSettings

HOW = ChainSettings.quick(proposals=30, silences=2, weights=0, pixels=0, inputs=60)


@pytest.fixture(scope="module")
def result(
    caught: AnnotatedModel, prior: FittedPrior, likelihood: FittedLikelihood
) -> ChainSearchResult:
    return cz.search(caught, prior=prior, likelihood=likelihood, settings=HOW)


def test_j_rises_and_the_best_z_is_the_one_returned(result: ChainSearchResult) -> None:
    assert result.gain > 0
    assert result.best.j == pytest.approx(result.best.prior + result.best.likelihood)
    assert result.state == "not judged"
    assert "overstates" in result.remarks[0]
    said = words_on_cut(result.z, cz.Lexicon.load())
    assert said == dict(result.best.state.words)
    assert result.lineage[0].outcome == "start"
    assert sum(r.gain for r in result.lineage) == pytest.approx(result.gain)
    record = json.loads(json.dumps(result.to_json()))
    assert record["gain"] == pytest.approx(result.gain)
    assert record["proposals"] == 30


def test_cards_of_a_search_are_those_of_a_check(caught: AnnotatedModel) -> None:
    report, words = check(caught), report_words(caught)
    assert words.words == report.words
    assert dict(words.unexplained) == report.unexplained
    assert card(caught, words).hash == card(caught, report).hash


def test_every_state_can_be_made_and_read_back(networks: SearchedNetworks) -> None:
    start = networks.state_of("start")
    assert networks.realise(start).hash == networks.trained("start").hash
    changed = start.with_words({"conv3:0": ("tail", "legs"), "conv3:1": ()})
    z = networks.realise(changed)
    assert words_on_cut(z, networks.lexicon) == dict(changed.words)
    assert z.lineage[-1]["what"] == "search: words"
    silent = networks.realise(ZState("start", dict(start.words), ("conv3:0",)))
    assert silent.weights_hash != z.weights_hash


def test_a_stopped_search_leaves_its_best_and_goes_on_to_the_same_end(
    caught: AnnotatedModel,
    prior: FittedPrior,
    likelihood: FittedLikelihood,
    result: ChainSearchResult,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state"

    def stop(what: str, done: int, total: int) -> None:
        if what.startswith("search") and done == 12:
            raise KeyboardInterrupt

    def run(progress: Callable[[str, int, int], None]) -> ChainSearchResult:
        return cz.search(
            caught, prior=prior, likelihood=likelihood, settings=HOW, checkpoint=folder,
            progress=progress,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        run(stop)
    left = best_in_folder(folder)
    assert left is not None
    # A line that was being written when the process died.
    with (folder / PROPOSALS).open("a") as file:
        file.write('{"number": 12, "chai')
    whats: list[str] = []
    resumed = run(lambda what, done, _total: whats.append(f"{what} {done}"))
    assert resumed.best.state.key == result.best.state.key
    assert [r.key for r in resumed.records] == [r.key for r in result.records]
    assert resumed.eta == result.eta
    assert any("prior" in what and "likelihood" in what for what in whats)
    assert not any(what.startswith("search") and what.endswith(" 3") for what in whats)
    with pytest.raises(SearchError, match="other models"):
        cz.search(caught, prior=prior, settings=HOW, checkpoint=folder)


def test_words_of_people_are_left_as_they_are(caught: AnnotatedModel, prior: FittedPrior) -> None:
    z = caught.annotate("conv3:1", "snow", author="ada")
    found = cz.search(z, prior=prior, settings=HOW)
    assert all("conv3:1" in r.scored.state.words for r in found.records if r.scored and not
               r.scored.state.silenced)  # fmt: skip
    assert "J without M_L: no likelihood was given." in found.remarks


def test_models_and_settings_that_do_not_go_together_are_refused(
    caught: AnnotatedModel, prior: FittedPrior, likelihood: FittedLikelihood
) -> None:
    with pytest.raises(SearchError, match="takes ChainSettings"):
        cz.search(caught, prior=prior, settings=SearchSettings())  # type: ignore[call-overload]
    with pytest.raises(SearchError, match="M_L alone"):
        cz.search(caught, likelihood=likelihood)  # type: ignore[call-overload]
    with pytest.raises(SearchError, match="with fitted models"):
        cz.search(caught, settings=ChainSettings())  # type: ignore[call-overload]
    with pytest.raises(SearchError, match="cannot silence"):
        ChainSettings(proposals=3, silences=4)
