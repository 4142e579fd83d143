"""Train a small CNN so that each of its last maps carries one named concept.

Auxiliary supervision: the mean of map *i*, through a slope and a bias of its own, has to tell whether
the image shows concept *i*. What a unit means is thereby known, and no class was ever seen.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from circuitz.bench.checker.bench_world import BenchmarkWorld
from circuitz.bench.checker.families.wired import normalised_image_tensor
from circuitz.disk.atomic import staged_file_replacement
from circuitz.z.inputs import InputSet

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

IMAGES, EPOCHS, BATCH = 2400, 12, 64
_WIDTHS = (24, 32, 48, 48)
_RATE = 6e-3


class SoftReLU(nn.Module):
    """A ReLU with a round corner, so that no map dies while it is trained."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return maps that are never negative."""
        return functional.softplus(x, beta=5.0)


def untrained_trunk(maps: int) -> nn.Sequential:
    """Return an untrained network of ``maps`` last maps; 32-pixel images give 8 x 8."""
    layers: list[nn.Module] = []
    before = 3
    for width, stride in zip(_WIDTHS, (1, 2, 2, 1), strict=True):
        layers += [
            nn.Conv2d(before, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        before = width
    return nn.Sequential(*layers, nn.Conv2d(before, maps, 1), SoftReLU())


def train_or_load_trunk(
    world: BenchmarkWorld, concepts: tuple[str, ...], seed: int, trunk_folder: Path | None = None
) -> nn.Sequential:
    """Return a trunk whose maps carry these concepts; trained once, then read from ``trunk_folder``."""
    path = (
        None
        if trunk_folder is None
        else trunk_folder / f"{_trunk_cache_key(world, concepts, seed)}.npz"
    )
    net = untrained_trunk(len(concepts))
    if path is not None and path.exists():
        with np.load(path) as stored, torch.no_grad():
            net.load_state_dict({k: torch.from_numpy(stored[k]) for k in stored.files})
        return net.eval()
    images = world.draw_concept_set(IMAGES, seed + 900_000, twins=0.0)
    train_concept_maps(net, images, concepts, seed)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, **{k: v.numpy() for k, v in net.state_dict().items()})
        with staged_file_replacement(path, buffer.getvalue()):
            pass
    return net


def train_concept_maps(
    net: nn.Sequential, images: InputSet, concepts: tuple[str, ...], seed: int, epochs: int = EPOCHS
) -> None:
    """Train maps to carry concepts, in place; the network is left in eval mode."""
    assert images.concepts is not None
    columns = [images.concept_names.index(name) for name in concepts]
    x, y = normalised_image_tensor(images), torch.from_numpy(images.concepts[:, columns])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                module.reset_parameters()
        share = y.mean(0).clamp(0.02, 0.98)
        slope, bias = (
            nn.Parameter(torch.full_like(share, 4.0)),
            nn.Parameter(torch.logit(share) - 1),
        )
        parameters = [*net.parameters(), slope, bias]
        steps = epochs * -(-len(x) // BATCH)
        optimiser = torch.optim.Adam(parameters, _RATE)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
        net.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(BATCH):
                told = net(x[rows]).mean((2, 3)) * slope + bias
                each = functional.binary_cross_entropy_with_logits(
                    told, y[rows], reduction="none"
                ).mean(0)
                # Small things are learned late; what is not learned yet counts for more.
                loss = (each * (each.detach() / each.detach().mean()).sqrt()).mean()
                optimiser.zero_grad()
                loss.backward()  # pyright: ignore[reportUnknownMemberType]
                optimiser.step()
                rate.step()
    net.eval()


def _trunk_cache_key(world: BenchmarkWorld, concepts: tuple[str, ...], seed: int) -> str:
    code = Path(__file__).read_bytes()
    text = f"{world!r}|{concepts}|{seed}|{IMAGES}|{EPOCHS}".encode()
    return hashlib.sha256(code + text).hexdigest()[:20]
