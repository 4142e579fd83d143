"""How often the range gauge asks: of clean networks under honest shifts, and of one with a mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.make_world import RenderableWorld, make_set
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.measurement.gauge import gauge
from circuitz.measurement.measure import measure
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.patching.source_rows import rows_of_split
from circuitz.plausibility.propose import propose
from circuitz.stats.counted_shares import Share, share_with_wilson_interval
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel
from circuitz.z.range_record import RangeRecord, range_records

U8 = npt.NDArray[np.uint8]
_RATE, _WIDTHS = 1e-2, (16, 32, 64, 64)
_PER_CLASS, _CONCEPTS, _SOURCES = 200, 1200, 120
_NEW_SEED = 1000
#: Steps of brightness of the mark, which is one pixel fine.
_MARK = 7
MARK = "a mark on every picture of the first class"


@dataclass(frozen=True)
class GaugeRate:
    """How often the gauge asked, over classes and networks.

    Parameters
    ----------
    shift
        What was gauged.
    asked_share
        Share of classes that were asked about, with its interval; untested ones do not count.
    """

    shift: str
    asked_share: Share


def gauge_rates(
    world: str, seeds: Sequence[int], progress: Callable[[int, int], None] | None = None
) -> list[GaugeRate]:
    """Train small networks, clean and with a mark, and count the classes the gauge asks about.

    Clean networks learn from pictures on which grounds mean nothing. Honest shifts are new pictures
    of the same world, a ground that the concept set lacks, and the other world's pictures. The mark is a
    faint pattern on every picture of D's first class that no picture of the concept set has; only that
    class counts there.

    Parameters
    ----------
    world
        ``dogs`` or ``birds``.
    seeds
        One network each, clean and marked.
    progress
        Called with networks done and networks in all.
    """
    answers: dict[str, list[RangeRecord]] = {}
    rendered = world_by_name(world)
    other = world_by_name("birds" if world == "dogs" else "dogs")
    for i, seed in enumerate(seeds):
        for shift, records in _records_of_seed(rendered, other, seed).items():
            answers.setdefault(shift, []).extend(records)
        if progress is not None:
            progress(i + 1, len(seeds))
    rates: list[GaugeRate] = []
    for shift, records in answers.items():
        tested = [record for record in records if record.gauge is not None]
        asks = sum(record.asks for record in tested)
        rates.append(GaugeRate(shift, share_with_wilson_interval(asks, len(tested))))
    return rates


def _records_of_seed(
    rendered: RenderableWorld, other: RenderableWorld, seed: int
) -> Mapping[str, list[RangeRecord]]:
    data = make_set(rendered, "decorrelated", _PER_CLASS, seed=seed)
    concepts = make_set(rendered, "concepts", _CONCEPTS, seed=seed)
    new = make_set(rendered, "decorrelated", _PER_CLASS // 2, seed=seed + _NEW_SEED).images
    elsewhere = make_set(other, "decorrelated", _PER_CLASS // 2, seed=seed + _NEW_SEED).images
    clean = _trained_and_measured(rendered, data, concepts, seed)
    ground = concepts.concept_names.index(rendered.world.grounds[0])
    assert concepts.concepts is not None
    fewer = _rows_of(concepts, np.flatnonzero(concepts.concepts[:, ground] != 1))
    without = measure(clean, fewer, images=_SOURCES, pictures=False)
    marked = _trained_and_measured(rendered, _with_mark_on_first_class(data), concepts, seed)
    return {
        "D": _gauged(clean),
        "new pictures": _gauged(clean, new),
        "D, a ground the concept set lacks": _gauged(without),
        "new pictures, a ground the concept set lacks": _gauged(without, new),
        "the other world's pictures": _gauged(clean, elsewhere),
        MARK: [r for r in _gauged(marked) if r.target == data.classes[0]],
    }


def _gauged(z: AnnotatedModel, shifted: U8 | None = None) -> list[RangeRecord]:
    """Return the records of D, or of pictures of D′."""
    found = range_records(gauge(z, shifted=shifted, pictures=False))
    return [r for r in found if r.population == ("D" if shifted is None else "D'")]


def _trained_and_measured(
    rendered: RenderableWorld, data: InputSet, concepts: InputSet, seed: int
) -> AnnotatedModel:
    import torch  # noqa: PLC0415 - torch is wanted only where a network is trained

    assert data.labels is not None
    torch.manual_seed(seed)
    net: Any = build("small-cnn", {"classes": len(data.classes), "widths": list(_WIDTHS)})
    rows = rows_of_split(data, "select")
    recipe = Recipe(epochs=10, rate=_RATE, seed=seed)
    fit(net, data.images[rows], data.labels[rows], Preprocessing(), recipe)
    z = wrap(
        net, data, layers=("conv4",), classes=data.classes, preprocess=Preprocessing(),
        subject=rendered.world.subject,
    )  # fmt: skip
    z = measure(z, concepts, images=_SOURCES, pictures=False)
    return measure(propose(z), images=_SOURCES, pictures=False)


def _with_mark_on_first_class(data: InputSet) -> InputSet:
    assert data.labels is not None
    images = np.array(data.images)
    y, x = np.mgrid[: images.shape[1], : images.shape[2]]
    mark = ((x + y) % 2 * 2 - 1)[None, :, :, None] * _MARK
    first = data.labels == 0
    images[first] = np.clip(images[first].astype(int) + mark, 0, 255).astype(np.uint8)
    return replace(data, images=images)


def _rows_of(inputs: InputSet, rows: npt.NDArray[np.int64]) -> InputSet:
    assert inputs.concepts is not None
    return InputSet(
        inputs.images[rows], concepts=inputs.concepts[rows], concept_names=inputs.concept_names,
        split=None if inputs.split is None else inputs.split[rows], role="concepts",
    )  # fmt: skip
