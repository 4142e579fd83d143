"""What the labelling screen is given: the card, and questions without what raters may not know."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from circuitz.cards.card import Card, Cue
from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.cards.tested_words import doubt_phrases
from circuitz.errors import CircuitzError
from circuitz.labelling.tasks.guidelines_by_kind import question_about_target
from circuitz.labelling.tasks.next_question import RaterProgress
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.labelling.tasks.pack_io import checked_picture_media_type
from circuitz.widgets.labelling.judging_payload import (
    activity_payload,
    pair_payload,
    screen_of_pack,
)

TILE = 64
COLUMNS = 16
PER_CUE = 4
Blobs = dict[str, bytes]


def task_pack_payload(tasks: TaskPack) -> dict[str, Any]:
    """Return the trait that says what is labelled, and with what card."""
    sprite, place = _exemplar_sprite_and_places(tasks.exemplars)
    screen = screen_of_pack(tasks)
    strongest = max((abs(c.strength) for e in tasks.card.classes for c in e.cues), default=1.0)
    return {
        "problem": None,
        "screen": screen,
        "task": tasks.task,
        "name": tasks.name,
        "subject": tasks.card.subject,
        "guidelines": tasks.guidelines,
        "instructions": tasks.instructions,
        "cannot": CANNOT_TELL,
        "discard": DISCARDED,
        "lease": tasks.lease,
        "card": [] if tasks.words else _card_payload(tasks.card, place, max(strongest, 1e-9)),
        "sprite": {"tile": TILE, "columns": COLUMNS, "count": len(place), "data": sprite},
        "grid": bool(tasks.words),
    }


def unavailable_screen_payload(error: CircuitzError) -> dict[str, Any]:
    """Return the trait of a screen that cannot be shown."""
    return {
        "problem": {"code": error.code, "message": error.message, "hint": error.hint},
        "screen": "label", "task": "", "name": "", "subject": "", "guidelines": "", "instructions": "",
        "cannot": CANNOT_TELL, "discard": DISCARDED, "lease": 0.0, "card": [],
        "sprite": {"tile": TILE, "columns": COLUMNS, "count": 0, "data": b""},
    }  # fmt: skip


def question_payload(tasks: TaskPack, question: Question) -> tuple[dict[str, Any], Blobs]:
    """Return a question for the screen, and its picture and maps.

    Neither its kind nor the picture's name is told: both may give the answer away.
    """
    data = tasks.pictures[question.picture] if question.picture else b""
    maps = [tasks.heat[s.heat] for s in question.seen]
    record: dict[str, Any] = {
        "id": question.id,
        "word": question.word,
        "type": checked_picture_media_type(data) if data else "",
        "heat": list(maps[0].shape) if maps else [0, 0],
        "seen": [
            {"words": s.words, "level": s.level, "units": list(s.units)} for s in question.seen
        ],
    }
    if tasks.kind == "compare":
        record["pair"] = pair_payload(tasks, question)
    elif tasks.kind == "hypothesis":
        record["asks"] = question_about_target(question.item)
    elif tasks.hidden:
        record["activity"] = activity_payload(tasks.activities[question.further[0]])
    blobs: Blobs = {f"picture {question.id}": bytes(data)} if data else {}
    if maps:
        blobs[f"heat {question.id}"] = np.ascontiguousarray(np.stack(maps)).tobytes()
    return record, blobs


def questions_payload(
    tasks: TaskPack, chosen: Iterable[Question]
) -> tuple[list[dict[str, Any]], Blobs]:
    """Return several questions."""
    records: list[dict[str, Any]] = []
    blobs: Blobs = {}
    for one in chosen:
        record, more = question_payload(tasks, one)
        records.append(record)
        blobs |= more
    return records, blobs


def rater_progress_payload(standing: RaterProgress) -> dict[str, Any]:
    """Return what is left, for the screen."""
    facts = asdict(standing)
    return {"given" if name == "collected" else name: n for name, n in facts.items()}


def _card_payload(card: Card, place: Mapping[int, int], strongest: float) -> list[dict[str, Any]]:
    return [
        {
            "name": entry.name,
            "cues": [_cue_payload(cue, place, strongest) for cue in entry.cues],
            "unexplained": list(entry.unexplained) if entry.unexplained else None,
        }
        for entry in card.classes
    ]


def _cue_payload(cue: Cue, place: Mapping[int, int], strongest: float) -> dict[str, Any]:
    indices = dict.fromkeys(i for x in _exemplar_indices_by_rank(cue) for i in x)
    return {
        "words": cue.words,
        "for": cue.speaks_for_class,
        "grade": cue.strength_grade,
        "long": round(min(abs(cue.strength) / strongest, 1.0), 3),
        "units": list(cue.units),
        "exemplars": [place[i] for i in indices if i in place][:PER_CUE],
        "doubts": [{"verdict": verdict, "text": phrase} for verdict, phrase in doubt_phrases(cue)],
    }


def _exemplar_indices_by_rank(cue: Cue) -> list[list[int]]:
    """Return first the best exemplar of every unit, then the second of every unit, and so on."""
    depth = max((len(x.indices) for x in cue.exemplars), default=0)
    return [
        [x.indices[rank] for x in cue.exemplars if rank < len(x.indices)] for rank in range(depth)
    ]


def _exemplar_sprite_and_places(pictures: Mapping[int, bytes]) -> tuple[bytes, dict[int, int]]:
    """Put the exemplars side by side; those that cannot be read are left out."""
    tiles: list[Image.Image] = []
    place: dict[int, int] = {}
    for index, data in sorted(pictures.items()):
        try:
            with Image.open(io.BytesIO(data)) as opened:
                if max(opened.size) > 1024:
                    continue
                tile = opened.convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS)
        except Exception:  # decoders of broken files raise whatever they stumble over
            continue
        place[index] = len(tiles)
        tiles.append(tile)
    if not tiles:
        return b"", {}
    rows = -(-len(tiles) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * TILE, rows * TILE))
    for i, tile in enumerate(tiles):
        page.paste(tile, (i % COLUMNS * TILE, i // COLUMNS * TILE))
    buffer = io.BytesIO()
    page.save(buffer, "WEBP", quality=88)
    return buffer.getvalue(), place
