"""Where a concept lies, learned from image labels alone, by two networks against one another.

One network chooses the pixels to erase from images that show the concept. The other tells erased
images from images that never showed it, erased at the same places, so that the erasing itself
tells nothing. The first wants to be believed and to erase little: what it learns to erase is what
shows the concept, down to single pixels, and whether anything was missed is measured on images
that neither has seen. (Adversarial networks after Goodfellow et al. 2014; masks that explain a
classifier after Dabkowski & Gal 2017, who hold the classifier still.)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from circuitz.errors import SearchError
from circuitz.zstar.edits.inpainting import fill

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

STEPS = 600
_BATCH = 20
# Images read at a time where nothing is learned: all at once would fill the memory.
_READ = 64
_RATE = 3e-3
# The opponent learns alone for a while: an eraser that follows a blind opponent learns nothing.
_HEAD_START = 60
# Price of an erased pixel, as a share of the picture, where the concept is; and where it is not.
_AREA, _FALSE = 0.5, 1.0
_SURE = 0.1
# Steps after which it is clear how long all will take.
_TIMED = 8


@dataclass(frozen=True, eq=False)
class Erasure:
    """Two trained networks.

    Parameters
    ----------
    mask
        Images ``(n, c, h, w)`` in -1..1 in, one logit a pixel ``(n, 1, h, w)`` out.
    opponent
        Images in, one logit ``(n,)`` out: whether the concept is, or was, there.
    threshold
        The opponent's logit halfway between images with and without the concept: having been
        taught that erased images are to be told as well, it leans towards the concept.
    told_before, told_after
        Share of pairs of images (one with, one without the concept) that the opponent orders
        rightly, on images that neither network has seen: before and after erasing. ``.5`` after:
        nothing of the concept is left, and no trace of the erasing tells. NaN without such images.
    """

    mask: nn.Module
    opponent: nn.Module
    threshold: float
    told_before: float
    told_after: float


def learn_erasure(
    present: torch.Tensor,
    absent: torch.Tensor,
    unseen_present: torch.Tensor,
    unseen_absent: torch.Tensor,
    *,
    seed: int = 0,
    steps: int = STEPS,
    seconds: float = math.inf,
    progress: Progress | None = None,
) -> Erasure:
    """Learn to erase a concept.

    Parameters
    ----------
    present, absent
        Images ``(n, c, h, w)`` in -1..1 that show the concept, and that do not.
    unseen_present, unseen_absent
        Others, to measure on.
    seed
        Of weights and order.
    steps
        Training steps.
    seconds
        Most time it may take, judged by the first steps.
    progress
        Called with steps done and in all.

    Raises
    ------
    SearchError
        If it would take longer.
    """
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    mask, opponent = _Mask(present.shape[1]), _Opponent(present.shape[1])
    erasing = torch.optim.Adam(mask.parameters(), _RATE, betas=(0.5, 0.99))
    opposing = torch.optim.Adam(opponent.parameters(), _RATE, betas=(0.5, 0.99))
    answers = torch.cat([torch.ones(_BATCH), torch.zeros(2 * _BATCH), torch.ones(_BATCH)])
    # Telling natural images is a help to start with, not the task.
    weights = torch.cat([torch.full((2 * _BATCH,), 0.5), torch.ones(2 * _BATCH)])
    began = time.monotonic()
    for step in range(steps):
        if step == _TIMED and (time.monotonic() - began) * steps / _TIMED > seconds:
            raise SearchError(
                f"Learning what to erase would take longer than {seconds:.0f} s.",
                "Give masks, or pairs of pictures that differ in the concept alone.",
            )
        with_it, without = (
            _random_batch_maybe_mirrored(present, draw),
            _random_batch_maybe_mirrored(absent, draw),
        )
        region = torch.sigmoid(mask(with_it))
        erased, trace = (
            erase_region_softly(with_it, region),
            erase_region_softly(without, region.detach()),
        )
        told = opponent(torch.cat([with_it, without, trace, erased.detach()]))
        loss = functional.binary_cross_entropy_with_logits(told, answers, weights)
        opposing.zero_grad()
        loss.backward()
        opposing.step()
        if step >= _HEAD_START:
            believed = functional.softplus(opponent(erased)).mean()
            price = _AREA * region.mean() + _SURE * (region * (1 - region)).mean()
            needless = _FALSE * torch.sigmoid(mask(without)).mean()
            erasing.zero_grad()
            (believed + price + needless).backward()
            erasing.step()
        if progress is not None:
            progress(step + 1, steps)
    mask.eval()
    opponent.eval()
    with torch.no_grad():
        middles = [_opponent_logits(opponent, images).median() for images in (present, absent)]
    before, after = _auroc_before_and_after_erasing(
        mask, opponent, unseen_present, unseen_absent, draw
    )
    return Erasure(mask, opponent, float(sum(middles)) / 2, before, after)


def erase_region_softly(x: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """Return images with the region (0..1, soft) filled from around it."""
    return x * (1 - region) + fill(x, region) * region


def _random_batch_maybe_mirrored(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    chosen = images[torch.from_numpy(rng.integers(len(images), size=_BATCH))]
    return chosen.flip(3) if rng.random() < 0.5 else chosen


def _auroc_before_and_after_erasing(
    mask: nn.Module,
    opponent: nn.Module,
    present: torch.Tensor,
    absent: torch.Tensor,
    rng: np.random.Generator,
) -> tuple[float, float]:
    if not len(present) or not len(absent):
        return float("nan"), float("nan")
    with torch.no_grad():
        region = torch.cat([(mask(part) > 0).float() for part in present.split(_READ)])
        lent = region[torch.from_numpy(rng.integers(len(region), size=len(absent)))]
        before = _auroc(_opponent_logits(opponent, present), _opponent_logits(opponent, absent))
        after = _auroc(
            _opponent_logits(opponent, present, region), _opponent_logits(opponent, absent, lent)
        )
        return before, after


def _opponent_logits(
    opponent: nn.Module, images: torch.Tensor, region: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the opponent's logits ``(n,)``, some images at a time; erased where there is one."""
    parts: list[torch.Tensor] = []
    for i in range(0, len(images), _READ):
        part = images[i : i + _READ]
        parts.append(
            opponent(part if region is None else erase_region_softly(part, region[i : i + _READ]))
        )
    return torch.cat(parts)


