"""Measure what a z's units respond to and what they drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from circuitz.data.concept_set import as_concept_set
from circuitz.data.input_sources import as_inputs
from circuitz.data.nearly_black import warn_if_nearly_black
from circuitz.deprecation import renamed_keywords
from circuitz.errors import InputsError, LayerError
from circuitz.jobs.connect import Cluster, executor_for_cluster
from circuitz.jobs.job import Executor
from circuitz.lexicon.column_disputes import check_columns_are_told_apart
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.cut_effects import CutEffects
from circuitz.measurement.measure_tokens import HeadEffects
from circuitz.measurement.staged_progress import Stages
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.unit_value_hashes import unit_value_hashes
from circuitz.patching.silenced_weights import can_silence_layer
from circuitz.responses.optimised.visualise import visualise as visualise_units
from circuitz.responses.sweep_layers import sweep
from circuitz.responses.token_responses import measure_responses_to_position_pairs
from circuitz.wrapping.count_accuracy import with_accuracy
from circuitz.z.bases import basis_sizes
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.check_z import check_annotated_model
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.layer import SILENCEABLE, LayerSpec
from circuitz.z.measurements import LayerMeasurements, Measurements
from circuitz.z.range_record import range_pictures_by_hash
from circuitz.z.visuals import current_run_pictures_by_hash

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[int, int], None]

SOURCE_IMAGES, DONORS = 240, 2


@outside_inference_mode
@renamed_keywords(sources="images", store="checkpoint")
def measure(
    z: AnnotatedModel,
    concept_set: InputSet | object | None = None,
    data: InputSet | object | None = None,
    *,
    seed: int = 0,
    visualise: bool | Sequence[str] = False,
    pictures: bool = True,
    findings: Sequence[Finding] = (),
    images: int = SOURCE_IMAGES,
    donors: int = DONORS,
    lexicon: Lexicon | None = None,
    checkpoint: Path | None = None,
    shard: int | None = None,
    cluster: Cluster = None,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Measure units on the concept set, and the effects of the cut's units on every class.

    Incremental. After an edit of annotations only the sets of units that are new are run. After
    an edit of weights, layers that lie before them (:mod:`circuitz.models.run.dependency`) keep all that
    their units' values decide, visualisations too; exemplars by relevance and scores by embedding,
    which the rest of the network has a part in, are measured anew, and so are effects.

    Parameters
    ----------
    z
        Annotated model.
    concept_set
        Images, or pairs of token positions, on which responses are measured; by default the
        one z has. Also ``(images, table)`` or a folder, as of :func:`circuitz.concepts`. One
        without splits is split first.
    data
        D with labels, on which effects are measured; by default the one z has. Also ``(images,
        labels)``, a dataset, a loader or a folder, as of :func:`circuitz.wrap`. Without any,
        responses alone are measured.
    seed
        Of the choice of source and lending images.
    visualise
        Also optimise an input for each unit: of the cut (``True``) or of the layers named.
    pictures
        Whether to draw the strongest sets of units at work; a search that measures again and
        again does without.
    findings
        Of a check of z: the sets of units that these are about are run together and drawn at work
        too, on the class each is about.
    images
        Source images a split, evenly over classes.
    donors
        Images that lend values, a source image and class.
    lexicon
        Tells kinds of concepts when sets of units are formed; the shipped one by default.
    checkpoint
        Folder of finished shards of the pass over the concept set, and of finished units and sets
        of the effects: a run that was killed goes on where it was.
    shard
        Images a shard, see :func:`circuitz.responses.sweep_layers.sweep`.
    cluster
        Who makes the pass over a concept set of images, and runs units and sets of the cut: the
        address of a Dask scheduler (``tcp://host:8786``) or a ``dask.distributed.Client``; by
        default this process. Pictures, and all that is about heads, are computed here.
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
    ColumnNamesError, ContradictingColumnsError
        If two concept columns bear one name, or claim to be one word and contradict each other.
    BuilderError, WeightsError, LayerError
        If the network cannot be run, or workers cannot build it.
    ClusterError
        If the cluster cannot be reached or does not fit this installation.
    """
    check_annotated_model(z)
    settings = {"sources": int(images), "donors": int(donors)}
    kept_settings = z.notes.get("measure") == settings
    z = with_accuracy(_attach_inputs(z, concept_set, data, seed))
    known = z.concept_set
    if known is None:
        raise InputsError(
            "There is no concept set to measure units on.",
            "Pass one: measure(z, (images, table)), or what cz.concepts(…) makes.",
        )
    if z.measurements is None or z.measurements.concepts_hash != z.concepts_hash:
        # Of what was measured before, the check tells.
        check_columns_are_told_apart(known.concept_names, known.concepts, lexicon or Lexicon.load())
    old = z.measurements or Measurements()
    # An input of tokens cannot be optimised by gradient; exemplars show what heads look at.
    shown = () if known.is_tokens else _layers_to_visualise(z, visualise)
    weights = {"sweep": 4, "visual": 12 if shown else 0, "sources": 2, "effects": 3, "groups": 1}
    stages = Stages(progress, weights)
    with executor_for_cluster(cluster) as executor:
        how = WorkSplit(checkpoint, shard, executor)
        layers = _measure_changed_layers(z, known, old, stages, how)
        layers = _add_visualisations(z, layers, old, shown, seed, stages)
        new = _layers_with_reusable_effects(z, old, layers, kept_settings, seed)
        if z.data is not None:
            shows = findings if pictures else ()
            new = _add_missing_effects(
                z, known, z.data, new, settings, lexicon, pictures, shows, stages, how
            )
    stages.finish()
    # Optimised inputs belong to the weights alone, and what the gauge drew to its records.
    others = current_run_pictures_by_hash(z) | range_pictures_by_hash(z)
    new = replace(new, pictures={**new.pictures, **others})
    notes = {**z.notes, "measure": settings, SILENCEABLE: _silenceable_layers(z, known)}
    notes |= _note_on_relevance(new)
    return z.with_(what="measured", measurements=new, notes=notes)


