"""The change of a target caused by an intervention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import plotly.graph_objects as go

SufficiencyOrNecessity = Literal["sufficiency", "necessity"]


@dataclass(frozen=True)
class Effect:
    """One estimated effect, in shares of what resampling the whole cut does to the target.

    Parameters
    ----------
    sources
        The set of units intervened on.
    target
        Class (``output:husky``) whose score is read.
    how
        ``sufficiency``: on inputs of other classes the sources take the values they have on
        inputs of the target class, the rest of the cut is held. ``necessity``: on inputs of the
        target class the sources take the values they have on inputs of other classes.
    intervention, value, baseline
        What was done (``resample``), where the values came from, what was left as it was.
    held
        Units held at the baseline, in words when they are all the others.
    metric
        What was read: ``margin`` = logit of the class less the mean of the other logits.
    estimate, low, high, level
        Mean over source images and its interval at ``level``.
    n, clusters
        Source images and independent scenes among them.
    p
        One-sided p-value of "the effect is at most ``delta``".
    delta
        The margin p was computed for.
    method
        ``exact``: the joint intervention was run. ``additive``: summed over single units, as
        after an edit; ``gap`` then bounds what that may miss.
    split
        Which part of the inputs it rests on: select, test or audit.
    inputs_hash, weights_hash, seed
        What it was computed from.
    """

    sources: tuple[str, ...]
    target: str
    how: SufficiencyOrNecessity
    intervention: str = "resample"
    value: str = ""
    baseline: str = ""
    held: str = "rest of the cut"
    metric: str = "margin"
    estimate: float = 0.0
    low: float = 0.0
    high: float = 0.0
    level: float = 0.95
    n: int = 0
    clusters: int = 0
    p: float = 1.0
    delta: float = 0.1
    method: Literal["exact", "additive"] = "exact"
    gap: float = 0.0
    split: str = "test"
    inputs_hash: str = ""
    weights_hash: str = ""
    seed: int = 0

    def plot(self) -> go.Figure:
        """Return a plotly figure: the estimate, its interval, and the margin of nothing.

        Raises
        ------
        GraphError
            If plotly is not installed.
        """
        from circuitz.z.shown.figures import figure_of_effect  # noqa: PLC0415

        return figure_of_effect(self)
