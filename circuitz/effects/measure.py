"""Measure what a z's units respond to and what they drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects import drive as driving
from circuitz.effects.downstream import Downstream
from circuitz.effects.groups import Group, annotated_groups, sorted_group
from circuitz.effects.pictures import Evidence, strongest
from circuitz.effects.singles import group_effects, scales, single_effects
from circuitz.effects.sources import Sources, draw_sources
from circuitz.effects.stages import Stages
from circuitz.errors import InputsError, LayerError
from circuitz.features.sweep import sweep
from circuitz.features.visualise import visualise as visualise_units
from circuitz.lexicon.lexicon import Lexicon
from circuitz.models.open import runtime
from circuitz.models.runtime import Runtime
from circuitz.models.specs import unit_maps
from circuitz.z.data_ref import DataRef
from circuitz.z.hashing import picture_hash
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

# Sets run for earlier annotations stay useful after an undo; more than this are forgotten.
_GROUPS_KEPT = 96
_BATCH = 64


def measure(
    z: AnnotatedModel,
    concept_set: InputSet | None = None,
    data: InputSet | None = None,
    *,
    seed: int = 0,
    visualise: bool | Sequence[str] = False,
    pictures: bool = True,
    sources: int = 240,
    donors: int = 2,
    lexicon: Lexicon | None = None,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Measure units on the concept set, and the effects of the cut's units on every class.

    Incremental: responses are kept while weights and concept set are the same, effects of
    single units while also D and the settings are; after an edit of annotations only the sets
    of units that are new are run.

    Parameters
    ----------
    z
        Annotated model.
    concept_set
        Images on which responses are measured; by default the one z has.
    data
        D with labels, on which effects are measured; by default the one z has. Without any,
        responses alone are measured.
    seed
        Of the choice of source and lending images.
    visualise
        Also optimise an input for each unit: of the cut (``True``) or of the layers named.
    pictures
        Whether to draw the strongest sets of units at work; a search that measures again and
        again does without.
    sources
        Source images a split, evenly over classes.
    donors
        Images that lend values, a source image and class.
    lexicon
        Tells kinds of concepts when sets of units are formed; the shipped one by default.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    The same z with measurements; its words and weights are untouched.

    Raises
    ------
    InputsError
        If there is no concept set, or D's labels are missing or lack a class.
    MeasurementError
        If the network does not tell a class from the others on D.
    BuilderError, WeightsError, LayerError
        If the network cannot be run.
    """
    settings = {"sources": int(sources), "donors": int(donors)}
    kept_settings = z.notes.get("measure") == settings
    z = _with_inputs(z, concept_set, data)
    known = z.concept_set
    if known is None:
        raise InputsError(
            "There is no concept set to measure units on.",
            "Pass one: measure(z, concept_set), for instance make_dogs('concepts').",
        )
    old = z.measurements or Measurements()
    if old.weights_hash != z.weights_hash:
        old = Measurements()
    shown = _visualised(z, visualise)
    weights = {"sweep": 4, "visual": 12 if shown else 0, "sources": 2, "effects": 3, "groups": 1}
    stages = Stages(progress, weights)
    layers = _layers(z, known, old, stages)
    layers = _with_visualisations(z, layers, old, shown, seed, stages)
    same_data = old.data_hash == z.data_hash and old.concepts_hash == z.concepts_hash
    reusable = same_data and kept_settings and old.effects is not None and old.effects.seed == seed
    new = Measurements(
        layers=layers,
        effects=old.effects if reusable else None,
        weights_hash=z.weights_hash,
        concepts_hash=z.concepts_hash,
        data_hash=z.data_hash,
        pictures=old.pictures if reusable else {},
        group_pictures=old.group_pictures if reusable else {},
        seed=seed,
    )
    if z.data is not None:
        job = _Job(z, runtime(z), _cut(z), known, z.data, seed, stages)
        new = job.run(new, lexicon, settings, pictures)
    stages.finish()
    return z.with_(what="measured", measurements=new, notes={**z.notes, "measure": settings})


