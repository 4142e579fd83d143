"""Where in an image a concept lies, learned from the concept set alone.

The search edits inputs where a flagged concept lies. That region must be found on images of D,
for which nobody drew masks. A small network learns it on the concept set, from the best that is
there: drawn masks, pairs of images that differ in the concept alone, or image labels only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from circuitz.effects.sources import splits_of
from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.search.erasure import learn_erasure
from circuitz.search.recolour import Recolouring, learn_recolouring
from circuitz.z.inputs import SPLITS, InputSet

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Source = Literal["masks", "pairs", "labels"]
Progress = Callable[[int, int], None]

# Pixels whose colour changes by more than this (of 255) differ between the images of a pair;
# what is below is resampling noise.
_CHANGED = 6
_STEPS = 100
# Longest side at which regions are looked for.
_SIDE = 64
_BATCH = 32
# A concept that changes more of the picture than this may be one that lies nowhere.
_WHOLE = 0.9
# Pairs at most that a change of colours is learned from.
_PAIRS = 200
NONE = 0.005
"""A region smaller than this share of the picture is taken for none."""
FEWEST = 20
"""Images with and without a concept, at least, that its region is learned from."""
# Alternatives to a concept are labelled when this share of the images shows one of them.
_COVERED = 0.9


@dataclass(frozen=True, eq=False)
class RegionFinder:
    """A trained network that says where a concept lies, or would lie.

    Parameters
    ----------
    concept
        The concept it was trained for.
    source
        What it learned from.
    net
        Images ``(n, c, h, w)`` in -1..1 in, one logit a pixel ``(n, 1, h, w)`` out.
    alone
        Whether nothing takes the concept's place where it is absent: a collar is there or not,
        but where there is no snow there is other ground, and that is the region then.
    teller, threshold
        Images in, one logit ``(n,)`` out: the concept is there where it is above the threshold.
        Without a teller, a concept that is found alone is there where its region is.
    told_before, told_after
        How well the concept is told on images not learned from, as they are and with the region
        filled (area under the ROC curve; NaN where that was not measured).
    """

    concept: str
    source: Source
    net: nn.Module
    alone: bool = False
    teller: nn.Module | None = None
    threshold: float = 0.0
    told_before: float = float("nan")
    told_after: float = float("nan")

    def maps(self, images: U8, batch: int = 128) -> F32:
        """Return the probability of every pixel to lie in the region, ``(n, h, w)`` float32."""
        parts: list[F32] = []
        self.net.eval()
        with torch.no_grad():
            for i in range(0, len(images), batch):
                out = torch.sigmoid(self.net(_tensor(images[i : i + batch])))
                parts.append(_resized(out, images.shape[1:3])[:, 0].numpy())
        return np.concatenate(parts) if parts else np.zeros((0, *images.shape[1:3]), np.float32)

    def present(self, images: U8, batch: int = 128) -> npt.NDArray[np.bool_]:
        """Return for every image whether the concept is there, ``(n,)`` bool."""
        if self.teller is None:
            return (self.maps(images, batch) > 0.5).mean((1, 2)) > NONE
        parts: list[npt.NDArray[np.bool_]] = []
        with torch.no_grad():
            for i in range(0, len(images), batch):
                parts.append((self.teller(_tensor(images[i : i + batch])) > self.threshold).numpy())
        return np.concatenate(parts) if parts else np.zeros(0, bool)


Finder = RegionFinder | Recolouring
"""Says how a concept is edited: where it lies, or what it does to all colours."""


def find_regions(
    concept: str,
    concepts: InputSet,
    lexicon: Lexicon,
    *,
    source: Source | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Finder:
    """Learn where a concept lies from the *select* split of the concept set.

    Where pairs are learned from and a change of all colours explains them, there is no such
    place, and that change is what is returned.

    Parameters
    ----------
    concept
        A concept the set has a column for.
    concepts
        The concept set.
    lexicon
        Says of which kind the concept is, and so which masks show it.
    source
        What to learn from; by default the most exact there is.
    seed
        Of weights and order.
    progress
        Called with steps done and in all.

    Raises
    ------
    ConceptLabelsError
        If the set has no labels for the concept, or the source asked for is not there.
    """
    column = column_of(concept, concepts, lexicon)
    if column is None or concepts.concepts is None:
        raise ConceptLabelsError(
            f"The concept set has no labels for {concept!r}.",
            f"Add a column for it; there are {', '.join(concepts.concept_names) or 'none'}.",
        )
    select = rows_of(concepts, "select")
    masks = _from_masks(concept, concepts, lexicon, select)
    pairs = _from_pairs(column, concepts, select)
    known: dict[Source, tuple[I64, F32] | None] = {"masks": masks, "pairs": pairs}
    chosen: Source = source or ("masks" if masks else "pairs" if pairs else "labels")
    torch.manual_seed(seed)
    if chosen == "labels":
        labels = concepts.concepts[select][:, siblings(concept, concepts, lexicon)]
        if not _covered(labels):
            return _from_erasing(concept, concepts, column, seed, progress)
        target = _from_labels(concepts.images, select, labels, seed)
        net = _learn_pixels(concepts.images, select, target, seed, progress)
        return RegionFinder(concept, chosen, net)
    if chosen == "pairs" and pairs is not None and np.median(pairs[1].mean((1, 2))) > _WHOLE:
        tint = _from_colours(concept, concepts, column, pairs[0], seed)
        if tint is not None:
            return tint
    known_regions = known[chosen]
    if known_regions is None:
        raise ConceptLabelsError(
            f"The concept set has no {chosen} that show where {concept!r} lies.",
            "Leave the source out to learn from what there is.",
        )
    net = _learn_pixels(concepts.images, *known_regions, seed, progress)
    return RegionFinder(concept, chosen, net, chosen == "masks" and _alone(concepts, column, masks))


def _covered(labels: F32) -> bool:
    """Return whether one of the alternatives is to be seen in most images."""
    whole = labels[np.isfinite(labels).all(1)]
    return labels.shape[1] > 1 and len(whole) > 0 and bool((whole > 0).any(1).mean() >= _COVERED)


def _alone(concepts: InputSet, column: int, masks: tuple[I64, F32] | None) -> bool:
    """Return whether most images without the concept have no region."""
    assert masks is not None
    assert concepts.concepts is not None
    rows, target = masks
    without = target[concepts.concepts[rows, column] < 0.5]
    return bool(len(without)) and bool((without.mean((1, 2)) > NONE).mean() < 0.5)


def _from_colours(
    concept: str, concepts: InputSet, column: int, paired: I64, seed: int
) -> Recolouring | None:
    """Learn a concept that changes the colours of the whole picture, if it is one."""
    assert concepts.concepts is not None
    labels = concepts.concepts[:, column]
    a, b = paired.reshape(2, -1)
    swap = labels[a] < labels[b]
    with_it, without = np.where(swap, b, a), np.where(swap, a, b)
    keep = labels[with_it] != labels[without]
    with_it, without = with_it[keep][:_PAIRS], without[keep][:_PAIRS]
    images = concepts.images

    def both(split: str) -> tuple[U8, U8]:
        rows = (
            rows_of(concepts, split) if split == "select" or concepts.split is not None else a[:0]
        )
        found = [rows[labels[rows] == value] for value in (1, 0)]
        return np.asarray(images[found[0]]), np.asarray(images[found[1]])

    return learn_recolouring(
        concept,
        (np.asarray(images[with_it]), np.asarray(images[without])),
        both("select"),
        both("test"),
        seed=seed,
    )


def _from_erasing(
    concept: str, concepts: InputSet, column: int, seed: int, progress: Progress | None
) -> RegionFinder:
    """Learn from image labels of one concept that is there or not (see :mod:`.erasure`)."""
    assert concepts.concepts is not None
    parts: list[torch.Tensor] = []
    for split in ("select", "test"):
        rows = rows_of(concepts, split)
        if split == "test" and concepts.split is None:
            rows = rows[:0]
        labels = concepts.concepts[rows, column]
        parts += [_tensor(concepts.images[rows[labels == value]]).contiguous() for value in (1, 0)]
    if min(len(parts[0]), len(parts[1])) < FEWEST:
        raise ConceptLabelsError(
            f"{len(parts[0])} images of the concept set's select split show {concept!r} and "
            f"{len(parts[1])} do not; too few to learn where it lies.",
            f"Label {FEWEST} of each or more.",
        )
    made = learn_erasure(*parts, seed=seed, progress=progress)
    return RegionFinder(
        concept,
        "labels",
        made.mask,
        alone=True,
        teller=made.opponent,
        threshold=made.threshold,
        told_before=made.told_before,
        told_after=made.told_after,
    )


def rows_of(inputs: InputSet, split: str) -> I64:
    """Return the rows of one split; all rows where the inputs are not split."""
    if inputs.split is None:
        return np.arange(len(inputs))
    return np.flatnonzero(inputs.split == SPLITS.index(split))


def training_rows(data: InputSet) -> I64:
    """Return the *select* rows of D, by the split that effects are measured with."""
    assert data.labels is not None
    return np.flatnonzero(splits_of(data, data.labels) == SPLITS.index("select"))


def column_of(concept: str, concepts: InputSet, lexicon: Lexicon) -> int | None:
    """Return the column that labels a concept, by its name or by one the lexicon reads as it."""
    names = concepts.concept_names
    if concept in names:
        return names.index(concept)
    return next((i for i, name in enumerate(names) if concept in lexicon.parse(name)), None)


def siblings(concept: str, concepts: InputSet, lexicon: Lexicon) -> list[int]:
    """Return the columns of the concepts of the same kind, the concept's own first."""
    kind = lexicon.kind(concept)
    own = column_of(concept, concepts, lexicon)
    assert own is not None
    others = [
        i
        for i, name in enumerate(concepts.concept_names)
        if i != own and lexicon.kind(name) == kind
    ]
    return [own, *others]


