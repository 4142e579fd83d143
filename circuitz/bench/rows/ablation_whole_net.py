"""Every convolution's units of a ResNet-18, ablated one by one, on all classes, exactly."""

from __future__ import annotations

from typing import Any

from circuitz.bench.row import Row, Sides, Size


def _make(size: Size) -> Sides:
    import numpy as np

    from circuitz.bench.whole_net import IMAGES, WholeNet
    from circuitz.effects.ablation import ablate

    case = WholeNet(size)

    def facts(found: dict[str, Any], _theirs: Any) -> dict[str, float]:
        return {
            "units": case.units,
            "images": IMAGES,
            "perturbations_per_eval": case.at_once,
            "largest_effect": max(float(np.abs(d).max()) for d in found.values()),
        }

    return Sides(
        ours=lambda: {a.layer: a.drop for a in ablate(case.runtime, case.x)},
        peer=case.peer,
        difference=case.difference,
        peer_share=case.peer_share,
        sample=case.sample,
        facts=facts,
    )


ROW = Row(
    name="ablation-whole-net",
    what="every conv unit of a ResNet-18 (4,800) at 64×64, 10 classes, 2 images, exact",
    make=_make,
    peer="captum LayerFeatureAblation, a call a class",
    target="ratio >= 30",
    bound="convolutions after the one a change enters: 32 of 148 million multiplications a unit "
    "and image on average, at the processor's rate",
    rounds=3,
    needs=("captum",),
)
