"""The concepts of the concept set as the screen lists them: of what kind, who says so, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.shown.concepts_frame import concepts_frame

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon

NO_CONCEPT_SET = "No concept set: z = cz.measure(z, concept_set) takes one in."
NO_LABELS = "The concept set has no concept labels."


def concepts_payload(concept_set: InputSet | None, lexicon: Lexicon) -> dict[str, Any]:
    """Return ``z.concepts`` column by column; what repeats itself as places in short lists."""
    table = concepts_frame(concept_set, lexicon)
    split = concept_set is not None and concept_set.split is not None
    counted = {name: f"_{name}" for name in SPLITS} if split else {"": ""}
    return {
        "names": table["name"].tolist(),
        "kind": _as_places(table["kind"].tolist()),
        "kind_from": _as_places(table["kind_from"].tolist()),
        "is_a": _as_places([", ".join(above) for above in table["is_a"]]),
        "same_as": _as_places(table["same_as"].tolist()),
        "counts": [
            {
                "split": name,
                "shown": table[f"shown{ending}"].tolist(),
                "not_shown": table[f"not_shown{ending}"].tolist(),
            }
            for name, ending in counted.items()
        ],
        "missing": _reason_for_none(concept_set, len(table)),
    }


def _as_places(column: Sequence[str]) -> dict[str, Any]:
    """Return each distinct text once, and for every row the place of its own."""
    place = {text: i for i, text in enumerate(dict.fromkeys(column))}
    return {"texts": list(place), "places": [place[text] for text in column]}


def _reason_for_none(concept_set: InputSet | None, rows: int) -> str:
    if concept_set is None:
        return NO_CONCEPT_SET
    return "" if rows else NO_LABELS