def _from_masks(
    concept: str, concepts: InputSet, lexicon: Lexicon, rows: I64
) -> tuple[I64, F32] | None:
    """Return rows and per-pixel targets from the mask that shows the concept, if one does."""
    if concepts.masks is None:
        return None
    shows = {concept, *lexicon.ancestors(concept), lexicon.kind(concept)}
    for number, name in enumerate(concepts.mask_names):
        if name and (name in shows or shows & set(lexicon.parse(name))):
            return rows, (concepts.masks[rows] == number).astype(np.float32)
    return None


def _from_pairs(column: int, concepts: InputSet, rows: I64) -> tuple[I64, F32] | None:
    """Return rows and targets: pixels that differ between images that differ in the concept."""
    if concepts.pairs is None:
        return None
    usable = concepts.pairs[
        (concepts.pairs[:, 2] == column) & np.isin(concepts.pairs[:, :2], rows).all(1)
    ]
    if len(usable) < 16:
        return None
    a, b = usable[:, 0], usable[:, 1]
    change = np.abs(concepts.images[a].astype(np.int16) - concepts.images[b]).max(-1)
    target = (change > _CHANGED).astype(np.float32)
    return np.concatenate([a, b]), np.concatenate([target, target])


def _from_labels(images: U8, rows: I64, labels: F32, seed: int) -> F32:
    """Return targets from image labels alone: where small patches tell the labels.

    A network that sees only small patches (after BagNet, Brendel & Bethge 2019) predicts the
    image's labels from every patch. Where the concept does not lie, the patch says nothing and
    the best it can do is the base rate; the divergence from it marks the region, and each image
    is split in two at the threshold of Otsu (1979). What is left of noise goes when a network
    that sees more is trained on these targets.
    """
    draw = np.random.default_rng(seed)
    known = np.isfinite(labels)
    labels = np.where(known, labels, 0).astype(np.float32)
    net = _Patches(images.shape[-1], labels.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=2 * _STEPS + 1)
    net.train()
    for _ in range(2 * _STEPS):
        chosen = draw.integers(len(rows), size=_BATCH)
        logits = net(_tensor(images[rows[chosen]]))
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
    targets: list[F32] = []
    with torch.no_grad():
        for i in range(0, len(rows), _BATCH):
            x = _tensor(images[rows[i : i + _BATCH]])
            p = torch.sigmoid(net(x)).clamp(1e-4, 1 - 1e-4)
            told = p * (p / base).log() + (1 - p) * ((1 - p) / (1 - base)).log()
            told = functional.interpolate(told.sum(1, keepdim=True), x.shape[2:], mode="bilinear")
            targets.extend(_split(image) for image in told[:, 0].clamp_min(0).sqrt().numpy())
    return np.stack(targets)


