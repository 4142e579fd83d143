"""One chain of proposals, accepted or rejected by J: annealing that ends as a hill climb.

A proposal that changes J by ΔJ is accepted with probability min(1, e^{ΔJ / T}), as Metropolis has it.
T falls geometrically from the heat of the settings to a twentieth of it over the first two thirds
of the proposals; from there on T = 0 and only what is no worse is accepted. Kernels are not
corrected for how likely the way back is (no Hastings ratio): this searches for the highest J, and
draws no sample of the posterior.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from circuitz.errors import CircuitzError
from circuitz.zstar.chains.joint_objective import ScoredZ
from circuitz.zstar.chains.proposal_record import Outcome, ProposalRecord
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.kernels.kernel import Kernel, ZProposal

_COOLING = 2 / 3
_COOLEST = 0.05
# Kernels that have nothing to change here give way to another, so often.
_TRIES = 6

Score = Callable[[ZState], ScoredZ]


@dataclass(frozen=True)
class KernelShare:
    """A kernel and how often it is drawn.

    Parameters
    ----------
    kernel
        The kernel.
    share
        Among those of its group, in any unit.
    group
        ``words`` is proposed when nothing else is due; ``silences`` a set number of times.
    """

    kernel: Kernel
    share: float = 1.0
    group: str = "words"


@dataclass(frozen=True)
class ChainPlan:
    """What a chain does.

    Parameters
    ----------
    proposals
        How many.
    due
        By group other than words, how many proposals are its.
    heat
        Temperature of the first proposal, nats.
    seed, chain
        Everything random of proposal i is drawn from seed, chain and i.
    """

    proposals: int
    due: tuple[tuple[str, int], ...] = ()
    heat: float = 1.0
    seed: int = 0
    chain: int = 0

    def temperature(self, number: int) -> float:
        """Return T of a proposal, from 1."""
        along = (number - 1) / max(_COOLING * self.proposals, 1)
        return 0.0 if along >= 1 else self.heat * _COOLEST**along

    def groups(self) -> list[str]:
        """Return the group of every proposal: those of each group spread evenly, words between."""
        groups = ["words"] * self.proposals
        for name, count in self.due:
            at = (np.arange(count) + 0.5) * self.proposals / max(count, 1)
            for place in at.astype(int).tolist():
                free = [i for i, group in enumerate(groups) if group == "words"]
                if free:
                    groups[min(free, key=lambda i: abs(i - place))] = name
        return groups


class AnnealedChain:
    """A chain as it goes.

    Parameters
    ----------
    start
        The z it begins with.
    score
        J of a z.
    kernels
        What proposes.
    plan
        See :class:`ChainPlan`.
    records
        What a chain that was stopped had done; it goes on from there.
    on_record
        Called with every new record.
    """

    def __init__(
        self,
        start: ZState,
        score: Score,
        kernels: Sequence[KernelShare],
        plan: ChainPlan,
        *,
        records: Sequence[ProposalRecord] = (),
        on_record: Callable[[ProposalRecord], None] | None = None,
    ) -> None:
        self.score, self.kernels, self.plan = score, kernels, plan
        self.on_record = on_record or (lambda _record: None)
        self.records = list(records)
        self.scored: dict[str, ScoredZ] = {}
        if not self.records:
            self._add(_start_record(score(start), plan.chain))
        (self.current, self.best) = self._take_up()

    @property
    def start(self) -> ScoredZ:
        """The z it began with."""
        scored = self.records[0].scored
        assert scored is not None
        return scored

    @property
    def is_done(self) -> bool:
        """Whether all proposals were made."""
        return len(self.records) > self.plan.proposals

    def step(self) -> ProposalRecord:
        """Make one proposal, and accept or reject it."""
        number = len(self.records)
        rng = np.random.default_rng([self.plan.seed, self.plan.chain, number])
        began, before = time.perf_counter(), self.current
        kernel, proposal, scored, why = self._proposal(number, rng)
        temperature = self.plan.temperature(number)
        gain = 0.0 if scored is None else scored.j - before.j
        outcome: Outcome = "nothing to change"
        if why:
            outcome = "failed"
        elif scored is not None:
            outcome = "accepted" if _accepts(gain, temperature, rng) else "refused"
            why = "" if outcome == "accepted" else f"J falls by {-gain:.2f}"
        record = ProposalRecord(
            number=number,
            chain=self.plan.chain,
            kernel=kernel,
            outcome=outcome,
            source="" if proposal is None else proposal.source,
            what="" if proposal is None else proposal.what,
            why=why,
            parent=before.state.key,
            key="" if scored is None else scored.state.key,
            prior=None if scored is None else scored.prior,
            likelihood=None if scored is None else scored.likelihood,
            gain=gain,
            temperature=temperature,
            seconds=round(time.perf_counter() - began, 4),
            state=None if scored is None else scored.state.to_json(),
        )
        self._add(record)
        if scored is not None and outcome == "accepted":
            self.current = scored
            if scored.j > self.best.j:
                self.best = scored
        return record

    def _proposal(
        self, number: int, rng: np.random.Generator
    ) -> tuple[str, ZProposal | None, ScoredZ | None, str]:
        """Return kernel, proposal and its score, or why it failed."""
        group = self.plan.groups()[number - 1]
        pool = [one for one in self.kernels if one.group == group] or list(self.kernels)
        shares = np.array([one.share for one in pool])
        name, proposal = "", None
        try:
            for _ in range(_TRIES):
                kernel = pool[int(rng.choice(len(pool), p=shares / shares.sum()))].kernel
                name, proposal = kernel.name, None
                proposal = kernel.propose(self.current.state, rng)
                if proposal is not None and proposal.state.key != self.current.state.key:
                    states = (proposal.state, *proposal.readings)
                    scored = max((self._finite_score(s) for s in states), key=lambda s: s.j)
                    return name, proposal, scored, ""
        except Exception as problem:  # noqa: BLE001, RUF100 - one proposal fails, the search goes on
            return name, proposal, None, _reason(problem)
        return name, None, None, ""

    def _finite_score(self, state: ZState) -> ScoredZ:
        scored = self.score(state)
        if not np.isfinite([scored.prior, scored.likelihood]).all():
            raise ValueError("its J is not finite")
        return scored

    def _add(self, record: ProposalRecord) -> None:
        self.records.append(record)
        if record.scored is not None:
            self.scored.setdefault(record.key, record.scored)
        self.on_record(record)

    def _take_up(self) -> tuple[ScoredZ, ScoredZ]:
        """Return the z the chain is at, and the best, after what was done before."""
        current = best = self.start
        for record in self.records:
            scored = record.scored
            if scored is None:
                continue
            self.scored.setdefault(record.key, scored)
            if record.outcome == "accepted":
                current = scored
                best = scored if scored.j > best.j else best
        return current, best


def _start_record(scored: ScoredZ, chain: int) -> ProposalRecord:
    return ProposalRecord(
        0, chain, "start", "start", key=scored.state.key, prior=scored.prior,
        likelihood=scored.likelihood, state=scored.state.to_json(),
    )  # fmt: skip


def _accepts(gain: float, temperature: float, rng: np.random.Generator) -> bool:
    if gain >= 0:
        return True
    return temperature > 0 and bool(rng.random() < np.exp(gain / temperature))


def _reason(problem: Exception) -> str:
    text = problem.message if isinstance(problem, CircuitzError) else str(problem)
    return f"{type(problem).__name__}: {text}"[:300]
