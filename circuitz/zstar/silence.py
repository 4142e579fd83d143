"""Cut a path for good: units of a finding put out one number, whatever the input."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from torch import nn

from circuitz.errors import CircuitzError, InputsError, LayerError, SilenceError, UnitError
from circuitz.models.adapters.weight_arrays import load_numpy_weights
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.patching.silenced_weights import silenced_weights
from circuitz.plausibility import prose
from circuitz.plausibility.check import check
from circuitz.z.annotation import Annotation
from circuitz.z.bases import basis_sizes
from circuitz.z.check_z import check_annotated_model
from circuitz.z.edits import history
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.targets import EDGE, canonical_target, target_units
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
#: Who takes back words on units that see nothing any more.
AUTHOR = "silence"
_PROBES = 16
# Share of what a layer puts out below which a unit's changes are rounding.
_ROUNDING = 1e-5


@outside_inference_mode
def silence(
    z: AnnotatedModel,
    what: str | Unit | Finding | Sequence[str | Unit],
    *,
    lexicon: Lexicon | None = None,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Cut the path of a finding in the weights: its units put out their mean from now on.

    Nothing is trained, so that the rest of the network is what it was, and accuracy falls where a
    class rested on the path (*mean ablation*, made permanent). Words on the units are retracted;
    one about a group stays while a unit of it is left. Measurements are kept, so that
    :func:`circuitz.measure` runs only what changed.

    Parameters
    ----------
    z
        Annotated model.
    what
        A finding or its id (or the start of it that no other has), of ``z.findings`` or of a check
        of z as it is; a unit; or units of one layer.
    lexicon
        Prior knowledge of that check; the shipped one by default.
    progress
        Called with inputs done and inputs in all, where means have to be measured.

    Returns
    -------
    z with other weights. The mean is over the concept set, or over D where there is none.

    Raises
    ------
    SilenceError
        If no finding has this id, or it names no units, or the units are constant already.
    UnitError
        If a unit does not exist, or is a class, a direction or at one position.
    LayerError
        If units lie in several layers, or no module makes them by itself (see
        :func:`circuitz.patching.silenced_weights.silenced_weights`).
    InputsError
        If there is neither a concept set nor D.
    BuilderError, WeightsError
        If the network cannot be run.
    """
    check_annotated_model(z)
    names = units_to_silence(z, what, lexicon)
    layer = Unit.parse(names[0]).layer
    spec = next(s for s in z.layers if s.name == layer)
    units = [Unit.parse(name).index for name in names]
    inputs = z.concept_set if z.concept_set is not None else z.data
    if inputs is None or not len(inputs):
        raise InputsError(
            "There are no inputs to try the network on.", "Give z a concept set, or D."
        )
    run = runtime(z)
    means, peaks = _mean_and_peak_responses(z, run, spec, inputs, progress)
    still = _ROUNDING * float(np.abs(peaks).max())
    if max(np.ptp(means[:, units], 0).max(), np.ptp(peaks[:, units], 0).max()) <= still:
        raise SilenceError(
            f"{prose.abbreviate_units(names)} put out the same on every input already.",
            "There is no path to cut.",
        )
    level = means[:, units].mean(0, dtype=np.float64).astype(np.float32)
    tried = np.linspace(0, len(inputs) - 1, min(_PROBES, len(inputs))).astype(int)
    weights = silenced_weights(run, spec, units, level, inputs.images[tried])
    live: object | None = None
    if z.live is not None:
        module: nn.Module = copy.deepcopy(run.module)
        load_numpy_weights(module, weights)
        live = module
    made = z.with_(weights=weights, live=live)
    return z.with_(
        what=f"silence {prose.abbreviate_units(names)}",
        weights=made.weights,
        live=live,
        log=(*z.log, *_retractions_of_silenced_words(made, names)),
    )