def _split(values: F32) -> F32:
    """Return 1 where values lie above Otsu's threshold, else 0."""
    counts, edges = np.histogram(values, 64)
    centres = (edges[1:] + edges[:-1]) / 2
    below, mass = np.cumsum(counts), np.cumsum(counts * centres)
    total, whole = below[-1], mass[-1]
    between = (whole * below - mass * total) ** 2 / np.maximum(below * (total - below), 1)
    return (values > centres[int(between.argmax())]).astype(np.float32)


def _learn_pixels(
    images: U8, rows: I64, target: F32, seed: int, progress: Progress | None
) -> nn.Module:
    """Train per pixel on known regions."""
    draw = np.random.default_rng(seed)
    net = _Pixels(images.shape[-1])
    net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=_STEPS + 1)
    net.train()
    for step in range(_STEPS):
        chosen = draw.integers(len(rows), size=_BATCH)
        x = _tensor(images[rows[chosen]])
        y = _resized(torch.from_numpy(target[chosen])[:, None], x.shape[2:])
        loss = functional.binary_cross_entropy_with_logits(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, _STEPS)
    return net.eval()


def _tensor(images: U8) -> torch.Tensor:
    """Return images in -1..1, large ones at a size at which regions can be learned in minutes."""
    # A copy: torch wants writable memory, and the images may be a memory map.
    x = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float()
    height, width = x.shape[2:]
    shrink = min(_SIDE / max(height, width), 1)
    x = _resized(x, (max(round(height * shrink), 1), max(round(width * shrink), 1)))
    return x.div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)


