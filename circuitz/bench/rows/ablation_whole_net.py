"""Every convolution's units of a ResNet-18, ablated one by one, on all classes, exactly."""

from __future__ import annotations

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(size: RowSize) -> Sides:
    import numpy as np

    from circuitz.bench.whole_net import SAMPLE, WholeNet
    from circuitz.effects.ablation.exact_ablation import ablate_each_unit

    case = WholeNet(size)
    return case.sides_against_captum(
        ours=lambda: {a.layer: a.drop for a in ablate_each_unit(case.runtime, case.x)},
        difference=lambda ours, theirs: max(
            float(np.abs(ours[n][:, :SAMPLE, 0] - drops).max()) for n, drops in theirs.items()
        ),
        facts=lambda ours: {"largest_effect": max(float(np.abs(d).max()) for d in ours.values())},
    )


ROW = SpeedRow(
    name="ablation-whole-net",
    what="every conv unit of a ResNet-18 (4,800) at 64×64, 10 classes, 2 images, exact",
    make=_make_sides_to_time,
    peer="captum LayerFeatureAblation, a call a class",
    target="ratio >= 30",
    bound="convolutions after the one a change enters: 32 of 148 million multiplications a unit "
    "and image on average, at the processor's rate",
    rounds=3,
    needs=("captum",),
)
