"""Chains over a world small enough to try every z of it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from circuitz.errors import SilenceError
from circuitz.zstar.chains.annealed_chain import AnnealedChain, ChainPlan, KernelShare
from circuitz.zstar.chains.joint_objective import ScoredZ
from circuitz.zstar.chains.proposal_record import ProposalRecord, summarise_kernels
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.add_word import AddWord
from circuitz.zstar.kernels.drop_word import DropWord
from circuitz.zstar.kernels.kernel import ZProposal
from circuitz.zstar.kernels.silence_unit import SilenceUnit, UnsilenceUnit
from circuitz.zstar.kernels.word_source import RandomWords
from circuitz.zstar.kernels.word_targets import WordTargets

WORDED = tuple(f"conv:{i}" for i in range(8))
SILENT = WORDED[4:]
WORD = "ears"


class SmallWorld:
    """Eight units that bear a word or none, four of which may be silent: J with pairs that matter.

    Of the 4,096 combinations those remain in which nothing is said of silent units.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.worth = rng.normal(0, 1, 8)
        self.pairs = np.triu(rng.normal(0, 0.5, (8, 8)), 1)
        self.silence = rng.normal(0, 1, 4)
        self.evaluations = 0

    def j(self, state: ZState) -> float:
        x = np.array([unit in state.words for unit in WORDED], float)
        cut = np.array([unit in state.silenced for unit in SILENT], float)
        return float(x @ self.worth + x @ self.pairs @ x + cut @ self.silence)

    def score(self, state: ZState) -> ScoredZ:
        self.evaluations += 1
        return ScoredZ(state, self.j(state), 0.0)

    @property
    def states(self) -> list[ZState]:
        found: list[ZState] = []
        for bits in itertools.product((0, 1), repeat=12):
            words = {u: (WORD,) for u, b in zip(WORDED, bits[:8], strict=True) if b}
            silenced = tuple(u for u, b in zip(SILENT, bits[8:], strict=True) if b)
            if not set(words) & set(silenced):
                found.append(ZState("start", words, silenced))
        return found

    def chain(self, proposals: int, seed: int = 0) -> AnnealedChain:
        targets = WordTargets(lambda _state: dict.fromkeys(WORDED, 1.0))
        kernels = [
            KernelShare(AddWord(targets, RandomWords([WORD]))),
            KernelShare(DropWord(targets)),
            KernelShare(SilenceUnit(targets), 0.5),
            KernelShare(UnsilenceUnit(), 0.5),
        ]
        cached: dict[str, ScoredZ] = {}

        def score(state: ZState) -> ScoredZ:
            if state.key not in cached:
                cached[state.key] = self.score(state)
            return cached[state.key]

        return AnnealedChain(ZState(), score, kernels, ChainPlan(proposals, heat=1.0, seed=seed))


def finished(chain: AnnealedChain) -> AnnealedChain:
    while not chain.is_done:
        chain.step()
    return chain


def test_what_is_accepted_adds_up_and_the_best_is_the_highest_seen() -> None:
    chain = finished(SmallWorld(1).chain(150))
    accepted = [r for r in chain.records if r.outcome == "accepted"]
    assert chain.current.j == pytest.approx(chain.start.j + sum(r.gain for r in accepted))
    visited = [one.j for one in chain.scored.values()]
    assert chain.best.j == pytest.approx(max(r.scored.j for r in accepted if r.scored))
    assert max(visited) >= chain.best.j
    rows = summarise_kernels(chain.records)
    assert sum(row.proposals for row in rows) == 150
    assert sum(row.gain for row in rows) == pytest.approx(chain.current.j - chain.start.j)


def test_at_the_end_nothing_worse_is_accepted() -> None:
    chain = finished(SmallWorld(2).chain(120))
    worse = [r.number for r in chain.records if r.outcome == "accepted" and r.gain < 0]
    assert worse
    assert max(worse) <= 80
    plan = chain.plan
    assert plan.temperature(1) == pytest.approx(1.0)
    assert plan.temperature(81) == 0.0


def test_the_same_seed_makes_the_same_chain_and_one_that_was_cut_goes_on_to_the_same_end() -> None:
    whole = finished(SmallWorld(3).chain(60))
    again = finished(SmallWorld(3).chain(60))
    assert [r.key for r in again.records] == [r.key for r in whole.records]
    half = SmallWorld(3).chain(60)
    for _ in range(25):
        half.step()
    rest = SmallWorld(3).chain(60)
    taken_up = AnnealedChain(
        ZState(), rest.score, rest.kernels, rest.plan,
        records=[ProposalRecord(**r.to_json()) for r in half.records],
    )  # fmt: skip
    assert taken_up.best.state.key == half.best.state.key
    assert [r.key for r in finished(taken_up).records] == [r.key for r in whole.records]


def test_a_kernel_that_fails_is_one_failed_proposal_with_its_reason() -> None:
    class Breaks:
        name = "breaks"

        def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
            if rng.random() < 0.5:
                raise SilenceError("conv:1 is constant.", "Name another.")
            return ZProposal(replace(state, network="nowhere"), "go nowhere")

    world = SmallWorld(4)
    chain = world.chain(80)
    known = chain.score

    def score(state: ZState) -> ScoredZ:
        if state.network == "nowhere":
            return ScoredZ(state, float("nan"), 0.0)
        return known(state)

    broken = AnnealedChain(
        ZState(), score, [*chain.kernels, KernelShare(Breaks(), 2.0)], chain.plan
    )
    finished(broken)
    failed = [r for r in broken.records if r.outcome == "failed"]
    assert {r.kernel for r in failed} == {"breaks"}
    assert {r.why for r in failed} == {
        "SilenceError: conv:1 is constant.", "ValueError: its J is not finite"
    }  # fmt: skip
    assert broken.best.j > broken.start.j


def test_of_several_readings_of_one_change_the_one_of_the_highest_j_is_proposed() -> None:
    class ReadsTwice:
        name = "reads twice"

        def propose(self, state: ZState, rng: np.random.Generator) -> ZProposal | None:
            readings = (replace(state, network="b"), replace(state, network="c"))
            return ZProposal(replace(state, network="a"), "train", readings=readings)

    worth = {"start": 0.0, "a": -1.0, "b": 2.0, "c": 1.0}
    chain = AnnealedChain(
        ZState(),
        lambda state: ScoredZ(state, worth[state.network], 0.0),
        [KernelShare(ReadsTwice(), 1.0)],
        ChainPlan(1, heat=0.0),
    )
    record = finished(chain).records[1]
    assert (record.outcome, record.gain) == ("accepted", 2.0)
    assert chain.best.state.network == "b"


def test_each_group_gets_its_proposals_evenly_spread() -> None:
    groups = ChainPlan(200, (("weights", 10), ("silences", 20))).groups()
    assert [groups.count(name) for name in ("words", "weights", "silences")] == [170, 10, 20]
    at = [i for i, name in enumerate(groups) if name == "weights"]
    assert max(np.diff(at)) <= 21


@pytest.mark.parametrize(
    "changes", [{}, {"words": {"conv:1": ("ears",)}}, {"silenced": ("a:1",)}, {"edited": ("snow",)}]
)
def test_states_survive_json_and_keys_tell_them_apart(changes: dict) -> None:
    state = replace(ZState("start", {"conv:0": ("tail", "snow")}), **changes)
    back = ZState.from_json(state.to_json())
    assert (back, back.key) == (state, state.key)
    assert state.key != replace(state, network="step 1").key
    assert state.changes_from(state) == 0
    assert state.with_words({"conv:9": ("legs",)}).changes_from(state) == 1