def _resized(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Return images or maps of another size; themselves where it is theirs."""
    if tuple(x.shape[2:]) == tuple(size):
        return x
    if size[0] < x.shape[2]:
        return functional.adaptive_avg_pool2d(x, (size[0], size[1]))
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=False)


class _Patches(nn.Module):
    """Logits for every patch of 6 x 6 pixels, every second pixel."""

    def __init__(self, channels: int, labels: int, width: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * channels, width, 1),
            nn.ReLU(),
            _block(width, width, 1),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, labels, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(_even(x))


class _Pixels(nn.Module):
    """A two-scale encoder-decoder (after U-Net, Ronneberger 2015): one logit a pixel.

    Blocks of 2 x 2 pixels are folded into channels and unfolded at the end: four times less work
    at full resolution.
    """

    def __init__(self, channels: int, width: int = 12) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.PixelUnshuffle(2), _block(4 * channels, width, 1))
        self.coarse = nn.Sequential(
            _block(width, 2 * width, 2), _block(2 * width, 2 * width, 1, dilation=2)
        )
        self.out = nn.Sequential(
            _block(3 * width, width, 1), nn.Conv2d(width, 4, 1), nn.PixelShuffle(2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2:]
        fine = self.fine(_even(x))
        coarse = functional.interpolate(self.coarse(fine), fine.shape[2:], mode="bilinear")
        return self.out(torch.cat([coarse, fine], 1))[:, :, :height, :width]


def _even(x: torch.Tensor) -> torch.Tensor:
    """Repeat a last odd row and column, so that blocks of 2 x 2 fit."""
    return functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")


def _block(inputs: int, outputs: int, stride: int, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
