"""What became of a proposal, and of all proposals of a kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from circuitz.zstar.chains.joint_objective import ScoredZ
from circuitz.zstar.chains.z_state import ZState

Outcome = Literal["start", "accepted", "refused", "failed", "nothing to change"]


@dataclass(frozen=True)
class ProposalRecord:
    """One proposal of a chain; the first record is the start.

    Parameters
    ----------
    number, chain
        Of the proposal, from 1 (the start is 0), and of the chain.
    kernel, source, what
        Who proposed it, where its word came from, and the change in words.
    outcome
        What became of it.
    why
        Why it was refused or failed; empty otherwise.
    parent, key
        Names of the z it was made from, and of the z itself; empty where none was made.
    prior, likelihood
        The two terms of its J; ``None`` where it was not scored.
    gain
        J less that of the z before.
    temperature, seconds
        Of the chain at that proposal; how long it took.
    state
        The z, as JSON values; ``None`` where none was made.
    """

    number: int
    chain: int
    kernel: str
    outcome: Outcome
    source: str = ""
    what: str = ""
    why: str = ""
    parent: str = ""
    key: str = ""
    prior: float | None = None
    likelihood: float | None = None
    gain: float = 0.0
    temperature: float = 0.0
    seconds: float = 0.0
    state: Mapping[str, Any] | None = None

    @property
    def scored(self) -> ScoredZ | None:
        """The z with its J."""
        if self.state is None or self.prior is None or self.likelihood is None:
            return None
        return ScoredZ(ZState.from_json(self.state), self.prior, self.likelihood)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class KernelSummary:
    """What proposals of one kernel came to.

    Parameters
    ----------
    kernel, source
        Which.
    proposals, accepted, failed
        How many; those that had nothing to change count as proposals.
    gain
        Summed change of J of those that were accepted, nats.
    seconds
        How long all took.
    """

    kernel: str
    source: str
    proposals: int
    accepted: int
    failed: int
    gain: float
    seconds: float

    @property
    def gain_per_100(self) -> float:
        """Gain of J for a hundred proposals."""
        return 100 * self.gain / max(self.proposals, 1)


def summarise_kernels(records: Iterable[ProposalRecord]) -> tuple[KernelSummary, ...]:
    """Return one row a kernel and source, those that gained most for a hundred proposals first."""
    rows: dict[tuple[str, str], list[ProposalRecord]] = {}
    for record in records:
        if record.outcome != "start":
            rows.setdefault((record.kernel, record.source), []).append(record)
    found = [
        KernelSummary(
            kernel=kernel,
            source=source,
            proposals=len(some),
            accepted=sum(r.outcome == "accepted" for r in some),
            failed=sum(r.outcome == "failed" for r in some),
            gain=sum(r.gain for r in some if r.outcome == "accepted"),
            seconds=sum(r.seconds for r in some),
        )
        for (kernel, source), some in rows.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.gain_per_100, row.kernel, row.source)))
