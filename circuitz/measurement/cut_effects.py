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
from circuitz.measurement import activation_effect as driving
from circuitz.measurement.concept_effects import asked_concepts, concept_effects
from circuitz.measurement.cut_job import CutJob
from circuitz.measurement.evidence_pictures import Evidence, strongest
from circuitz.measurement.stages import Stages
from circuitz.models.run.layer_specs import unit_maps
from circuitz.models.run.runtime import Runtime
from circuitz.patching.source_rows import Sources, draw_sources
from circuitz.patching.trials import scales
from circuitz.plausibility.unit_groups import (
    Group,
    annotated_groups,
    asked_about,
    class_groups,
    sorted_group,
)
from circuitz.responses.token_grid import shown
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
    concepts, data
        Concept set and D.
    seed
        Of the choice of images.
    stages
        Progress.
    store
        Folder of finished pieces, see :func:`circuitz.measurement.measure.measure`.
    executor
        Who runs them; by default this process.
    """

    z: AnnotatedModel
    runtime: Runtime
    spec: LayerSpec
    concepts: InputSet
    data: InputSet
    seed: int
    stages: Stages
    store: Path | None = None
    executor: Executor | None = None

    def add_to(
        self,
        new: Measurements,
        lexicon: Lexicon | None,
        settings: dict[str, int],
        draw: bool,
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
        draw
            Whether to draw pictures.
        findings
            Whose sets of units are run and drawn besides.
        """
        units = tuple(f"{self.spec.name}:{u}" for u in range(self.spec.size))
        asked = asked_about(findings, units, self.z.classes)
        wanted = (*annotated_groups(self.z, units, lexicon), *(group for group, _ in asked))
        effects, missing = new.effects, list(dict.fromkeys(wanted))
        if effects is not None:
            effects = self._concepts(effects, lexicon)
            new = replace(new, effects=effects)
            wanted = tuple(dict.fromkeys((*wanted, *class_groups(self.z, effects, lexicon))))
            missing = [g for g in wanted if g not in effects.groups]
        if effects is not None and not missing:
            undrawn = set(strongest(effects, wanted, asked)) - set(new.group_pictures)
            if not (draw and undrawn):
                return new
        sources = draw_sources(
            self.data,
            self.z.classes,
            per_split=settings["sources"],
            donors=settings["donors"],
            seed=self.seed,
            head=self.z.head,
        )
        job = self.job(sources, None if effects is None else effects.scale)
        if effects is None:
            effects = self._concepts(self._singles(units, job), lexicon)
            wanted = tuple(dict.fromkeys((*wanted, *class_groups(self.z, effects, lexicon))))
            missing = list(wanted)
        effects = self._groups(effects, job, wanted, missing)
        new = replace(new, effects=effects)
        evidence = Evidence(self.spec, job.down, sources, effects, shown(self.data))
        chosen = strongest(effects, wanted, asked)
        made = evidence.draw(chosen, new.group_pictures) if draw else {}
        return _with_pictures(new, made, set(chosen))

    def job(self, sources: Sources, scale: F32 | None = None) -> CutJob:
        """Return the work; what units do on the concept set is needed where effects are missing."""
        n = len(sources)
        nothing = np.zeros((0, driving.DRAWS), np.int64)
        if scale is not None:
            acts = self._acts(self.data.images, sources.index, 0, n)
            switch = driving.Switch(nothing[:, :0].ravel(), nothing, nothing)
            return CutJob(self.runtime, self.spec, acts, sources, switch, scale)
        pool = driving.draw_pool(self.concepts, self.seed)
        acts = self._acts(self.data.images, sources.index, 0, n + len(pool))
        lent = self._acts(self.concepts.images, pool, n, n + len(pool))
        switch = driving.draw_switch(self._responses(lent), self.seed)
        scale = np.ones(len(self.z.classes), np.float32)
        job = CutJob(self.runtime, self.spec, torch.cat([acts, lent]), sources, switch, scale)
        # Read off what the job keeps of the network's end, so that this is done once.
        scale[:] = scales(job.down, sources, self.z.classes)
        return job

    def _responses(self, acts: torch.Tensor) -> F32:
        return unit_maps(self.spec, acts).mean(2).float().cpu().numpy()

    def _singles(self, units: Group, job: CutJob) -> EffectMeasurements:
        made = job.singles(
            self.store, self.executor, lambda done, n: self.stages.at("effects", done, n)
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
            span=driving.span(self._responses(job.acts[len(sources) :]), job.switch),
            seed=self.seed,
            margin=job.down.margins.float().cpu().numpy()[sources.row],
        )

    def _concepts(self, effects: EffectMeasurements, lexicon: Lexicon | None) -> EffectMeasurements:
        """Add what concepts do through the cut, where there are concept labels and splits."""
        known = self.concepts
        if known.concepts is None or known.split is None:
            return effects
        asked = asked_concepts(self.z, known, effects.units, lexicon)
        found = concept_effects(
            self.runtime,
            self.spec,
            known,
            asked,
            effects.units,
            effects.scale,
            self.seed,
            lambda rows: self._acts(known.images, rows, 0, len(rows)),
            effects.concepts,
        )
        return effects if found is effects.concepts else replace(effects, concepts=found)

    def _groups(
        self,
        effects: EffectMeasurements,
        job: CutJob,
        wanted: Sequence[Group],
        missing: Sequence[Group],
    ) -> EffectMeasurements:
        if not missing:
            return effects
        place = {unit: i for i, unit in enumerate(effects.units)}
        index = [[place[u] for u in group] for group in missing]
        sufficiency, necessity = job.groups(index, self.store, self.executor)
        groups = (*effects.groups, *missing)
        if effects.groups:
            sufficiency = np.concatenate([effects.group_sufficiency, sufficiency])
            necessity = np.concatenate([effects.group_necessity, necessity])
        old = [i for i, g in enumerate(groups) if g not in set(wanted)]
        drop = set(old[: max(0, len(groups) - _GROUPS_KEPT)])
        keep = [i for i in range(len(groups)) if i not in drop]
        return replace(
            effects,
            groups=tuple(sorted_group(groups[i]) for i in keep),
            group_sufficiency=sufficiency[keep],
            group_necessity=necessity[keep],
        )

    def _acts(self, images: Any, rows: I64, done: int, total: int) -> torch.Tensor:
        parts: list[torch.Tensor] = []
        with torch.no_grad():
            for i in range(0, len(rows), _BATCH):
                x = self.runtime.prepare(np.asarray(images[rows[i : i + _BATCH]]))
                parts.append(self.runtime.forward_to(self.spec.name, x).clone())
                self.stages.at("sources", done + i, total)
        return torch.cat(parts)


def _with_pictures(
    measured: Measurements, made: dict[str, list[bytes]], wanted: set[str]
) -> Measurements:
    """Add pictures, and drop those of sets nobody asks about any more."""
    named = {key: {picture_hash(png): png for png in pngs} for key, pngs in made.items()}
    keys = measured.group_pictures | {key: tuple(pngs) for key, pngs in named.items()}
    pictures = dict(measured.pictures)
    for pngs in named.values():
        pictures |= pngs
    keys = {key: hashes for key, hashes in keys.items() if key in wanted}
    shown = {name for hashes in keys.values() for name in hashes}
    kept = {name: png for name, png in pictures.items() if name in shown}
    return replace(measured, pictures=kept, group_pictures=keys)
