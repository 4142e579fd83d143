"""What heads look at, and what neurons respond to, on token sequences.

A head has no one activation: it looks. Its response to a pair of positions is the attention it
pays from the one to the other, and concepts are about pairs; so words on heads are matched as words
on channels are. A neuron's response is its activation at the query position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import InputsError, LayerError
from circuitz.models.run.runtime import Runtime
from circuitz.responses.token_grid import grid_shape, lay_out_in_grid, token_boxes
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import LayerMeasurements

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

HEADS = "attn.hook_z"
PATTERN = "attn.hook_pattern"
KEPT = 9
_BINS = 32
_BATCH = 256


def has_head_units(spec: LayerSpec) -> bool:
    """Whether a layer's units are attention heads."""
    return spec.name.endswith(HEADS)


def attention_pattern_hook_name(spec: LayerSpec) -> str:
    """Return the hook through which the heads' attention passes."""
    return spec.name.removesuffix(HEADS) + PATTERN


def measure_responses_to_position_pairs(
    runtime: Runtime,
    specs: Sequence[LayerSpec],
    inputs: InputSet,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, LayerMeasurements]:
    """Measure units of some layers on pairs of positions.

    Parameters
    ----------
    runtime
        The network.
    specs
        Layers of heads, or of units on axis 2 with tokens on axis 1.
    inputs
        Token sequences with a ``focus``; rows of one sequence that follow one another cost one run.
    progress
        Called with rows done and rows in all.

    Returns
    -------
    By layer: responses as the module says (peaks are the same), exemplars one a scene, and as their
    maps where the query looks, or how the neuron responds along the sequence, laid out as
    :func:`circuitz.responses.token_grid.grid_shape` lays out the tokens.

    Raises
    ------
    InputsError
        If rows are not about pairs of positions.
    LayerError
        If a layer is of another kind.
    """
    if inputs.focus is None:
        raise InputsError(
            "Token sequences do not say which positions a row is about.",
            "Give focus: query and key position of each row, for instance of attention_pairs().",
        )
    for spec in specs:
        if spec.unit_axis != 2 or spec.token_axes != (1,):
            raise LayerError(
                f"{spec.name} has no units by token position.",
                f"Choose heads (blocks.0.{HEADS}) or neurons (blocks.0.mlp.hook_post).",
            )
    n = len(inputs)
    responses = {spec.name: np.empty((n, spec.size), np.float32) for spec in specs}
    for rows, act in _iter_activations_of_rows(runtime, specs, inputs, np.arange(n), progress):
        query, key = (torch.from_numpy(side) for side in inputs.focus[rows].T)
        each = torch.arange(len(rows))
        for spec in specs:
            found = act[spec.name]
            value = found[each, :, query, key] if has_head_units(spec) else found[each, query]
            responses[spec.name][rows] = value.float().cpu().numpy()
    scene = np.arange(n) if inputs.scene is None else inputs.scene
    return {
        spec.name: _layer_measurements_from_responses(
            runtime, spec, inputs, responses[spec.name], scene
        )
        for spec in specs
    }


def _iter_activations_of_rows(
    runtime: Runtime,
    specs: Sequence[LayerSpec],
    inputs: InputSet,
    rows: I64,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[I64, dict[str, torch.Tensor]]]:
    """Yield rows and, by layer, attention ``(b, u, t, t)`` or activations ``(b, t, u)`` of each."""
    names = {
        spec.name: attention_pattern_hook_name(spec) if has_head_units(spec) else spec.name
        for spec in specs
    }
    for start in range(0, len(rows), _BATCH * 8):
        some = rows[start : start + _BATCH * 8]
        tokens, which = np.unique(inputs.images[some], axis=0, return_inverse=True)
        acts, _ = runtime.run(runtime.prepare(tokens.astype(np.int32)), tuple(names.values()))
        at = torch.from_numpy(which.reshape(-1))
        yield some, {name: acts[hook][at] for name, hook in names.items()}
        if progress is not None:
            progress(min(start + len(some), len(rows)), len(rows))


def _layer_measurements_from_responses(
    runtime: Runtime, spec: LayerSpec, inputs: InputSet, responses: F32, scene: I64
) -> LayerMeasurements:
    assert inputs.focus is not None
    best = np.stack([_best_row_of_each_scene(responses[:, u], scene) for u in range(spec.size)])
    heat = np.zeros((spec.size, KEPT, *grid_shape(inputs.images.shape[1])), np.float32)
    found = np.zeros((spec.size, KEPT, 4), np.int16)
    wanted = np.unique(best[best >= 0])
    place = {int(row): i for i, row in enumerate(wanted)}
    maps = np.concatenate(
        [
            _maps_along_sequence(spec, act[spec.name], inputs.focus[rows, 0])
            for rows, act in _iter_activations_of_rows(runtime, [spec], inputs, wanted)
        ]
    )
    # Where it looks (a head), or where it is active.
    spot = token_boxes(inputs.focus[:, 1 if has_head_units(spec) else 0], inputs)
    for (u, rank), row in np.ndenumerate(best):
        if row >= 0:
            heat[u, rank] = lay_out_in_grid(maps[place[int(row)], u])
            found[u, rank] = spot[int(row)]
    low, high = responses.min(0), responses.max(0)
    wide = np.where(high > low, high - low, 1.0)
    edges = low[:, None] + wide[:, None] * np.linspace(0, 1, _BINS + 1)
    counts = np.stack([np.histogram(responses[:, u], edges[u])[0] for u in range(spec.size)])
    top = np.where(high > 0, high, np.inf)[:, None, None, None]
    return LayerMeasurements(
        layer=spec.name,
        responses=responses,
        peaks=responses.copy(),
        exemplars=best,
        exemplar_boxes=found,
        exemplar_heat=np.round(255 * np.clip(heat / top, 0, 1)).astype(np.uint8),
        histogram=counts.astype(np.int64),
        histogram_edges=edges.astype(np.float32),
    )


def _maps_along_sequence(spec: LayerSpec, act: torch.Tensor, query: I64) -> F32:
    """Return ``(rows, u, t)``: attention from the query, or activations along the sequence."""
    if not has_head_units(spec):
        return act.transpose(1, 2).float().cpu().numpy()
    return act[torch.arange(len(act)), :, torch.from_numpy(query)].float().cpu().numpy()


def _best_row_of_each_scene(response: F32, scene: I64) -> I64:
    """Return the nine rows of the largest responses, one a scene; -1 where there are fewer."""
    found = np.full(KEPT, -1, np.int64)
    seen: set[int] = set()
    for row in np.argsort(-response, kind="stable"):
        if len(seen) == KEPT or response[row] == 0:
            break
        if int(scene[row]) not in seen:
            found[len(seen)] = row
            seen.add(int(scene[row]))
    return found
