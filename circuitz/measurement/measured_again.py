"""A sample of effects measured again from a bundle, and held against what the bundle says.

Run in a process of its own (``python -m circuitz.measurement.measured_again BUNDLE SAMPLE``): nothing of
the session that wrote the bundle is there then, neither a live module nor what it holds in memory.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import CircuitzError, InputsError, MeasurementError
from circuitz.measurement.activation_effect import (
    draw_switching_pool,
    margin_change_off_to_on,
    pair_off_on_images,
)
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_cut import Downstream
from circuitz.patching.from_heads import HeadDownstream
from circuitz.patching.source_rows import Sources, draw_sources
from circuitz.patching.trials import sufficiency_and_necessity_by_group
from circuitz.z.bundle.load_save import load
from circuitz.z.inputs import SPLITS
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import EffectMeasurements

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
#: By how much of a class's whole effect a figure may differ from what the bundle says.
TOLERANCE = 1e-3
_UNITS = 16
_BATCH = 64


@dataclass(frozen=True, eq=False)
class EffectSample:
    """What a process that has the bundle alone needs besides to measure again.

    Parameters
    ----------
    images
        ``(n, ...)`` *audit* inputs of D that effects were measured on.
    sources
        The same as sources, donors counted among them.
    rows
        ``(n,)`` their rows in the bundle's effects.
    units
        Which units of the cut.
    """

    images: npt.NDArray[Any]
    sources: Sources
    rows: I64
    units: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write the sample as ``.npz``."""
        parts = {f"sources.{f.name}": getattr(self.sources, f.name) for f in fields(Sources)}
        np.savez(path, images=self.images, rows=self.rows, units=np.array(self.units), **parts)

    @classmethod
    def load(cls, path: Path) -> EffectSample:
        """Read what was saved."""
        with np.load(path, allow_pickle=False) as kept:
            sources = Sources(**{f.name: kept[f"sources.{f.name}"] for f in fields(Sources)})
            return cls(kept["images"], sources, kept["rows"], tuple(map(str, kept["units"])))


def draw_effect_sample(z: AnnotatedModel, *, units: int = _UNITS) -> EffectSample:
    """Draw the *audit* sources of z's effects, and some units: those with words before others.

    Raises
    ------
    InputsError
        If D is not at hand.
    MeasurementError
        If effects were not measured, or on other inputs than D gives now.
    """
    if z.data is None or z.data.labels is None:
        raise InputsError("D is not at hand.", "Attach it: z.with_(data=data), or --data DIR.")
    effects = _effects_of(z)
    settings: dict[str, int] = z.notes.get("measure", {"sources": 240, "donors": 2})
    drawn = draw_sources(
        z.data,
        z.classes,
        per_split=settings["sources"],
        donors=settings["donors"],
        seed=effects.seed,
        head=z.head,
    )
    if not np.array_equal(drawn.index, effects.source):
        raise MeasurementError(
            "Effects were measured on other inputs than D gives now.", "Measure again."
        )
    split = SPLITS.index("audit")
    rows = np.flatnonzero(drawn.split == split)
    rows = rows if len(rows) else np.arange(len(drawn))
    part = drawn.take(rows)
    sources = Sources(
        part.index,
        part.shows,
        part.split,
        part.scene,
        np.arange(len(rows)),
        np.searchsorted(rows, part.donors),
    )
    images = np.asarray(z.data.images[part.index])
    return EffectSample(images, sources, rows, _choose_units(z, effects, units))


def _choose_units(z: AnnotatedModel, effects: EffectMeasurements, most: int) -> tuple[str, ...]:
    size = np.nan_to_num(np.abs(effects.drive)).max(1)
    spoken = set(z.effective())
    order = sorted(
        range(len(effects.units)), key=lambda u: (effects.units[u] not in spoken, -size[u])
    )
    return tuple(effects.units[u] for u in sorted(order[:most]))


