"""Training and pixel edits as proposals of the search by J, on a network that learned snow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import circuitz as cz
from circuitz.errors import SearchError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.source_rows import rows_of_select_split
from circuitz.plausibility.check_settings import PROPOSAL_BAR
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.chain_result import ChainSearchResult
from circuitz.zstar.chains.chain_settings import ChainSettings
from circuitz.zstar.chains.joint_objective import JointObjective
from circuitz.zstar.chains.kept_weights import keep_weights, kept_weights
from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.edits.edit_maker import EditMaker
from circuitz.zstar.kernels import network_trainer
from circuitz.zstar.kernels.edit_pixels import EditPixels
from circuitz.zstar.kernels.network_trainer import NetworkTrainer
from circuitz.zstar.kernels.prior_plan import gains_without_word, plan_from_prior
from circuitz.zstar.kernels.train_weights import TrainWeights
from circuitz.zstar.kernels.words_anew import words_anew

TRAININGS = {"train weights", "edit pixels"}
HOW = ChainSettings.quick(
    proposals=24, silences=0, weights=2, pixels=2, steps=200, inputs=60, flip=False
)


@pytest.fixture(scope="module")
def result(
    caught: AnnotatedModel, prior: FittedPrior, likelihood: FittedLikelihood
) -> ChainSearchResult:
    return cz.search(caught, prior=prior, likelihood=likelihood, settings=HOW)


def worst_group(z: AnnotatedModel, pictures: InputSet, grounds: np.ndarray) -> float:
    assert pictures.labels is not None
    right = runtime(z).logits(np.asarray(pictures.images)).argmax(1) == pictures.labels
    groups = pictures.labels * 3 + grounds
    return min(float(right[groups == g].mean()) for g in np.unique(groups))


def test_trainings_are_accepted_and_repair_what_words_alone_cannot(
    result: ChainSearchResult,
    caught: AnnotatedModel,
    prior: FittedPrior,
    likelihood: FittedLikelihood,
    shifted: tuple[InputSet, np.ndarray],
) -> None:
    rows = {row.kernel: row for row in result.kernels if row.kernel in TRAININGS}
    assert sum(row.proposals for row in rows.values()) == 4
    assert sum(row.gain for row in rows.values()) > 0
    assert result.best.state.network != "start"
    # J's of both arms are comparable under one η alone.
    how = ChainSettings.words_only(proposals=24, inputs=60, images=90, eta=result.eta)
    control = cz.search(caught, prior=prior, likelihood=likelihood, settings=how)
    assert control.z.weights_hash == caught.weights_hash
    assert control.best.j < result.best.j
    before, after = (worst_group(z, *shifted) for z in (caught, result.z))
    assert before < 0.02
    assert after > before + 0.3


def test_what_was_edited_once_is_edited_in_all_later_trainings(
    caught: AnnotatedModel, prior: FittedPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    known = EditMaker.make

    def make(self: EditMaker, z: AnnotatedModel, concepts: tuple[str, ...], tell: object) -> object:
        asked.append(concepts)
        return known(self, z, concepts, tell)  # type: ignore[arg-type]

    monkeypatch.setattr(EditMaker, "make", make)
    networks = SearchedNetworks(caught, Lexicon.load(), inputs=30, images=60, seed=0)
    objective = JointObjective(networks, prior, None)
    edits = EditMaker({}, networks.lexicon, source=None, region_mode="found", seed=0)
    trainer = NetworkTrainer(networks, edits, 20, 1e-3, flip=False)
    networks.network_of(ZState())
    first = networks.state_of("start")
    kernel = EditPixels(trainer, prior, objective.card_of)
    edited = kernel.propose(first, np.random.default_rng(1))
    assert edited is not None
    assert len(edited.state.edited) == 1
    later = TrainWeights(trainer, prior, objective.card_of).propose(
        edited.state, np.random.default_rng(2)
    )
    assert later.state.edited == edited.state.edited == asked[-1]
    plain = TrainWeights(trainer, prior, objective.card_of).propose(first, np.random.default_rng(2))
    assert plain.state.edited == asked[-1] == ()


def test_a_trained_network_is_read_anew_and_what_people_wrote_stays(
    networks: SearchedNetworks,
) -> None:
    first = networks.state_of("start")
    network = networks.network_of(first)
    unit, other = list(network.matches)[:2]
    wrong = first.with_words({unit: ("sand",), other: ("sand",)})
    read = words_anew(wrong, network, fixed={unit})
    assert read.words[unit] == ("sand",)
    for target, names in read.words.items():
        if target != unit:
            scores = network.matches[target]
            assert names == (max(scores, key=lambda name: scores[name]),)
            assert scores[names[0]] >= PROPOSAL_BAR
    silenced = replace(first, silenced=(other,))
    assert other not in words_anew(silenced, network).words


def test_eta_is_fixed_on_all_kinds_of_zs_that_a_search_compares(
    caught: AnnotatedModel,
    prior: FittedPrior,
    likelihood: FittedLikelihood,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[ZState] = []
    known = JointObjective.fix_eta

    def fix_eta(self: JointObjective, references: list[ZState]) -> float:
        seen.extend(references)
        return known(self, references)

    monkeypatch.setattr(JointObjective, "fix_eta", fix_eta)
    how = ChainSettings.quick(
        proposals=3, silences=1, weights=1, pixels=1, steps=20, inputs=60, flip=False
    )
    result = cz.search(caught, prior=prior, likelihood=likelihood, settings=how)
    assert {s.network == "start" for s in seen} == {True, False}
    assert any(s.silenced for s in seen)
    assert any(s.edited for s in seen)
    assert 0 < result.eta <= 1


def test_training_sees_select_rows_alone(
    caught: AnnotatedModel, prior: FittedPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    monkeypatch.setattr(
        network_trainer, "train_weight_step", lambda *_args, rows, **_kw: seen.append(rows)
    )
    cz.search(caught, prior=prior, settings=HOW)
    assert caught.data is not None
    assert seen
    assert all(set(rows) <= set(rows_of_select_split(caught.data)) for rows in seen)


def test_the_plan_goes_by_what_people_think_of_words(
    networks: SearchedNetworks, prior: FittedPrior
) -> None:
    state = networks.state_of("start")
    shown = JointObjective(networks, prior, None).card_of(state)
    gains = gains_without_word(prior, shown)
    assert gains["snow"] > 0 > gains["ears"]
    plan, aimed = plan_from_prior(state, networks.network_of(state), prior, shown)
    index = {unit: i for i, unit in enumerate(networks.network_of(state).units)}
    assert {index[u] for u in state.bearing("snow")} <= set(plan.silence)
    assert not {index[u] for u in state.bearing("ears")} & {*plan.silence, *plan.hide}
    assert set(aimed.vocabulary) - set(state.vocabulary) <= set(prior.words)
    assert dict(aimed.words) != dict(state.words)
    against_ears, _ = plan_from_prior(
        state, networks.network_of(state), prior, shown, unwanted="ears"
    )
    assert {index[u] for u in state.bearing("ears")} <= set(against_ears.silence)


def test_words_the_prior_dislikes_are_edited_most_and_all_some_of_the_time(
    networks: SearchedNetworks, prior: FittedPrior
) -> None:
    objective = JointObjective(networks, prior, None)
    edits = EditMaker({}, networks.lexicon, source=None, region_mode="found", seed=0)
    trainer = NetworkTrainer(networks, edits, 10, 1e-3)
    kernel = EditPixels(trainer, prior, objective.card_of)
    chances = kernel.chances()
    assert max(chances, key=lambda word: chances[word]) == "snow"
    assert min(chances.values()) > 0
    assert sum(chances.values()) == pytest.approx(1)
    edits.unedited.update(dict.fromkeys(chances, "no way was worth taking."))
    with pytest.raises(SearchError, match="no way was worth taking"):
        kernel.propose(networks.state_of("start"), np.random.default_rng(0))


def test_a_search_that_was_stopped_after_a_training_takes_up_its_weights(
    caught: AnnotatedModel,
    prior: FittedPrior,
    likelihood: FittedLikelihood,
    result: ChainSearchResult,
    tmp_path: Path,
) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what.startswith("search") and done == 14:
            raise KeyboardInterrupt

    def run(progress: object) -> ChainSearchResult:
        return cz.search(
            caught, prior=prior, likelihood=likelihood, settings=HOW, checkpoint=tmp_path / "s",
            progress=progress,  # type: ignore[arg-type]
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        run(stop)
    resumed = run(None)
    assert [r.key for r in resumed.records] == [r.key for r in result.records]
    assert resumed.z.weights_hash == result.z.weights_hash


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    weights = {"b.weight": np.arange(3, dtype=np.float32), "a": np.zeros((), np.int64)}
    keep_weights(tmp_path, "trained 1", weights)
    back = kept_weights(tmp_path, "trained 1")
    assert list(back) == list(weights)
    assert all(np.array_equal(back[k], v) and back[k].dtype == v.dtype for k, v in weights.items())
    with pytest.raises(SearchError, match="cannot be read"):
        kept_weights(tmp_path, "trained 2")


def test_a_search_is_due_ten_trainings_or_more_and_a_look_two() -> None:
    whole, quick = ChainSettings(), ChainSettings.quick()
    assert whole.proposals >= 200
    assert whole.weights + whole.pixels >= 10
    assert quick.proposals >= 20
    assert quick.weights + quick.pixels >= 2
    with pytest.raises(SearchError, match="edit pixels"):
        ChainSettings(proposals=10)