def _auroc(higher: torch.Tensor, lower: torch.Tensor) -> float:
    """Return the share of pairs in which the first is higher (the area under the ROC curve)."""
    difference = higher[:, None] - lower[None]
    return float((difference > 0).double().mean() + 0.5 * (difference == 0).double().mean())


class _Mask(nn.Module):
    """Fine and coarse sight at full resolution: single pixels may matter."""

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            _conv_group_norm_relu(channels, width), _conv_group_norm_relu(width, width)
        )
        self.coarse = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True),
            _conv_group_norm_relu(width, 2 * width),
            _conv_group_norm_relu(2 * width, 2 * width, 2),
        )
        self.join = _conv_group_norm_relu(3 * width, width)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.fine(x)
        coarse = functional.interpolate(
            self.coarse(fine), fine.shape[2:], mode="bilinear", align_corners=False
        )
        # To start with little: what is erased at first, the opponent learns from.
        return self.out(self.join(torch.cat([coarse, fine], 1))) - 1


class _Opponent(nn.Module):
    """Small patches are judged one by one; the strongest and the mean of them decide."""

    def __init__(self, channels: int, width: int = 24) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.AvgPool2d(2, ceil_mode=True),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(2 * width, 1, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        told = self.body(x).flatten(1)
        return torch.logsumexp(told, 1) - float(np.log(told.shape[1])) + told.mean(1)


def _conv_group_norm_relu(inputs: int, outputs: int, dilation: int = 1) -> nn.Sequential:
    # Group norm: images with the concept go through it alone, so a batch has no common statistics.
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False),
        nn.GroupNorm(4, outputs),
        nn.ReLU(),
    )
