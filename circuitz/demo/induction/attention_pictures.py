"""Pictures of the induction report: attention patterns, contexts, and the circuit."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import torch
from PIL import Image

from circuitz.demo.induction.induction_story import CheckedModel, edges_above_noise
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.z.model import AnnotatedModel

_CELL = 4
_LOW, _HIGH = np.array([250, 249, 246]), np.array([140, 45, 10])
_WIDE, _HIGH_SVG, _RADIUS = 720, 250, 27


def attention_picture_data_url(model: CheckedModel, layer: int, head: int) -> str:
    """Return where a head looks on the first sequence of *test*, as a ``data:`` address.

    Rows are the positions that look, columns those looked at.
    """
    data = model.z.data
    assert data is not None
    row = int(np.flatnonzero(data.split == 1)[0])
    tokens = torch.from_numpy(np.asarray(data.images[row : row + 1]).astype(np.int64))
    seen: list[torch.Tensor] = []
    hook = model.net.layers[layer].attn.hook_pattern

    def capture_pattern(_module: torch.nn.Module, _args: Any, out: torch.Tensor) -> None:
        seen.append(out)

    with torch.no_grad(), eval_mode(model.net), temporary_forward_hooks({hook: capture_pattern}):
        model.net(tokens)
    weights = seen[0][0, head].numpy()[..., None]
    colours = np.round(_LOW + (_HIGH - _LOW) * np.sqrt(weights)).astype(np.uint8)
    picture = Image.fromarray(colours).resize(
        (_CELL * colours.shape[1], _CELL * colours.shape[0]), Image.Resampling.NEAREST
    )
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def most_attended_contexts(z: AnnotatedModel, unit: str, most: int) -> list[list[dict[str, Any]]]:
    """Return the contexts a head looks along most: tokens, how lit each is, and which looks."""
    known, measured = z.concept_set, z.measurements
    assert known is not None
    assert known.focus is not None
    assert measured is not None
    layer, _, index = unit.rpartition(":")
    found = measured.layers[layer]
    lines: list[list[dict[str, Any]]] = []
    for rank, row in enumerate(found.exemplars[int(index), :most]):
        if row < 0:
            continue
        heat = found.exemplar_heat[int(index), rank].reshape(-1) / 255
        query = int(known.focus[row, 0])
        lines.append(
            [
                {
                    "text": known.vocabulary[token],
                    "heat": round(float(heat[place]), 2),
                    "query": place == query,
                    "later": place > query,
                }
                for place, token in enumerate(known.images[row])
            ]
        )
    return lines


def head_circuit_drawing(model: CheckedModel) -> dict[str, Any]:
    """Return places of heads and edges of a drawing, early heads below."""
    layers = len(model.net.layers)
    heads = model.net.layers[0].attn.heads
    said = model.z.effective()
    step = _WIDE / heads
    places: dict[str, tuple[float, float]] = {}
    nodes: list[dict[str, Any]] = []
    for layer in range(layers):
        for head in range(heads):
            unit = f"blocks.{layer}.attn.hook_z:{head}"
            at = (step * (head + 0.5), _HIGH_SVG - 60 - layer * (_HIGH_SVG - 110) / (layers - 1))
            places[unit] = at
            words = said.get(unit)
            nodes.append(
                {"x": at[0], "y": at[1], "name": f"{layer}.{head}", "late": layer == layers - 1,
                 "words": "" if words is None else words.text}
            )  # fmt: skip
    edges = edges_above_noise(model.edges)
    largest = float(np.max(edges["effect"])) if len(edges) else 1.0
    lines = [
        {
            "x1": places[row["sender"]][0], "y1": places[row["sender"]][1] - _RADIUS,
            "x2": places[row["receiver"]][0], "y2": places[row["receiver"]][1] + _RADIUS,
            "wide": round(0.6 + 6.4 * row["effect"] / largest, 2), "part": row["part"],
            "title": f"{row['sender']} to {row['receiver']}, {row['part']}: {row['effect']:.2f} logits",
        }
        for row in edges.to_dict("records")[::-1]
    ]  # fmt: skip
    return {"nodes": nodes, "lines": lines, "width": _WIDE, "height": _HIGH_SVG, "radius": _RADIUS}
