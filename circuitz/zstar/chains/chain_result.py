"""What a search by J came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from circuitz.plausibility.report import Report
from circuitz.posterior.choice.gain_on_fresh import FreshGain
from circuitz.store.asking import AskedQuestion
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.joint_objective import ScoredZ
from circuitz.zstar.chains.proposal_record import (
    KernelSummary,
    ProposalRecord,
    summarise_kernels,
)

SearchState = Literal["not judged", "chosen", "start kept", "waiting", "abstained"]


@dataclass(frozen=True, eq=False)
class ChainSearchResult:
    """What a search by J came to.

    Parameters
    ----------
    z
        The z it ends with: z*, or the start where that is kept.
    report
        Its check on *test*.
    state
        ``not judged``: the z of the highest J, which no fresh judgement has confirmed; it overstates
        its J. After rounds of fresh judgements ``chosen``, ``start kept``, ``waiting`` (z is that of
        the highest J until they are answered) or ``abstained``.
    start, best
        The start and the z it ends with, with their J.
    records
        Every proposal.
    lam, eta
        λ and η.
    is_complete
        Whether all proposals were made; time may have run out.
    remarks
        What should be known of it, one sentence each.
    fresh_gain
        J(z*) − J(start) on judgements that no choice rested on; ``None`` without.
    judgements
        How many judgements the end rests on.
    questions
        What is waited for.
    """

    z: AnnotatedModel
    report: Report
    state: SearchState
    start: ScoredZ
    best: ScoredZ
    records: tuple[ProposalRecord, ...]
    lam: float
    eta: float
    is_complete: bool
    remarks: tuple[str, ...] = ()
    fresh_gain: FreshGain | None = None
    judgements: int = 0
    questions: tuple[AskedQuestion, ...] = ()

    @property
    def gain(self) -> float:
        """J of the best less that of the start, nats; overstated as long as nobody judged."""
        return self.best.j - self.start.j

    @property
    def kernels(self) -> tuple[KernelSummary, ...]:
        """What the proposals of each kernel came to."""
        return summarise_kernels(self.records)

    @property
    def lineage(self) -> tuple[ProposalRecord, ...]:
        """The accepted proposals that lead from the start to the best z, in order."""
        made = {r.key: r for r in reversed(self.records) if r.outcome in ("accepted", "start")}
        path: list[ProposalRecord] = []
        key = self.best.state.key
        while key in made and made[key] not in path:
            path.append(made[key])
            key = made[key].parent
        return tuple(reversed(path))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without z."""
        return {
            "state": self.state,
            "lam": self.lam,
            "eta": self.eta,
            "start": _terms(self.start),
            "best": _terms(self.best),
            "gain": self.gain,
            "fresh_gain": None if self.fresh_gain is None else asdict(self.fresh_gain),
            "judgements": self.judgements,
            "waiting_for": len(self.questions),
            "proposals": sum(r.outcome != "start" for r in self.records),
            "complete": self.is_complete,
            "kernels": [
                {**vars(row), "gain_per_100": row.gain_per_100} for row in self.kernels
            ],
            "lineage": [
                {"number": r.number, "kernel": r.kernel, "what": r.what, "gain": r.gain}
                for r in self.lineage
            ],
            "remarks": list(self.remarks),
        }  # fmt: skip


def _terms(scored: ScoredZ) -> dict[str, float | str]:
    return {
        "key": scored.state.key, "j": scored.j, "prior": scored.prior,
        "likelihood": scored.likelihood,
    }  # fmt: skip
