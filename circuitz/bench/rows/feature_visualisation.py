"""Row ``feature-visualisation``: optimised pictures of 32 units, against one unit at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.bench.row import RowSize, Sides, SpeedRow

if TYPE_CHECKING:
    import torch

_LAYER = "blocks.4"
_SIDE = 64
_STEPS = 128
_OURS = 28


def _make_sides_to_time(size: RowSize) -> Sides:
    import torch

    from circuitz.bench.nets import untrained_resnet18
    from circuitz.models.run.layer_specs import describe_layers
    from circuitz.models.run.runtime import Runtime
    from circuitz.responses.optimised.visualise import visualise
    from circuitz.z.layer import Preprocessing

    net = untrained_resnet18(side=_SIDE)
    spec = describe_layers(net, [_LAYER], torch.zeros(1, 3, _SIDE, _SIDE))[0]
    runtime = Runtime(net, [_LAYER], Preprocessing(size=(_SIDE, _SIDE)))
    units = list(range(8 if size.quick else 32))
    sampled = units[:: len(units) // (1 if size.quick else 4)]

    def visualise_in_batch() -> Any:
        return visualise(runtime, spec, units, steps=_OURS)

    def visualise_one_by_one() -> Any:
        return np.concatenate([_optimise_one_picture(net, unit, torch) for unit in sampled])

    def compare_final_activations(
        our_pictures: Any, theirs: Any
    ) -> Mapping[str, float | int | str]:
        def final_activations(images: Any, units: list[int]) -> Any:
            with torch.no_grad():
                act = runtime.forward_to(_LAYER, runtime.prepare(np.ascontiguousarray(images)))
            return act.mean((2, 3))[torch.arange(len(units)), units].numpy()

        mine, other = final_activations(our_pictures, units), final_activations(theirs, sampled)
        same = mine[[units.index(unit) for unit in sampled]]
        return {
            "activation_ours": float(same.mean()),
            "activation_peer": float(other.mean()),
            "units_at_least_as_high": int((same >= other).sum()),
            "units_compared": len(sampled),
            "activation_ours_all": float(mine.mean()),
        }

    return Sides(
        ours=visualise_in_batch,
        peer=visualise_one_by_one,
        peer_share=len(sampled) / len(units),
        sample=f"the peer makes {len(sampled)} of {len(units)} units, evenly spaced",
        facts=compare_final_activations,
    )


def _optimise_one_picture(net: Any, unit: int, torch: Any) -> Any:
    """Optimise one unit's picture through the whole network, step by step as lucent does.

    Its parametrisation, colours, transformations (their lengths scaled to the image, as ours
    are), Adam at .05 and ``loss.backward()``; the code is ours, lucent being no dependency.
    """
    from torch.nn import functional

    draw = np.random.default_rng(unit)
    pad, jitter, after = (max(1, round(v * _SIDE / 224)) for v in (12, 8, 4))
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None])
    scale = torch.tensor(1 / np.maximum(frequency, 1 / _SIDE), dtype=torch.float32)[..., None]
    colour = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
    colour = colour / colour.norm(dim=0).max()
    parameter = (0.01 * torch.randn(1, 3, *scale.shape[:2], 2)).requires_grad_(True)
    optimiser = torch.optim.Adam([parameter], lr=5e-2)
    seen: list[torch.Tensor] = []
    handle = net.get_submodule(_LAYER).register_forward_hook(lambda _m, _i, out: seen.append(out))

    def render_image_from_spectrum() -> torch.Tensor:
        spectrum = torch.view_as_complex((scale * parameter).contiguous())
        x = torch.fft.irfft2(spectrum, s=(_SIDE, _SIDE), norm="ortho") / 4
        return torch.sigmoid(torch.einsum("ij,njhw->nihw", colour, x))

    def random_crop(x: torch.Tensor, margin: int) -> torch.Tensor:
        top, left = draw.integers(0, margin, 2)
        height, width = x.shape[2:]
        return x[:, :, top : top + height - margin, left : left + width - margin]

    try:
        for _ in range(_STEPS):
            optimiser.zero_grad()
            x = functional.pad(render_image_from_spectrum(), (pad,) * 4, value=0.5)
            x = random_crop(x, jitter)
            sized = [
                max(8, round(float(draw.choice([0.9, 0.95, 1.0, 1.05, 1.1])) * s))
                for s in x.shape[2:]
            ]
            x = functional.interpolate(x, sized, mode="bilinear", align_corners=False)
            turn = np.radians(draw.integers(-10, 11))
            c, s = float(np.cos(turn)), float(np.sin(turn))
            grid = functional.affine_grid(
                torch.tensor([[[c, -s, 0.0], [s, c, 0.0]]]), list(x.shape), align_corners=False
            )
            x = functional.grid_sample(x, grid, align_corners=False)
            x = random_crop(x, after)
            x = functional.interpolate(x, (_SIDE, _SIDE), mode="bilinear", align_corners=False)
            seen.clear()
            net((x - 0.5) / 0.25)
            (-seen[0][:, unit].mean()).backward()
            optimiser.step()
    finally:
        handle.remove()
        net.zero_grad(set_to_none=True)
    with torch.no_grad():
        return render_image_from_spectrum().mul(255).round().byte().permute(0, 2, 3, 1).numpy()


ROW = SpeedRow(
    name="feature-visualisation",
    what=f"pictures of 32 units of {_LAYER} of a ResNet-18-sized network, {_SIDE}x{_SIDE}",
    make=_make_sides_to_time,
    peer=f"one unit at a time through the whole network, {_STEPS} steps, as lucent does",
    target="ratio >= 20 at equal or higher final activation",
    bound="forward and backward passes up to the layer, one an image and step",
    rounds=3,
)
