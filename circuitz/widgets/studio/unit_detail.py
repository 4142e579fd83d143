"""Everything the inspector shows about one unit. No torch, no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.plausibility.words.counterfactual_response import counterfactual_change
from circuitz.responses.token_grid import images_or_token_pictures
from circuitz.stats.unit_concept_match import match_units_with_concepts
from circuitz.widgets.studio import sprite_sheets, unit_responses
from circuitz.widgets.studio.live_visuals import visualisation_records_of_unit
from circuitz.widgets.studio.studio_payload import PER_UNIT, SPLIT, finite_or_none
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.measurements import LayerMeasurements

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

MOST_MATCHES = 8
_WHAT = {"annotated": "wrote", "replaced": "wrote", "retracted": "withdrew"}


def unit_detail_payload(
    z: AnnotatedModel, unit: str, lexicon: Lexicon
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what is known about a unit.

    Returns
    -------
    JSON, and binary parts by name: ``images`` (PNG, exemplars side by side), ``heat`` (uint8
    ``(exemplars, h, w)``), ``visual`` (PNG).
    """
    _, index, layer = unit_responses.locate_unit_measurements(z, unit)
    facts: dict[str, Any] = {
        "unit": unit,
        "exemplars": [],
        "size": [0, 0],
        "heat": [0, 0],
        "histogram": None,
        "matches": [],
        "history": unit_edits_latest_first(z, unit),
        "mean": None,
        "max": None,
        "contexts": [],
        "visuals": visualisation_records_of_unit(z, unit),
        **unit_responses.unit_statistics_and_neighbours(z, unit),
    }
    if layer is None:
        return facts, {}
    facts["mean"] = (
        finite_or_none(layer.responses[:, index].mean()) if len(layer.responses) else None
    )
    facts["max"] = finite_or_none(layer.peaks[:, index].max()) if len(layer.peaks) else None
    blobs: dict[str, bytes] = {}
    known = z.concept_set
    chosen = [int(i) for i in layer.exemplars[index, :PER_UNIT]]
    if known is not None:
        kept = [rank for rank, image in enumerate(chosen) if 0 <= image < len(known)]
        if kept:
            blobs["images"], size = sprite_sheets.encode_picture_strip(
                images_or_token_pictures(known), [chosen[rank] for rank in kept]
            )
            facts["size"] = list(size)
            facts["exemplars"] = [
                _exemplar_peak_box_and_concepts(layer, index, rank, known) for rank in kept
            ]
            heat = np.ascontiguousarray(layer.exemplar_heat[index][kept], np.uint8)
            if _heat_has_places(z, layer, known):
                facts["heat"] = list(heat.shape[1:])
                blobs["heat"] = heat.tobytes()
            facts["contexts"] = [_tokens_and_focus(known, chosen[rank]) for rank in kept]
        facts["matches"] = best_concept_matches(layer, index, known, lexicon)
    if layer.visualisations is not None:
        blobs["visual"] = sprite_sheets.encode_png(layer.visualisations[index])
    facts["histogram"] = _activation_histogram(layer, index, chosen)
    return facts, blobs


def _heat_has_places(z: AnnotatedModel, layer: LayerMeasurements, inputs: InputSet) -> bool:
    """Whether a map can be laid over a picture: earlier versions spread tokens from left to right."""
    name = layer.layer.partition("@")[0]
    spec = next((s for s in z.layers if s.name == name), None)
    if inputs.is_tokens or spec is None or layer.exemplar_heat.shape[2:] == (1, 1):
        return True
    return len((*spec.spatial_axes, *spec.token_axes)) != 1 or spec.patches[1] > 0


def unit_edits_latest_first(z: AnnotatedModel, unit: str) -> list[dict[str, Any]]:
    """Return every edit of a unit, the latest first."""
    table = z.history(unit)
    rows = [
        {
            "id": str(row["id"]),
            "text": str(row["text"]),
            "author": str(row["author"]),
            "kind": str(row["author_kind"]),
            "confidence": finite_or_none(row["confidence"]),
            "time": str(row["time"]),
            "what": _WHAT.get(str(row["what"]), str(row["what"])),
            "current": bool(row["standing"]),
        }
        for row in table.to_dict("records")
    ]
    return rows[::-1]


def best_concept_matches(
    layer: LayerMeasurements,
    index: int,
    concept_set: InputSet,
    lexicon: Lexicon,
    split: str = SPLIT,
) -> list[dict[str, Any]]:
    """Return the concepts whose labels fit the unit's responses best, on the test split."""
    if concept_set.concepts is None or len(concept_set.concepts) != len(layer.responses):
        return []
    rows = concept_set.split == SPLITS.index(split) if concept_set.split is not None else None
    own = layer.responses[:, [index]]
    scores = match_units_with_concepts(own, concept_set.concepts, rows, concept_set.scene)
    paired = counterfactual_change(own, concept_set, rows)
    order = np.argsort(-np.nan_to_num(scores.nauprc[0], nan=-np.inf), kind="stable")
    return [
        {
            "concept": concept_set.concept_names[c],
            "kind": lexicon.kind(concept_set.concept_names[c]),
            "score": finite_or_none(scores.nauprc[0, c]),
            "pearson": finite_or_none(scores.pearson[0, c]),
            "purity": finite_or_none(scores.purity[0, c]),
            "positives": int(scores.n_pos[c]),
            "paired": [finite_or_none(v[0, c]) for v in (paired.change, paired.low, paired.high)],
            "pairs": int(paired.n[c]),
        }
        for c in order[:MOST_MATCHES]
        if np.isfinite(scores.nauprc[0, c])
    ]


def _exemplar_peak_box_and_concepts(
    layer: LayerMeasurements, index: int, rank: int, concept_set: InputSet
) -> dict[str, Any]:
    image = int(layer.exemplars[index, rank])
    height, width = images_or_token_pictures(concept_set).shape[1:3]
    top, left, bottom, right = (int(edge) for edge in layer.exemplar_boxes[index, rank])
    return {
        "peak": finite_or_none(layer.peaks[image, index]) if image < len(layer.peaks) else None,
        "box": [top / height, left / width, bottom / height, right / width],
        "shows": unit_responses.concepts_labelled_on_image(concept_set, image),
        "image": image,
    }


def _tokens_and_focus(concept_set: InputSet, row: int) -> dict[str, Any] | None:
    """Return a token sequence, and the positions its row is about; ``None`` for an image."""
    if not concept_set.is_tokens:
        return None
    return {
        "tokens": [concept_set.vocabulary[token] for token in concept_set.images[row]],
        "focus": [int(at) for at in concept_set.focus[row]]
        if concept_set.focus is not None
        else [],
    }


def _activation_histogram(
    layer: LayerMeasurements, index: int, chosen: list[int]
) -> dict[str, Any] | None:
    if not layer.histogram.size:
        return None
    peaks = [float(layer.peaks[i, index]) for i in chosen if 0 <= i < len(layer.peaks)]
    edges = [finite_or_none(edge) for edge in layer.histogram_edges[index]]
    if any(edge is None for edge in edges):
        return None
    return {
        "counts": [int(count) for count in layer.histogram[index]],
        "edges": edges,
        "threshold": finite_or_none(min(peaks)) if peaks else None,
    }
