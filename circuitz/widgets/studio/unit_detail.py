"""Everything the inspector shows about one unit. No torch, no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.plausibility.words.counterfactual_response import paired_change
from circuitz.responses.token_grid import shown
from circuitz.stats.match import match_table
from circuitz.widgets.studio import sprite_sheets as sheets
from circuitz.widgets.studio import unit_responses as responds
from circuitz.widgets.studio.live_visuals import told
from circuitz.widgets.studio.studio_payload import PER_UNIT, SPLIT, number
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.measurements import LayerMeasurements

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

MOST_MATCHES = 8
_WHAT = {"annotated": "wrote", "replaced": "wrote", "retracted": "withdrew"}


def detail(
    z: AnnotatedModel, unit: str, lexicon: Lexicon
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what is known about a unit.

    Returns
    -------
    JSON, and binary parts by name: ``images`` (PNG, exemplars side by side), ``heat`` (uint8
    ``(exemplars, h, w)``), ``visual`` (PNG).
    """
    _, index, layer = responds.place_of(z, unit)
    facts: dict[str, Any] = {
        "unit": unit,
        "exemplars": [],
        "size": [0, 0],
        "heat": [0, 0],
        "histogram": None,
        "matches": [],
        "history": history(z, unit),
        "mean": None,
        "max": None,
        "contexts": [],
        "visuals": told(z, unit),
        **responds.facts(z, unit),
    }
    if layer is None:
        return facts, {}
    facts["mean"] = number(layer.responses[:, index].mean()) if len(layer.responses) else None
    facts["max"] = number(layer.peaks[:, index].max()) if len(layer.peaks) else None
    blobs: dict[str, bytes] = {}
    known = z.concept_set
    chosen = [int(i) for i in layer.exemplars[index, :PER_UNIT]]
    if known is not None:
        kept = [rank for rank, image in enumerate(chosen) if 0 <= image < len(known)]
        if kept:
            blobs["images"], size = sheets.strip(shown(known), [chosen[rank] for rank in kept])
            facts["size"] = list(size)
            facts["exemplars"] = [_exemplar(layer, index, rank, known) for rank in kept]
            heat = np.ascontiguousarray(layer.exemplar_heat[index][kept], np.uint8)
            facts["heat"] = list(heat.shape[1:])
            facts["contexts"] = [_context(known, chosen[rank]) for rank in kept]
            blobs["heat"] = heat.tobytes()
        facts["matches"] = matches(layer, index, known, lexicon)
    if layer.visualisations is not None:
        blobs["visual"] = sheets.png(layer.visualisations[index])
    facts["histogram"] = _histogram(layer, index, chosen)
    return facts, blobs


def history(z: AnnotatedModel, unit: str) -> list[dict[str, Any]]:
    """Return every edit of a unit, the latest first."""
    table = z.history(unit)
    rows = [
        {
            "id": str(row["id"]),
            "text": str(row["text"]),
            "author": str(row["author"]),
            "kind": str(row["author_kind"]),
            "confidence": number(row["confidence"]),
            "time": str(row["time"]),
            "what": _WHAT.get(str(row["what"]), str(row["what"])),
            "current": bool(row["standing"]),
        }
        for row in table.to_dict("records")
    ]
    return rows[::-1]


def matches(
    layer: LayerMeasurements, index: int, known: InputSet, lexicon: Lexicon, split: str = SPLIT
) -> list[dict[str, Any]]:
    """Return the concepts whose labels fit the unit's responses best, on the test split."""
    if known.concepts is None or len(known.concepts) != len(layer.responses):
        return []
    rows = known.split == SPLITS.index(split) if known.split is not None else None
    own = layer.responses[:, [index]]
    scores = match_table(own, known.concepts, rows, known.scene)
    paired = paired_change(own, known, rows)
    order = np.argsort(-np.nan_to_num(scores.nauprc[0], nan=-np.inf), kind="stable")
    return [
        {
            "concept": known.concept_names[c],
            "kind": lexicon.kind(known.concept_names[c]),
            "score": number(scores.nauprc[0, c]),
            "pearson": number(scores.pearson[0, c]),
            "purity": number(scores.purity[0, c]),
            "positives": int(scores.n_pos[c]),
            "paired": [number(v[0, c]) for v in (paired.change, paired.low, paired.high)],
            "pairs": int(paired.n[c]),
        }
        for c in order[:MOST_MATCHES]
        if np.isfinite(scores.nauprc[0, c])
    ]


def _exemplar(layer: LayerMeasurements, index: int, rank: int, known: InputSet) -> dict[str, Any]:
    image = int(layer.exemplars[index, rank])
    height, width = shown(known).shape[1:3]
    top, left, bottom, right = (int(edge) for edge in layer.exemplar_boxes[index, rank])
    return {
        "peak": number(layer.peaks[image, index]) if image < len(layer.peaks) else None,
        "box": [top / height, left / width, bottom / height, right / width],
        "shows": responds.concepts_of(known, image),
        "image": image,
    }


def _context(known: InputSet, row: int) -> dict[str, Any] | None:
    """Return a token sequence, and the positions its row is about; ``None`` for an image."""
    if not known.is_tokens:
        return None
    return {
        "tokens": [known.vocabulary[token] for token in known.images[row]],
        "focus": [int(at) for at in known.focus[row]] if known.focus is not None else [],
    }


def _histogram(layer: LayerMeasurements, index: int, chosen: list[int]) -> dict[str, Any] | None:
    if not layer.histogram.size:
        return None
    peaks = [float(layer.peaks[i, index]) for i in chosen if 0 <= i < len(layer.peaks)]
    edges = [number(edge) for edge in layer.histogram_edges[index]]
    if any(edge is None for edge in edges):
        return None
    return {
        "counts": [int(count) for count in layer.histogram[index]],
        "edges": edges,
        "threshold": number(min(peaks)) if peaks else None,
    }