def _note_on_relevance(measurements: Measurements) -> dict[str, str]:
    """Say of which layers no gradient could be had, so that they have no inputs by relevance."""
    names = [
        repr(name)
        for name, layer in measurements.layers.items()
        if layer.relevant is not None and layer.relevant.size and (layer.relevant < 0).all()
    ]
    if not names:
        return {}
    return {
        "relevance": f"No input has been found by relevance for {', '.join(names)}: the network's "
        "gradients behind it are turned off, not finite, or 0."
    }


def _silenceable_layers(z: AnnotatedModel, concept_set: InputSet) -> dict[str, bool]:
    """Say of each layer of the cut whether its units can be taken out in the weights, tried once."""
    tried: dict[str, bool] = dict(z.notes.get(SILENCEABLE, {}))
    if _is_about_position_pairs(concept_set):
        return tried
    for spec in z.layers:
        if spec.name in z.cut and spec.name not in tried:
            some = np.asarray(concept_set.images[:_TRIED_INPUTS])
            tried[spec.name] = can_silence_layer(runtime(z), spec, some)
    return tried


_TRIED_INPUTS = 4
_MADE_FROM = ("weights_hash", "concepts_hash", "data_hash")


class WorkSplit(NamedTuple):
    """How the work is cut and who does it, see :func:`measure`."""

    checkpoint: Path | None
    shard: int | None
    executor: Executor | None


def _layers_with_reusable_effects(
    z: AnnotatedModel,
    old: Measurements,
    layers: dict[str, LayerMeasurements],
    kept_settings: bool,
    seed: int,
) -> Measurements:
    """Return measurements of the layers, with the effects that are there and still hold."""
    same = all(getattr(old, name) == getattr(z, name) for name in _MADE_FROM)
    # Another cut, or another preprocessing, changes none of the hashes.
    about = {unit.rpartition(":")[0] for unit in old.effects.units} if old.effects else set[str]()
    same &= all(
        name in old.layers and name in layers and old.layers[name].values == layers[name].values
        for name in about
    )
    same &= about <= {*z.cut} or z.concept_set is None or _is_about_position_pairs(z.concept_set)
    reusable = same and kept_settings and old.effects is not None and old.effects.seed == seed
    return Measurements(
        layers=layers,
        effects=old.effects if reusable else None,
        weights_hash=z.weights_hash,
        concepts_hash=z.concepts_hash,
        data_hash=z.data_hash,
        pictures=old.pictures if reusable else {},
        group_pictures=old.group_pictures if reusable else {},
        seed=seed,
    )


def _add_missing_effects(
    z: AnnotatedModel,
    concept_set: InputSet,
    data: InputSet,
    new: Measurements,
    settings: dict[str, int],
    lexicon: Lexicon | None,
    pictures: bool,
    findings: Sequence[Finding],
    stages: Stages,
    work: WorkSplit,
) -> Measurements:
    """Return measurements with what was missing of effects."""
    if _is_about_position_pairs(concept_set):
        heads = HeadEffects(z, runtime(z), data, dict(new.layers), new.seed, stages)
        return replace(new, effects=heads.measure_missing_effects(new.effects, lexicon, settings))
    job = CutEffects(
        z,
        runtime(z),
        _single_cut_layer(z),
        concept_set,
        data,
        new.seed,
        stages,
        work.checkpoint,
        work.executor,
    )
    return job.add_missing_effects_and_pictures(new, lexicon, settings, pictures, findings)


