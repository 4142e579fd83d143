"""Row ``sweep``: everything every unit responds to, against a bare forward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuitz.bench.row import RowSize, Sides, SpeedRow

_SIDE = 64
_BATCH = 64


def _make_sides_to_time(size: RowSize) -> Sides:
    import torch

    from circuitz.bench.nets import BLOCKS, untrained_resnet18
    from circuitz.models.run.layer_specs import describe_layers
    from circuitz.models.run.runtime import Runtime
    from circuitz.responses.sweep_layers import sweep
    from circuitz.z.inputs import InputSet
    from circuitz.z.layer import Preprocessing

    n = 1_000 if size.quick else 10_000
    net = untrained_resnet18(side=_SIDE)
    specs = describe_layers(net, BLOCKS, torch.zeros(1, 3, _SIDE, _SIDE))
    runtime = Runtime(net, BLOCKS, Preprocessing(size=(_SIDE, _SIDE)))
    draw = np.random.default_rng(0)
    # Blocks of colour: noise would look alike to every unit.
    small = draw.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    images = small.repeat(_SIDE // 8, 1).repeat(_SIDE // 8, 2)

    def sweep_all_units() -> Any:
        return sweep(runtime, specs, InputSet(images), batch=_BATCH, responses=False)

    def run_bare_forward() -> Any:
        with torch.no_grad():
            for i in range(0, n, _BATCH):
                runtime.forward(runtime.prepare(images[i : i + _BATCH]))

    return Sides(
        ours=sweep_all_units,
        peer=run_bare_forward,
        facts=lambda found, _none: {
            "images": n,
            "units": sum(len(layer.exemplars) for layer in found.values()),
        },
    )


ROW = SpeedRow(
    name="sweep",
    what=(
        "statistics, histograms, exemplars, spectrum, relevance and quality of all 1,920 units of "
        f"a ResNet-18-sized network, 10,000 images, {_SIDE}x{_SIDE}"
    ),
    make=_make_sides_to_time,
    peer="a bare forward pass over the same images, the limit",
    target="ratio >= 0.80 (peer / ours; ours takes at most 1.25 times as long)",
    bound="the forward pass itself; then reading each map twice, for its mean and its peak",
    rounds=3,
)
