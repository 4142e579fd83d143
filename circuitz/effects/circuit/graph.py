"""The circuit graph of a class, measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from circuitz.disk.hashing import arrays_hash
from circuitz.effects.arguments import require_data, source_rows
from circuitz.effects.circuit.head_graph import trace_wiring_of_heads
from circuitz.effects.circuit.head_pairs import HookedModel
from circuitz.effects.circuit.prune_graph import prune_graph
from circuitz.effects.circuit.trace_graph import CircuitTracer
from circuitz.effects.circuit.wiring import Wiring
from circuitz.effects.edge.edges import EXACT, ContrastPairs
from circuitz.effects.edge.exact_edges import layers_in_call_order
from circuitz.effects.unit_effect import downstream_of_unit_space, effect, is_cut_of_heads
from circuitz.errors import GraphError, MeasurementError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.patching.from_heads import head_layers_of_cut
from circuitz.patching.interchange import check_basis_not_over_heads
from circuitz.patching.source_rows import draw_sources
from circuitz.patching.trials import class_margin_scales
from circuitz.stats.clustered import clustered_mean, confidence_interval
from circuitz.z.bases import basis_parts
from circuitz.z.check_z import check_annotated_model
from circuitz.z.circuit.circuit_graph import CircuitGraph
from circuitz.z.circuit.stored_circuits import with_supernodes_of_stored_graph
from circuitz.z.inputs import SPLITS
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F64 = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
_DONORS = 2


@outside_inference_mode
def graph(
    z: AnnotatedModel,
    target: str,
    *,
    bases: Sequence[str] = (),
    nodes: float = 0.8,
    edges: float = 0.98,
    split: str = "test",
    images: int = 120,
    exact: int = EXACT,
    resamples: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> CircuitGraph:
    """Find the units through which a class gets its effect, and draw what drives what.

    From the class backwards: units of the cut by their sufficiency, which was measured; then,
    layer by layer, the units that drive those, every edge run exactly with all other parents held.
    Of a cut that is the heads of a transformer: heads, block by block, and the tokens they read
    (:mod:`circuitz.effects.circuit.head_graph`).

    Parameters
    ----------
    z
        Annotated model, measured, with D at hand.
    target
        Class, as ``husky`` or ``output:husky``.
    bases
        Bases (``conv4@nmf``) whose directions are the nodes of their layers, instead of units. A
        direction moves activations along itself by as much as its coordinate differs. What a
        basis leaves out of its layer is measured as they are; it is no node, but part of what is
        unexplained, and the score ``rest`` tells how much of the class's effect it carries.
    nodes, edges
        Shares of influence that are kept.
    split, images, seed
        Source images of the split (evenly over classes); each takes values from one of the class.
    exact
        Source units of a layer that are run; of more, those that EAP-IG on *select* points to.
    resamples
        Of the bootstrap over scenes.
    progress
        Called with steps done and in all.

    Returns
    -------
    CircuitGraph
        Keep it with ``z.with_graph(graph)``.

    Raises
    ------
    MeasurementError
        If effects have not been measured, or on other weights; directions of the cut are
        measured here.
    GraphError
        If no unit of the cut drives the class, a share is not between 0 and 1, or a layer has two
        of the bases or comes after the cut.
    UnitError, InputsError
        If there is no such class or basis, or D cannot be used.
    LayerError
        If the cut is heads, but not those of all blocks.
    BasisError
        If a basis does not fit its layer, or lies over attention heads.
    """
    check_annotated_model(z)
    if not (0 < nodes <= 1 and 0 < edges <= 1):
        raise GraphError(f"Kept shares are {nodes} and {edges}.", "Give numbers from 0 to 1.")
    name = str(target).removeprefix(f"{OUTPUT}:")
    bases = list(dict.fromkeys([bases] if isinstance(bases, str) else bases))
    run = runtime(z)
    pairs = ContrastPairs.draw_toward_class(z, run, name, split, images, seed)
    if is_cut_of_heads(z):
        wiring, cut = (
            _wiring_among_heads(z, run, pairs, name, bases, resamples, seed, progress),
            z.cut,
        )
    else:
        places = _layers_up_to_cut(z, run, pairs.x, bases)
        top = _sufficiency_of_cut_units(z, places[-1], name, split, images, seed)
        wiring = CircuitTracer(z, run, pairs, name, places, exact, resamples, seed).trace(
            top, progress
        )
        cut = (places[-1].name,)
    pruned = prune_graph(
        wiring.matrix, wiring.leaf, wiring.measured_rows,
        candidates=wiring.candidates, always=wiring.is_input, nodes=nodes, edges=edges,
    )  # fmt: skip
    made = wiring.kept_nodes(pruned)
    units = [n.id for n in made if n.kind == "unit" and n.layer in cut]
    if not units:
        raise GraphError(
            f"No unit of the cut drives {name}.", "See z.units; measure on more images."
        )
    alone, gone = (
        effect(z, units, name, intervention=how, split=split, images=images, seed=seed)
        for how in ("sufficiency", "necessity")
    )
    found = CircuitGraph(
        target=name,
        layers=tuple(column.name for column in wiring.columns),
        nodes=made,
        edges=wiring.kept_edges(pruned),
        scores={
            "replacement": pruned.replacement,
            "completeness": pruned.completeness,
            "recovered": alone.estimate,
            "recovered_low": alone.low,
            "recovered_high": alone.high,
            "lost": gone.estimate,
            "lost_low": gone.low,
            "lost_high": gone.high,
            **({"rest": wiring.unexplained_by_bases()} if bases else {}),
        },
        pruned_to={"nodes": nodes, "edges": edges},
        counts={"units": wiring.candidate_unit_count, "edges": wiring.measured_edges, "images": len(pairs.x)},
        stability=wiring.mean_stability(),
        settings={
            "weights": z.weights_hash, "data": z.data_hash, "split": split, "images": images,
            "seed": seed, "resamples": resamples, "exact": exact,
            "bases": {name: arrays_hash(basis_parts(z.bases, name)) for name in bases},
        },
    ).with_current_words(z)  # fmt: skip
    return with_supernodes_of_stored_graph(z, found)


def _wiring_among_heads(
    z: AnnotatedModel,
    runtime: Runtime,
    pairs: ContrastPairs,
    name: str,
    bases: Sequence[str],
    resamples: int,
    seed: int,
    progress: Progress | None,
) -> Wiring:
    """Return what drives what among the heads of a transformer."""
    if bases:
        raise GraphError(
            "The circuit of a cut that is attention heads is drawn between heads.",
            "Leave bases out, or wrap the network with another layer as its cut.",
        )
    specs, net = head_layers_of_cut(z, runtime), runtime.module
    model = net if isinstance(net, SmallTransformer) else HookedModel(runtime, specs)
    k = z.classes.index(name)
    return trace_wiring_of_heads(
        model, pairs, name, k, specs, resamples, seed, runtime.head, progress
    )


def _layers_up_to_cut(
    z: AnnotatedModel, runtime: Runtime, x: torch.Tensor, bases: Sequence[str]
) -> list[UnitSpace]:
    """Return the layers up to the cut in order, or the bases over them that were asked for."""
    if len(z.cut) != 1:
        raise MeasurementError(
            f"The cut is {', '.join(z.cut) or 'empty'}; circuits are drawn up to one layer.",
            "Wrap the network again with one layer as its cut.",
        )
    over: dict[str, UnitSpace] = {}
    for name in bases:
        place = resolve_unit_space(z, name)
        check_basis_not_over_heads(place)
        layer = place.layer.name
        if place.basis is None or layer in over:
            raise GraphError(
                f"{name!r} is no basis." if place.basis is None else f"{layer!r} has two bases.",
                "Name one basis a layer, as conv4@nmf; other layers stand by their units.",
            )
        over[layer] = place
    order = layers_in_call_order(runtime, [spec.name for spec in z.layers], x)
    order = order[: order.index(z.cut[0]) + 1]
    late = [place.name for layer, place in over.items() if layer not in order]
    if late:
        raise GraphError(
            f"{late[0]!r} comes after the cut, {z.cut[0]}.", f"Layers are {', '.join(order)}."
        )
    specs = {spec.name: spec for spec in z.layers}
    return [over.get(name, UnitSpace.of_layer(specs[name])) for name in order]


def _sufficiency_of_cut_units(
    z: AnnotatedModel, place: UnitSpace, name: str, split: str, images: int, seed: int
) -> tuple[F64, F64, F64]:
    """Return sufficiency of the cut's parts for a class, with its interval, ``(u,)`` each."""
    if place.basis is not None:
        return _measure_sufficiency_of_directions(z, place, name, split, images, seed)
    measured = z.measurements
    found = measured.effects if measured is not None else None
    if found is None or measured is None:
        raise MeasurementError(
            "Effects of the cut's units on the classes have not been measured.",
            "z = cz.measure(z, concept_set, data)",
        )
    if measured.weights_hash != z.weights_hash:
        raise MeasurementError("Effects were measured on other weights.", "Measure again.")
    rows = found.split == SPLITS.index(split)
    values = found.sufficiency[rows][:, :, found.targets.index(name)]
    mean = clustered_mean(values, found.scene[rows])
    return (np.asarray(mean.mean), *confidence_interval(mean))


def _measure_sufficiency_of_directions(
    z: AnnotatedModel, place: UnitSpace, name: str, split: str, images: int, seed: int
) -> tuple[F64, F64, F64]:
    """Run each direction of the cut by itself, and the rest."""
    k = z.classes.index(name)
    drawn = draw_sources(
        require_data(z), z.classes, per_split=images, donors=_DONORS, seed=seed, head=z.head
    )
    down = downstream_of_unit_space(z, place, drawn)
    chosen = drawn.take(source_rows(z, drawn, k, "sufficiency", split))
    source = np.repeat(chosen.row, _DONORS)
    change = down.margin_change_by_unit(
        source, chosen.donors[:, k].ravel(), np.full(len(source), k)
    )
    values = (
        change.reshape(len(chosen), _DONORS, -1).mean(1)
        / class_margin_scales(down, drawn, z.classes)[k]
    )
    mean = clustered_mean(values, chosen.scene)
    return (np.asarray(mean.mean), *confidence_interval(mean))