def units_to_silence(
    z: AnnotatedModel,
    what: str | Unit | Finding | Sequence[str | Unit],
    lexicon: Lexicon | None = None,
) -> tuple[str, ...]:
    """Return the units of one layer that a finding, its id, a unit or several name, sorted.

    Raises
    ------
    SilenceError, UnitError, LayerError
        As :func:`silence`.
    """
    if isinstance(what, str) and ":" not in what:
        what = _find_finding_by_id_prefix(z, what, lexicon)
    if isinstance(what, Finding):
        if not what.units:
            raise SilenceError(
                f"The finding {what.id} ({what.kind}) names no units.",
                "Name the units to silence: conv4:13.",
            )
        what = what.units
    listed = [what] if isinstance(what, str | Unit) else list(what)
    found = {name for one in listed for name in target_units(_resolve_target_but_edges(z, one))}
    if not found:
        raise SilenceError("No units are named.", "Name some, or a finding: conv4:13.")
    units = sorted(map(Unit.parse, found))
    for unit in units:
        if unit.is_output or unit.basis or unit.position is not None:
            kind = "a class" if unit.is_output else "a direction of a basis"
            raise UnitError(
                f"{unit} is {kind if unit.position is None else 'a unit at one position'}; only "
                "whole units are silenced.",
                "Name units of a layer, such as conv4:13, or train without it (circuitz search).",
            )
    layers = list(dict.fromkeys(unit.layer for unit in units))
    if len(layers) > 1:
        raise LayerError(
            f"The units lie in {prose.list_in_prose(layers)}.",
            "Silence those of one layer, then those of the next.",
        )
    return tuple(map(str, units))


def _resolve_target_but_edges(z: AnnotatedModel, target: str | Unit) -> str:
    found = canonical_target(target, z.layers, z.classes, basis_sizes(z.bases))
    if found.startswith(EDGE):
        raise UnitError(f"{found} is an edge.", "Name the unit it starts from.")
    return found


def _find_finding_by_id_prefix(z: AnnotatedModel, ident: str, lexicon: Lexicon | None) -> Finding:
    known = {f.id: f for f in z.findings}
    why = ""
    try:
        known |= {f.id: f for f in check(z, lexicon=lexicon).findings}
    except CircuitzError as problem:
        why = f" {problem.message}"
    found = [f for name, f in known.items() if name.startswith(ident)] if ident else []
    if len(found) == 1:
        return found[0]
    if found:
        raise SilenceError(
            f"{len(found)} findings have an id that starts with {ident!r}.",
            f"They are {prose.list_in_prose([f.id for f in found[:8]])}.",
        )
    flagged = [f"{f.id} ({f.kind})" for f in known.values() if f.verdict == "flagged"]
    raise SilenceError(
        f"No finding has the id {ident[:80]!r}.{why}",
        f"Flagged are {prose.list_in_prose(flagged[:8])}." if flagged else "Nothing is flagged.",
    )


def _mean_and_peak_responses(
    z: AnnotatedModel,
    runtime: Runtime,
    spec: LayerSpec,
    inputs: InputSet,
    progress: Progress | None,
) -> tuple[F32, F32]:
    """Return the mean and the largest value over positions of every unit, ``(n, u)`` each."""
    held = z.measurements.layers.get(spec.name) if z.measurements is not None else None
    if held is not None and inputs is z.concept_set and not {"weights", "concepts"} & set(z.stale):
        return held.responses, held.peaks
    means: list[F32] = []
    peaks: list[F32] = []
    for rows, acts, _ in runtime.read(inputs.images, [spec.name]):
        maps = flatten_unit_maps(spec, acts[spec.name]).float().cpu()
        means.append(maps.mean(2).numpy())
        peaks.append(maps.amax(2).numpy())
        if progress is not None:
            progress(rows.stop, len(inputs))
    return np.concatenate(means), np.concatenate(peaks)


def _retractions_of_silenced_words(z: AnnotatedModel, names: Sequence[str]) -> list[Annotation]:
    """Entries that take back what is said of units, groups and edges that see nothing any more."""
    silent = set(names)
    entries: list[Annotation] = []
    for target in z.effective():
        about = set(target_units(target))
        # One dead end is enough for an edge.
        if about & silent if target.startswith(EDGE) else about <= silent:
            log = (*z.log, *entries)
            taken = history.retraction_entries(
                log, target, author=AUTHOR, weights_hash=z.weights_hash
            )
            entries += [replace(entry, author_kind="rule") for entry in taken]
    return entries
