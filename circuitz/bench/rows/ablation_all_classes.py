"""Every unit of a layer, ablated by itself, on all classes."""

from __future__ import annotations

import time
from typing import Any

from circuitz.bench.row import RowSize, Sides, SpeedRow

UNITS, CLASSES, SIDE = 96, 10, 64


def _make_sides_to_time(size: RowSize) -> Sides:
    import numpy as np
    import torch

    from circuitz.bench.captum_side import CaptumAblation
    from circuitz.effects.ablation.exact_ablation import ablate_each_unit
    from circuitz.models.run.runtime import Runtime
    from circuitz.models.zoo.builders import build
    from circuitz.models.zoo.small_cnn import small_cnn_arguments
    from circuitz.z.layer import Preprocessing

    torch.manual_seed(0)
    images = 16 if size.quick else 64
    net = build("small-cnn", small_cnn_arguments(SIDE, CLASSES)).eval()
    layer = "conv5"
    runtime = Runtime(net, [layer], Preprocessing(size=(SIDE, SIDE)))
    x = torch.randn(images, 3, SIDE, SIDE)
    sample = np.linspace(0, UNITS - 1, 4).astype(np.int64)
    captum = CaptumAblation(net, layer, x, sample)
    chosen = captum.tune_perturbations_per_eval((1, 2, 4))
    # One evaluation is of the network as it is.
    share = (1 + captum.features) / (1 + UNITS) / CLASSES

    def time_captum_without_target(_ours: Any, _theirs: Any) -> dict[str, float]:
        start = time.perf_counter()
        captum.ablate_all_classes(CLASSES)
        once = (time.perf_counter() - start) / share / CLASSES
        return {"perturbations_per_eval": chosen, "captum_without_target_s": once}

    return Sides(
        ours=lambda: next(ablate_each_unit(runtime, x)).drop,
        peer=lambda: captum(0),
        difference=lambda ours, theirs: float(np.abs(ours[:, sample, 0] - theirs).max()),
        peer_share=share,
        sample=f"captum timed on {len(sample)} of {UNITS} units and 1 of {CLASSES} classes",
        facts=time_captum_without_target,
    )


ROW = SpeedRow(
    name="ablation-all-classes",
    what=f"{UNITS}-unit layer of the network `circuitz new` trains, {CLASSES} classes, "
    f"64 images of {SIDE}×{SIDE}",
    make=_make_sides_to_time,
    peer="captum LayerFeatureAblation, a call a class",
    target="ratio >= 1000, difference <= 1e-5",
    bound="one forward pass over the images, which the peer makes 970 times",
    needs=("captum",),
)
