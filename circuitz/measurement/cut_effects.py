"""The effects of one cut: what is missing is run, what is there is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.disk.hashing import picture_hash
from circuitz.jobs.job import Executor
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement import activation_effect
from circuitz.measurement.concept_effects import (
    measure_concept_effects,
    units_by_concept_to_measure,
)
from circuitz.measurement.cut_job import CutJob
from circuitz.measurement.evidence_pictures import InterventionPictures, groups_to_picture
from circuitz.measurement.staged_progress import Stages
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.runtime import Runtime
from circuitz.patching.source_rows import Sources, draw_sources
from circuitz.patching.trials import class_margin_scales
from circuitz.plausibility.unit_groups import (
    Group,
    sort_unit_group,
    supporting_unit_groups_by_class,
    unit_groups_and_classes_in_findings,
    unit_groups_from_annotations,
)
from circuitz.responses.token_grid import images_or_token_pictures
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import EffectMeasurements, Measurements

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

# Sets run for earlier annotations stay useful after an undo; more than this are forgotten.
_GROUPS_KEPT = 96
_BATCH = 64


@dataclass(frozen=True, eq=False)
class CutEffects:
    """Everything the effects of one cut are measured with.

    Parameters
    ----------
    z, runtime, spec
        Annotated model, its network, and the layer of the cut.
    concept_set, data
        Concept set and D.
    seed
        Of the choice of images.
    stages
        Progress.
    checkpoint
        Folder of finished pieces, see :func:`circuitz.measurement.measure.measure`.
    executor
        Who runs them; by default this process.
    """

    z: AnnotatedModel
    runtime: Runtime
    spec: LayerSpec
    concept_set: InputSet
    data: InputSet
    seed: int
    stages: Stages
    checkpoint: Path | None = None
    executor: Executor | None = None

    def add_missing_effects_and_pictures(
        self,
        new: Measurements,
        lexicon: Lexicon | None,
        settings: dict[str, int],
        draw_pictures: bool,
        findings: Sequence[Finding] = (),
    ) -> Measurements:
        """Return measurements with what was missing of effects, sets of units and pictures.

        Parameters
        ----------
        new
            Measurements; effects that are there are kept.
        lexicon
            Tells kinds of concepts when sets of units are formed.
        settings
            Number of ``sources`` a split and of ``donors``.
        draw_pictures
            Whether to draw pictures.
        findings
            Whose sets of units are run and drawn besides.
        """
        units = tuple(f"{self.spec.name}:{u}" for u in range(self.spec.size))
        asked = unit_groups_and_classes_in_findings(findings, units, self.z.classes)
        wanted = (
            *unit_groups_from_annotations(self.z, units, lexicon),
            *(group for group, _ in asked),
        )
        effects, missing = new.effects, list(dict.fromkeys(wanted))
        if effects is not None:
            effects = self._add_concept_effects(effects, lexicon)
            new = replace(new, effects=effects)
            wanted = tuple(
                dict.fromkeys((*wanted, *supporting_unit_groups_by_class(self.z, effects, lexicon)))
            )
            missing = [g for g in wanted if g not in effects.groups]
        if effects is not None and not missing:
            undrawn = set(groups_to_picture(effects, wanted, asked)) - set(new.group_pictures)
            if not (draw_pictures and undrawn):
                return new
        sources = draw_sources(
            self.data,
            self.z.classes,
            per_split=settings["sources"],
            donors=settings["donors"],
            seed=self.seed,
            head=self.z.head,
        )
        job = self.make_job(sources, None if effects is None else effects.scale)
        if effects is None:
            effects = self._add_concept_effects(self._measure_effects_of_units(units, job), lexicon)
            wanted = tuple(
                dict.fromkeys((*wanted, *supporting_unit_groups_by_class(self.z, effects, lexicon)))
            )
            missing = list(wanted)
        effects = self._add_group_effects(effects, job, wanted, missing)
        new = replace(new, effects=effects)
        evidence = InterventionPictures(
            self.spec, job.downstream, sources, effects, images_or_token_pictures(self.data)
        )
        chosen = groups_to_picture(effects, wanted, asked)
        made = evidence.draw_missing_pictures(chosen, new.group_pictures) if draw_pictures else {}
        return _update_pictures(new, made, set(chosen))

    def make_job(self, sources: Sources, scale: F32 | None = None) -> CutJob:
        """Return the work; what units do on the concept set is needed where effects are missing."""
        n = len(sources)
        nothing = np.zeros((0, activation_effect.DRAWS), np.int64)
        if scale is not None:
            acts = self._compute_cut_activations(self.data.images, sources.index, 0, n)
            switch = activation_effect.OffOnPairs(nothing[:, :0].ravel(), nothing, nothing)
            return CutJob(self.runtime, self.spec, acts, sources, switch, scale)
        pool = activation_effect.draw_switching_pool(self.concept_set, self.seed)
        acts = self._compute_cut_activations(self.data.images, sources.index, 0, n + len(pool))
        lent = self._compute_cut_activations(self.concept_set.images, pool, n, n + len(pool))
        switch = activation_effect.pair_off_on_images(self._mean_responses(lent), self.seed)
        scale = np.ones(len(self.z.classes), np.float32)
        job = CutJob(self.runtime, self.spec, torch.cat([acts, lent]), sources, switch, scale)
        # Read off what the job keeps of the network's end, so that this is done once.
        scale[:] = class_margin_scales(job.downstream, sources, self.z.classes)
        return job

    def _mean_responses(self, acts: torch.Tensor) -> F32:
        return flatten_unit_maps(self.spec, acts).mean(2).float().cpu().numpy()

    def _measure_effects_of_units(self, units: Group, job: CutJob) -> EffectMeasurements:
        made = job.measure_unit_effects(
            self.checkpoint, self.executor, lambda done, n: self.stages.advance("effects", done, n)
        )
        sources = job.sources
        return EffectMeasurements(
            units=units,
            targets=self.z.classes,
            scale=job.scale,
            sufficiency=made["sufficiency"],
            necessity=made["necessity"],
            split=sources.split,
            scene=sources.scene,
            source=sources.index,
            drive=made["drive"],
            drive_error=made["drive_error"],
            span=activation_effect.activation_rise(
                self._mean_responses(job.acts[len(sources) :]), job.switch
            ),
            seed=self.seed,
            margin=job.downstream.margins.float().cpu().numpy()[sources.row],
        )

    def _add_concept_effects(
        self, effects: EffectMeasurements, lexicon: Lexicon | None
    ) -> EffectMeasurements:
        """Add what concepts do through the cut, where there are concept labels and splits."""
        known = self.concept_set
        if known.concepts is None or known.split is None:
            return effects
        asked = units_by_concept_to_measure(self.z, known, effects.units, lexicon)
        found = measure_concept_effects(
            self.runtime,
            self.spec,
            known,
            asked,
            effects.units,
            effects.scale,
            self.seed,
            lambda rows: self._compute_cut_activations(known.images, rows, 0, len(rows)),
            effects.concepts,
        )
        return effects if found is effects.concepts else replace(effects, concepts=found)

    def _add_group_effects(
        self,
        effects: EffectMeasurements,
        job: CutJob,
        requested: Sequence[Group],
        missing: Sequence[Group],
    ) -> EffectMeasurements:
        if not missing:
            return effects
        place = {unit: i for i, unit in enumerate(effects.units)}
        index = [[place[u] for u in group] for group in missing]
        sufficiency, necessity = job.measure_group_effects(index, self.checkpoint, self.executor)
        groups = (*effects.groups, *missing)
        if effects.groups:
            sufficiency = np.concatenate([effects.group_sufficiency, sufficiency])
            necessity = np.concatenate([effects.group_necessity, necessity])
        old = [i for i, g in enumerate(groups) if g not in set(requested)]
        drop = set(old[: max(0, len(groups) - _GROUPS_KEPT)])
        keep = [i for i in range(len(groups)) if i not in drop]
        return replace(
            effects,
            groups=tuple(sort_unit_group(groups[i]) for i in keep),
            group_sufficiency=sufficiency[keep],
            group_necessity=necessity[keep],
        )

    def _compute_cut_activations(
        self, images: Any, rows: I64, done: int, total: int
    ) -> torch.Tensor:
        parts: list[torch.Tensor] = []
        with torch.no_grad():
            for i in range(0, len(rows), _BATCH):
                x = self.runtime.prepare(np.asarray(images[rows[i : i + _BATCH]]))
                parts.append(self.runtime.forward_to(self.spec.name, x).clone())
                self.stages.advance("sources", done + i, total)
        return torch.cat(parts)


def _update_pictures(
    measurements: Measurements, drawings: dict[str, list[bytes]], current_keys: set[str]
) -> Measurements:
    """Add pictures, and drop those of sets nobody asks about any more."""
    named = {key: {picture_hash(png): png for png in pngs} for key, pngs in drawings.items()}
    keys = measurements.group_pictures | {key: tuple(pngs) for key, pngs in named.items()}
    pictures = dict(measurements.pictures)
    for pngs in named.values():
        pictures |= pngs
    keys = {key: hashes for key, hashes in keys.items() if key in current_keys}
    shown = {name for hashes in keys.values() for name in hashes}
    kept = {name: png for name, png in pictures.items() if name in shown}
    return replace(measurements, pictures=kept, group_pictures=keys)