def measure_sample_again(z: AnnotatedModel, sample: EffectSample) -> dict[str, float]:
    """Measure a sample of effects and return by how much each kind differs from z's own.

    Parameters
    ----------
    z
        Measured model whose network can be run.
    sample
        See :func:`draw_effect_sample`.

    Returns
    -------
    Largest absolute difference by kind: ``margin`` (as a share of the largest margin),
    ``sufficiency``, ``necessity`` and, where the concept set is at hand, ``drive`` (in shares of the
    class's whole effect). Infinite where one of the two is no number and the other is.
    """
    effects = _effects_of(z)
    run = runtime(z)
    heads = z.concept_set is not None and z.concept_set.is_tokens and len(z.cut) != 1
    index = [effects.units.index(unit) for unit in sample.units]
    n = len(sample.images)
    spec = next(s for s in z.layers if s.name == z.cut[0])
    pool = _switching_pool(z, effects.seed) if not heads and z.concept_set is not None else None
    acts = None if heads else _cut_activations(run, spec, sample.images)
    if pool is not None and acts is not None:
        acts = torch.cat([acts, _cut_activations(run, spec, pool)])
    down = (
        HeadDownstream.for_heads_of_cut(z, run, np.asarray(sample.images))
        if acts is None
        else Downstream(run, spec, acts)
    )
    found: dict[str, float] = {}
    if effects.margin is not None:
        stored = effects.margin[sample.rows]
        now = down.margins.float().cpu().numpy()[:n]
        found["margin"] = _largest_difference(stored, now) / max(1.0, float(np.abs(stored).max()))
    joint = sufficiency_and_necessity_by_group(
        down, sample.sources, effects.scale, [[u] for u in index]
    )
    for name, again in zip(("sufficiency", "necessity"), joint, strict=True):
        stored = getattr(effects, name)[sample.rows][:, index].transpose(1, 0, 2)
        found[name] = _largest_difference(stored, again)
    if pool is not None and acts is not None and isinstance(down, Downstream):
        found["drive"] = _drive_difference(down, spec, acts[n:], n, effects, index)
    return found


def _drive_difference(
    down: Downstream,
    spec: LayerSpec,
    pool_acts: torch.Tensor,
    start: int,
    effects: EffectMeasurements,
    index: list[int],
) -> float:
    responses = flatten_unit_maps(spec, pool_acts).mean(2).float().cpu().numpy()
    switch = pair_off_on_images(responses, effects.seed)
    worst = 0.0
    for u in index:
        again, _ = margin_change_off_to_on(down, switch, start, effects.scale, slice(u, u + 1))
        worst = max(worst, _largest_difference(effects.drive[u : u + 1], again))
    return worst


def _switching_pool(z: AnnotatedModel, seed: int) -> npt.NDArray[Any]:
    assert z.concept_set is not None
    return np.asarray(z.concept_set.images[draw_switching_pool(z.concept_set, seed)])


def _cut_activations(run: Runtime, spec: LayerSpec, images: npt.NDArray[Any]) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat(
            [
                run.forward_to(spec.name, run.prepare(images[i : i + _BATCH])).clone()
                for i in range(0, len(images), _BATCH)
            ]
        )


def _largest_difference(one: F32, other: F32) -> float:
    lacking = np.isnan(one), np.isnan(other)
    if not np.array_equal(*lacking):
        return float("inf")
    return float(np.abs(np.nan_to_num(one) - np.nan_to_num(other)).max(initial=0.0))


def _effects_of(z: AnnotatedModel) -> EffectMeasurements:
    if z.measurements is None or z.measurements.effects is None:
        raise MeasurementError("The effects of z are not measured.", "Call cz.measure first.")
    return z.measurements.effects


def print_differences(bundle: str, sample: str) -> None:
    """Print, as JSON, how far effects measured from the bundle differ, or why they cannot be."""
    try:
        found: dict[str, Any] = {
            "differences": measure_sample_again(load(bundle), EffectSample.load(Path(sample)))
        }
    except CircuitzError as problem:
        found = {"error": [problem.code, problem.message, problem.hint]}
    print(json.dumps(found))


if __name__ == "__main__":
    print_differences(*sys.argv[1:])
