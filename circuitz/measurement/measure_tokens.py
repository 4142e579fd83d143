"""Measurements of a transformer on token sequences: where heads look, and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.activation_effect import ACTIVE
from circuitz.measurement.staged_progress import Stages
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_heads import HeadDownstream, head_layers_of_cut
from circuitz.patching.source_rows import draw_sources
from circuitz.patching.trials import (
    class_margin_scales,
    sufficiency_and_necessity_by_group,
    sufficiency_and_necessity_by_unit,
)
from circuitz.plausibility.unit_groups import sort_unit_group, unit_groups_from_annotations
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import F32, EffectMeasurements, LayerMeasurements

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


@dataclass(frozen=True, eq=False)
class HeadEffects:
    """Everything the effects of a transformer's heads are measured with.

    Parameters
    ----------
    z, runtime
        Annotated model, its network.
    data
        D: token sequences with labels.
    layers
        Responses of the heads, by layer.
    seed
        Of the choice of inputs.
    stages
        Progress.
    """

    z: AnnotatedModel
    runtime: Runtime
    data: InputSet
    layers: dict[str, LayerMeasurements]
    seed: int
    stages: Stages

    def measure_missing_effects(
        self, old: EffectMeasurements | None, lexicon: Lexicon | None, settings: dict[str, int]
    ) -> EffectMeasurements:
        """Return effects of every head, and of the sets that words make; what is there is kept.

        Raises
        ------
        LayerError
            If the cut is not the heads of all blocks of a small transformer.
        """
        specs = head_layers_of_cut(self.z, self.runtime)
        units = tuple(f"{spec.name}:{h}" for spec in specs for h in range(spec.size))
        wanted = unit_groups_from_annotations(self.z, units, lexicon)
        missing = [g for g in wanted if old is None or g not in old.groups]
        if old is not None and not missing:
            return old
        sources = draw_sources(
            self.data, self.z.classes, per_split=settings["sources"], donors=settings["donors"],
            seed=self.seed, head=self.z.head,
        )  # fmt: skip
        tokens = np.asarray(self.data.images[sources.index])
        down = HeadDownstream.for_heads_of_cut(self.z, self.runtime, tokens)
        found = old
        if found is None:
            scale = class_margin_scales(down, sources, self.z.classes)
            sufficiency, necessity = sufficiency_and_necessity_by_unit(
                down, sources, scale, lambda u: self.stages.advance("effects", u, len(units))
            )
            found = EffectMeasurements(
                units=units, targets=self.z.classes, scale=scale, sufficiency=sufficiency,
                necessity=necessity, split=sources.split, scene=sources.scene,
                source=sources.index, drive=_mean_sufficiency_on_select(sufficiency, sources.split),
                span=self._active_less_inactive_mean(specs), seed=self.seed,
                margin=down.margins.float().cpu().numpy()[sources.row],
            )  # fmt: skip
        if not missing:
            return found
        place = {unit: i for i, unit in enumerate(units)}
        index = [[place[u] for u in group] for group in missing]
        joint = sufficiency_and_necessity_by_group(down, sources, found.scale, index)
        if found.groups:
            before = (found.group_sufficiency, found.group_necessity)
            joint = tuple(np.concatenate(pair) for pair in zip(before, joint, strict=True))
        return replace(
            found,
            groups=tuple(sort_unit_group(group) for group in (*found.groups, *missing)),
            group_sufficiency=joint[0],
            group_necessity=joint[1],
        )

    def _active_less_inactive_mean(self, specs: Sequence[LayerSpec]) -> F32:
        responses = np.concatenate([self.layers[spec.name].responses for spec in specs], 1)
        ordered = np.sort(responses, axis=0)
        active = max(1, round(ACTIVE * len(ordered)))
        return ordered[-active:].mean(0) - ordered[: max(1, len(ordered) // 2)].mean(0)


def _mean_sufficiency_on_select(sufficiency: F32, split: np.ndarray) -> F32:
    """Return how a head moves each class when it takes what it does there, on *select*."""
    rows = split == SPLITS.index("select")
    return np.nanmean(sufficiency[rows if rows.any() else slice(None)], axis=0).astype(np.float32)
