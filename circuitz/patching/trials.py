"""Sufficiency and necessity of single units and of sets of units, per source image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import MeasurementError
from circuitz.patching.source_rows import Sources
from circuitz.z.inputs import SPLITS

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


class MarginChanges(Protocol):
    """What follows the cut, asked what changes: images' or tokens'."""

    @property
    def margins(self) -> torch.Tensor:
        """``(m, k)`` of all inputs as they are."""
        ...

    def joint_margin_change(
        self, source: I64, donor: I64, target: I64, units: Sequence[int] | I64
    ) -> F32:
        """Return ``(t,)``: how margins change when units jointly take a donor's values."""
        ...

    def margin_change_by_unit(
        self,
        source: I64,
        donor: I64,
        target: I64,
        tick: Callable[[int], None] | None = None,
        units: slice = ...,
    ) -> F32:
        """Return the same for every one of the units by itself, ``(t, u)``."""
        ...


@dataclass(frozen=True, eq=False)
class InterventionTrials:
    """Every intervention to run, as a flat list of ``t = n * k * r``.

    Parameters
    ----------
    source, donor, target
        ``(t,)`` source image, lending image and class.
    """

    source: I64
    donor: I64
    target: I64

    @classmethod
    def from_sources(cls, sources: Sources) -> InterventionTrials:
        """List the trials of all sources, classes and donors."""
        n, k, r = sources.donors.shape
        source, target, _ = np.indices((n, k, r))
        return cls(sources.row[source.ravel()], sources.donors.ravel(), target.ravel())


def class_margin_scales(down: MarginChanges, sources: Sources, classes: Sequence[str]) -> F32:
    """Return what resampling the whole cut does to each class's margin, ``(k,)`` in logits.

    Patching all units with a donor's values gives exactly the donor's margin, so this is the
    mean margin on inputs of the class less that on inputs of others. Read on *select* and
    *test*, never on *audit*.

    Raises
    ------
    MeasurementError
        If a class's margin is no higher on its own inputs than on others.
    """
    margin = down.margins.cpu().numpy()[sources.row]
    found = [class_margin_scale(margin[:, k], sources, k, name) for k, name in enumerate(classes)]
    return np.array(found, np.float32)


def class_margin_scale(
    margin: npt.NDArray[np.floating], sources: Sources, k: int, name: str
) -> float:
    """Return the mean margin of one class on its inputs less that on others.

    Parameters
    ----------
    margin
        ``(n,)`` on the sources.
    sources, k, name
        The sources, and the class.

    Raises
    ------
    MeasurementError
        If it is not positive, by more than rounding.
    """
    seen = sources.split != SPLITS.index("audit")
    seen = seen if seen.any() else np.ones(len(sources), bool)
    own = sources.shows[:, k]
    value = float(margin[own & seen].mean() - margin[~own & seen].mean())
    # A network that says the same of every input differs by rounding alone, on some processors.
    rounding = 32 * np.finfo(np.float32).eps * float(np.abs(margin).max(initial=0.0))
    if not value > rounding:
        raise MeasurementError(
            f"The network does not tell {name} from the other classes on D (its margin "
            f"there is {value:+.3f}), so there is no effect to take shares of.",
            "Train it longer, or check that preprocessing and the order of classes are right.",
        )
    return value


def sufficiency_and_necessity_by_unit(
    down: MarginChanges,
    sources: Sources,
    scale: F32,
    tick: Callable[[int], None] | None = None,
    units: slice = slice(None),
) -> tuple[F32, F32]:
    """Return sufficiency and necessity of every unit, each ``(n, u, k)`` float32.

    See :class:`circuitz.z.measurements.EffectMeasurements` for signs and NaN.
    """
    trials = InterventionTrials.from_sources(sources)
    change = down.margin_change_by_unit(trials.source, trials.donor, trials.target, tick, units)
    shape = (*sources.donors.shape, change.shape[1])
    mean = change.reshape(shape).mean(2).transpose(0, 2, 1) / scale
    return _split_sufficiency_necessity(mean, sources)


def sufficiency_and_necessity_by_group(
    down: MarginChanges, sources: Sources, scale: F32, groups: Sequence[Sequence[int]]
) -> tuple[F32, F32]:
    """Return sufficiency and necessity of sets patched jointly, each ``(g, n, k)`` float32."""
    trials = InterventionTrials.from_sources(sources)
    rows = [
        down.joint_margin_change(trials.source, trials.donor, trials.target, units)
        .reshape(sources.donors.shape)
        .mean(2)
        for units in groups
    ]
    mean = np.stack(rows, 1) / scale if rows else np.zeros((len(sources), 0, len(scale)))
    sufficient, necessary = _split_sufficiency_necessity(mean, sources)
    return sufficient.transpose(1, 0, 2).copy(), necessary.transpose(1, 0, 2).copy()


def _split_sufficiency_necessity(
    mean: npt.NDArray[np.floating], sources: Sources
) -> tuple[F32, F32]:
    """Tell gains on inputs of other classes from losses on inputs of the class itself."""
    own = sources.shows[:, None, :]
    nan = np.float32(np.nan)
    sufficiency = np.where(own, nan, mean).astype(np.float32)
    necessity = np.where(own, -mean, nan).astype(np.float32)
    return sufficiency, necessity
