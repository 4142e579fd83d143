"""Regions from image labels of alternatives: where small patches tell which of them is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from circuitz.zstar.edits.pixel_network import (
    conv_batch_norm_relu,
    images_to_shrunk_tensor,
    pad_to_even,
)

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

_STEPS = 200
_BATCH = 32


def region_targets_from_labels(images: U8, rows: I64, labels: F32, seed: int) -> F32:
    """Return targets from image labels alone: where small patches tell the labels.

    A network that sees only small patches (after BagNet, Brendel & Bethge 2019) predicts the
    image's labels from every patch. Where the concept does not lie, the patch says nothing and
    the best it can do is the base rate; the divergence from it marks the region, and each image
    is split in two at the threshold of Otsu (1979). What is left of noise goes when a network
    that sees more is trained on these targets. Alternatives that nobody labelled are marked too:
    where there is sand, there is no snow.
    """
    net, base = _train_patch_network(images, rows, labels, seed)
    targets: list[F32] = []
    with torch.no_grad():
        for i in range(0, len(rows), _BATCH):
            x = images_to_shrunk_tensor(images[rows[i : i + _BATCH]])
            p = torch.sigmoid(net(x)).clamp(1e-4, 1 - 1e-4)
            told = p * (p / base).log() + (1 - p) * ((1 - p) / (1 - base)).log()
            told = functional.interpolate(told.sum(1, keepdim=True), x.shape[2:], mode="bilinear")
            targets.extend(
                _threshold_by_otsu(image) for image in told[:, 0].clamp_min(0).sqrt().numpy()
            )
    return np.stack(targets)


@dataclass(frozen=True, eq=False)
class PresenceRegions:
    """Where small patches say that a concept is there, in images that show it.

    Parameters
    ----------
    targets
        ``(m, h, w)`` float32, at the size regions are looked for; nothing in images without it.
    teller
        Images in -1..1 in, one logit ``(n,)`` out: the patches that speak for it most, averaged.
    threshold
        The logit halfway between images with it and without.
    """

    targets: F32
    teller: nn.Module
    threshold: float


def presence_regions_from_labels(images: U8, rows: I64, labels: F32, seed: int) -> PresenceRegions:
    """Return where a concept lies that is there or not, from image labels alone.

    As :func:`region_targets_from_labels`, but a patch counts that makes the concept likelier, and
    only in images labelled as showing it.

    Parameters
    ----------
    images, rows
        ``(n, h, w, c)`` uint8, and the rows to learn from.
    labels
        ``(len(rows), k)``: the concept's own column first, then those of its kind.
    seed
        Of weights and order.
    """
    net, base = _train_patch_network(images, rows, labels, seed)
    teller = _StrongestPatches(net)
    targets: list[F32] = []
    logits: list[F32] = []
    with torch.no_grad():
        for i in range(0, len(rows), _BATCH):
            x = images_to_shrunk_tensor(images[rows[i : i + _BATCH]])
            p = torch.sigmoid(net(x))[:, :1].clamp(1e-4, 1 - 1e-4)
            speaks = (p / base[:, :1]).log().clamp_min(0)
            speaks = functional.interpolate(speaks, x.shape[2:], mode="bilinear")[:, 0]
            targets.extend(_threshold_by_otsu(image) for image in speaks.numpy())
            logits.append(teller(x).numpy())
    found, told = np.stack(targets), np.concatenate(logits)
    shows = labels[:, 0] > 0.5
    found[~shows] = 0
    middle = (np.median(told[shows]) + np.median(told[labels[:, 0] <= 0.5])) / 2
    return PresenceRegions(found, teller, float(middle))


def _train_patch_network(
    images: U8, rows: I64, labels: F32, seed: int
) -> tuple[_Patches, torch.Tensor]:
    """Return a network that tells labels from small patches, and the base rates it knows."""
    draw = np.random.default_rng(seed)
    known = np.isfinite(labels)
    labels = np.where(known, labels, 0).astype(np.float32)
    net = _Patches(images.shape[-1], labels.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=_STEPS + 1)
    net.train()
    for _ in range(_STEPS):
        chosen = draw.integers(len(rows), size=_BATCH)
        logits = net(images_to_shrunk_tensor(images[rows[chosen]]))
        y = torch.from_numpy(labels[chosen])[:, :, None, None].expand_as(logits)
        told = torch.from_numpy(known[chosen].astype(np.float32))[:, :, None, None]
        # What nobody labelled teaches nothing.
        loss = functional.binary_cross_entropy_with_logits(logits, y, told.expand_as(logits))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.eval()
    share = labels.sum(0) / np.maximum(known.sum(0), 1)
    base = torch.from_numpy(share.astype(np.float32)).clamp(1e-3, 1 - 1e-3)[None, :, None, None]
    return net, base


def _threshold_by_otsu(values: F32) -> F32:
    """Return 1 where values lie above Otsu's threshold, else 0."""
    counts, edges = np.histogram(values, 64)
    centres = (edges[1:] + edges[:-1]) / 2
    below, mass = np.cumsum(counts), np.cumsum(counts * centres)
    total, whole = below[-1], mass[-1]
    between = (whole * below - mass * total) ** 2 / np.maximum(below * (total - below), 1)
    return (values > centres[int(between.argmax())]).astype(np.float32)


class _Patches(nn.Module):
    """Logits for every patch of 6 x 6 pixels, every second pixel."""

    def __init__(self, channels: int, labels: int, width: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * channels, width, 1),
            nn.ReLU(),
            conv_batch_norm_relu(width, width, 1),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, labels, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(pad_to_even(x))


class _StrongestPatches(nn.Module):
    """Whether an image shows the first label, from the few patches that say so most."""

    def __init__(self, patches: _Patches, share: float = 0.01) -> None:
        super().__init__()
        self.patches, self.share = patches, share

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = self.patches(x)[:, 0].flatten(1)
        few = max(2, round(self.share * logits.shape[1]))
        return logits.topk(few, 1).values.mean(1)