@dataclass(frozen=True, eq=False)
class _Job:
    """Everything the effects of one cut are measured with."""

    z: AnnotatedModel
    runtime: Runtime
    spec: LayerSpec
    concepts: InputSet
    data: InputSet
    seed: int
    stages: Stages

    def run(
        self, new: Measurements, lexicon: Lexicon | None, settings: dict[str, int], draw: bool
    ) -> Measurements:
        units = tuple(f"{self.spec.name}:{u}" for u in range(self.spec.size))
        wanted = annotated_groups(self.z, units, lexicon)
        effects = new.effects
        missing = [g for g in wanted if effects is None or g not in effects.groups]
        if effects is not None and not missing:
            undrawn = set(strongest(effects, wanted)) - set(new.group_pictures)
            if not (draw and undrawn):
                return new
        sources = draw_sources(
            self.data,
            self.z.classes,
            per_split=settings["sources"],
            donors=settings["donors"],
            seed=self.seed,
        )
        acts = self._acts(self.data.images, sources.index, 0, len(sources))
        if effects is None:
            effects, down = self._singles(units, sources, acts)
        else:
            down = Downstream(self.runtime, self.spec, acts)
        effects = self._groups(effects, down, sources, wanted, missing)
        new = replace(new, effects=effects)
        evidence = Evidence(self.spec, down, sources, effects, self.data.images)
        made = evidence.draw(wanted, new.group_pictures) if draw else {}
        return _with_pictures(new, made, set(strongest(effects, wanted)))

    def _singles(
        self, units: Group, sources: Sources, acts: torch.Tensor
    ) -> tuple[EffectMeasurements, Downstream]:
        pool = driving.draw_pool(self.concepts, self.seed)
        lent = self._acts(self.concepts.images, pool, len(sources), len(sources) + len(pool))
        down = Downstream(self.runtime, self.spec, torch.cat([acts, lent]))
        scale = scales(down, sources, self.z.classes)
        sufficiency, necessity = single_effects(
            down, sources, scale, lambda u: self.stages.at("effects", u, len(units))
        )
        responses = unit_maps(self.spec, lent).mean(2).float().cpu().numpy()
        switch = driving.draw_switch(responses, self.seed)
        found = EffectMeasurements(
            units=units,
            targets=self.z.classes,
            scale=scale,
            sufficiency=sufficiency,
            necessity=necessity,
            split=sources.split,
            scene=sources.scene,
            source=sources.index,
            drive=driving.drive(down, switch, len(sources), scale),
            span=driving.span(responses, switch),
            seed=self.seed,
        )
        return found, down

    def _groups(
        self,
        effects: EffectMeasurements,
        down: Downstream,
        sources: Sources,
        wanted: Sequence[Group],
        missing: Sequence[Group],
    ) -> EffectMeasurements:
        if not missing:
            return effects
        place = {unit: i for i, unit in enumerate(effects.units)}
        index = [[place[u] for u in group] for group in missing]
        sufficiency, necessity = group_effects(down, sources, effects.scale, index)
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


def _with_inputs(
    z: AnnotatedModel, concept_set: InputSet | None, data: InputSet | None
) -> AnnotatedModel:
    changes: dict[str, Any] = {}
    if concept_set is not None and concept_set is not z.concept_set:
        changes |= {"concept_set": concept_set, "concepts_ref": None}
    if data is not None and data is not z.data:
        ref = DataRef.to(data)
        # The same D opened anew keeps its place on disk.
        known = z.data_ref
        same = known is not None and known.fingerprint == ref.fingerprint
        changes |= {"data": data, "data_ref": known if same else ref}
    return z.with_(**changes) if changes else z


def _cut(z: AnnotatedModel) -> LayerSpec:
    specs = [s for s in z.layers if s.name in z.cut]
    if len(specs) != 1:
        raise LayerError(
            f"The cut has {len(specs)} layers; effects are measured at one.",
            "Set cut to one layer that all paths to the output cross.",
        )
    return specs[0]


def _layers(
    z: AnnotatedModel, concepts: InputSet, old: Measurements, stages: Stages
) -> dict[str, LayerMeasurements]:
    names = [s.name for s in z.layers]
    fresh = old.concepts_hash == z.concepts_hash
    todo = [s for s in z.layers if not fresh or s.name not in old.layers]
    if not todo:
        return {name: old.layers[name] for name in names}
    found = sweep(runtime(z), todo, concepts, progress=lambda done, n: stages.at("sweep", done, n))
    return {name: found.get(name) or old.layers[name] for name in names}


def _visualised(z: AnnotatedModel, visualise: bool | Sequence[str]) -> tuple[str, ...]:
    names = [s.name for s in z.layers]
    wanted = z.cut if visualise is True else tuple(visualise or ())
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise LayerError(f"{unknown[0]!r} is not a layer of z.", f"Its layers are {names}.")
    return wanted


def _with_visualisations(
    z: AnnotatedModel,
    layers: dict[str, LayerMeasurements],
    old: Measurements,
    wanted: tuple[str, ...],
    seed: int,
    stages: Stages,
) -> dict[str, LayerMeasurements]:
    """Add pictures of units; those made for the same weights stay."""
    found = dict(layers)
    specs = {s.name: s for s in z.layers}
    for i, (name, layer) in enumerate(layers.items()):
        made = old.layers[name].visualisations if name in old.layers else None
        if made is None and name in wanted:
            start = i / len(layers)

            def tick(done: int, n: int, start: float = start) -> None:
                stages.at("visual", start + done / n / len(layers), 1)

            made = visualise_units(runtime(z), specs[name], seed=seed, progress=tick)
        if made is not layer.visualisations:
            found[name] = replace(layer, visualisations=made)
    return found