def _attach_inputs(
    z: AnnotatedModel, concept_set: object | None, data: object | None, seed: int
) -> AnnotatedModel:
    changes: dict[str, Any] = {}
    if concept_set is None:
        concept_set = z.concept_set
    if concept_set is not None:
        concept_set = as_concept_set(concept_set, seed)
        if concept_set is not z.concept_set:
            warn_if_nearly_black(concept_set, "The concept set's pictures")
            changes |= {"concept_set": concept_set, "concepts_ref": None}
    if data is not None and data is not z.data:
        data = _as_labelled_inputs(z, data, seed)
        ref = DataRef.referring_to(data)
        # The same D opened anew keeps its place on disk.
        known = z.data_ref
        same = known is not None and known.fingerprint == ref.fingerprint
        changes |= {"data": data, "data_ref": known if same else ref}
    return z.with_(**changes) if changes else z


def _as_labelled_inputs(z: AnnotatedModel, data: object, seed: int) -> InputSet:
    """Return D as a person gave it, split; token sequences have been held to z's vocabulary."""
    if isinstance(data, InputSet) and (data.is_tokens or data.split is not None):
        warn_if_nearly_black(data)
        return data
    return as_inputs(data, classes=z.classes or None, seed=seed)


def _is_about_position_pairs(concept_set: InputSet) -> bool:
    """Whether concepts are about pairs of positions, and not about whole inputs."""
    return concept_set.is_tokens and concept_set.focus is not None


def _single_cut_layer(z: AnnotatedModel) -> LayerSpec:
    specs = [s for s in z.layers if s.name in z.cut]
    if len(specs) != 1:
        raise LayerError(
            f"The cut has {len(specs)} layers; effects are measured at one.",
            "Set cut to one layer that all paths to the output cross.",
        )
    return specs[0]


def _measure_changed_layers(
    z: AnnotatedModel,
    concept_set: InputSet,
    old: Measurements,
    stages: Stages,
    work: WorkSplit,
) -> dict[str, LayerMeasurements]:
    """Return measurements of all layers and bases; those that still hold are not made again."""
    names = [s.name for s in z.layers]
    if not _is_about_position_pairs(concept_set):
        names += basis_sizes(z.bases)
    there = old.layers if old.concepts_hash == z.concepts_hash else {}
    same_weights = old.weights_hash == z.weights_hash
    run = runtime(z)
    values = unit_value_hashes(z, run, names)
    held = {
        name: there[name]
        for name in names
        if name in there and _responds_as_before(there[name], values[name], same_weights)
    }
    missing = [name for name in names if name not in held]

    if same_weights and not missing:
        return held

    def advance_sweep_stage(done: int, n: int) -> None:
        stages.advance("sweep", done, n)

    if _is_about_position_pairs(concept_set):
        todo = [s for s in z.layers if s.name in missing]
        found = measure_responses_to_position_pairs(
            run, todo, concept_set, progress=advance_sweep_stage
        )
    else:
        embed = next((s for s in z.layers if s.name in z.cut), None)
        # Other weights after a layer change what its units matter to.
        places = [resolve_unit_space(z, name) for name in (missing if same_weights else names)]
        found = sweep(
            run, places, concept_set, embed=embed, reused=held, checkpoint=work.checkpoint, shard=work.shard,
            executor=work.executor, progress=advance_sweep_stage,
        )  # fmt: skip
    found = held | {name: replace(one, values=values[name]) for name, one in found.items()}
    return {name: found[name] for name in names if name in found}


def _responds_as_before(before: LayerMeasurements, values: str, same_weights: bool) -> bool:
    """Whether units respond as they did; measurements of old say nothing but by the weights."""
    return before.values == values if before.values else same_weights


def _layers_to_visualise(z: AnnotatedModel, visualise: bool | Sequence[str]) -> tuple[str, ...]:
    names = [s.name for s in z.layers]
    wanted = z.cut if visualise is True else tuple(visualise or ())
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise LayerError(f"{unknown[0]!r} is not a layer of z.", f"Its layers are {names}.")
    return wanted


def _add_visualisations(
    z: AnnotatedModel,
    layers: dict[str, LayerMeasurements],
    old: Measurements,
    layer_names: tuple[str, ...],
    seed: int,
    stages: Stages,
) -> dict[str, LayerMeasurements]:
    """Add pictures of units; those of units that are what they were stay, whatever is shown."""
    found = dict(layers)
    specs = {s.name: s for s in z.layers}
    same_weights = old.weights_hash == z.weights_hash
    for i, (name, layer) in enumerate(layers.items()):
        before = old.layers.get(name)
        holds = before is not None and _responds_as_before(before, layer.values, same_weights)
        made = before.visualisations if before is not None and holds else None
        if made is None and name in layer_names:
            start = i / len(layers)

            def advance_visual_stage(done: int, n: int, start: float = start) -> None:
                stages.advance("visual", start + done / n / len(layers), 1)

            made = visualise_units(
                runtime(z), specs[name], seed=seed, progress=advance_visual_stage
            )
        if made is not layer.visualisations:
            found[name] = replace(layer, visualisations=made)
    return found
