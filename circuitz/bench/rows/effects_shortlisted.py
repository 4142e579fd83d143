"""The top 1 % of a whole network's effects: estimated for all units, confirmed exactly for some."""

from __future__ import annotations

from typing import Any

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(size: RowSize) -> Sides:
    import numpy as np

    from circuitz.bench.whole_net import WholeNet
    from circuitz.effects.ablation.exact_ablation import ablate_each_unit
    from circuitz.effects.ablation.shortlist import ablate_shortlist

    case = WholeNet(size)

    def largest_drop_difference(ours: Any, theirs: dict[str, Any]) -> float:
        """Of the units both ran."""
        gaps = [0.0]
        for name, drops in theirs.items():
            run = ours.exact.get(name)
            if run is not None:
                both = [(i, int(u)) for i, u in enumerate(run.units) if u < drops.shape[1]]
                gaps += [float(np.abs(run.drop[:, i, 0] - drops[:, u]).max()) for i, u in both]
        return max(gaps)

    def recall_of_strongest_effects(ours: Any) -> dict[str, float | int]:
        """Tell how many of the truly strongest effects are among the confirmed."""
        truth = {a.layer: np.abs(a.drop.mean(0)) for a in ablate_each_unit(case.runtime, case.x)}
        every = np.concatenate([truth[name].ravel() for name in case.layers])
        least = np.sort(every)[-max(1, len(every) // 100)]
        strong = sum(int((t >= least).sum()) for t in truth.values())
        hit = sum(int((truth[n][a.units] >= least).sum()) for n, a in ours.exact.items())
        return {
            "recall_of_top_1_percent": hit / strong,
            "units_run_exactly": sum(len(a.units) for a in ours.exact.values()),
        }

    return case.sides_against_captum(
        lambda: ablate_shortlist(case.runtime, case.x),
        largest_drop_difference,
        recall_of_strongest_effects,
    )


ROW = SpeedRow(
    name="effects-shortlisted",
    what="the same network: the top 1 % of effects found by attribution, confirmed exactly",
    make=_make_sides_to_time,
    peer="captum LayerFeatureAblation of every unit, a call a class",
    target="ratio >= 300, recall >= .95",
    bound="exact runs of the shortlist, which is drawn where a unit's change has most of the "
    "network to go through",
    rounds=3,
    needs=("captum",),
)
