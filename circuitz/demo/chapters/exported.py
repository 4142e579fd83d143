"""3: the card of z*, what it leaves unexplained, and what was decided on *audit*."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.cards.card import Cue
from circuitz.demo import inline_pictures
from circuitz.demo.plotted_shares import PlottedShare, number_as_text, scale_around
from circuitz.labelling.export import card_in_notes

if TYPE_CHECKING:
    from circuitz.demo.husky_story import HuskyStory

_THUMBS = 3


def exported_chapter_context(story: HuskyStory) -> dict[str, Any]:
    """Return what the third chapter shows."""
    card = card_in_notes(story.zstar) or story.study.cards["zstar"]
    strongest = max((abs(c.strength) for e in card.classes for c in e.cues), default=1.0)
    verdicts = Counter(f.verdict for f in story.zstar.findings if f.waiver is None)
    waived = [
        {"author": f.waiver.author, "reason": f.waiver.reason, "sentence": f.sentence}
        for f in story.zstar.findings
        if f.waiver is not None
    ]
    return {
        "subject": card.subject,
        "hash": card.hash,
        "classes": [
            {
                "name": entry.name,
                "speaks": [
                    _cue_as_page_values(story, c, strongest)
                    for c in entry.cues
                    if c.speaks_for_class
                ],
                "against": [
                    _cue_as_page_values(story, c, strongest)
                    for c in entry.cues
                    if not c.speaks_for_class
                ],
                "unexplained": PlottedShare(*entry.unexplained) if entry.unexplained else None,
            }
            for entry in card.classes
        ],
        "counts": {
            name: verdicts.get(name, 0) for name in ("flagged", "supported", "inconclusive")
        },
        "claims": len(story.zstar.findings),
        "waived": waived,
        "unexplained": _unexplained_shares_before_and_after(story),
        "bound": float(story.after.settings.get("unexplained_bound", 0.5)),
    }


def _cue_as_page_values(story: HuskyStory, cue: Cue, strongest: float) -> dict[str, Any]:
    concepts = story.zstar.concept_set
    images = concepts.images if concepts is not None else np.zeros((0, 1, 1, 3), np.uint8)
    indices = dict.fromkeys(i for e in cue.exemplars for i in e.indices if 0 <= i < len(images))
    return {
        "words": cue.words,
        "grade": cue.strength_grade,
        "strength": number_as_text(cue.strength),
        "long": round(100 * min(abs(cue.strength) / max(strongest, 1e-9), 1.0), 1),
        "units": list(cue.units),
        "thumbs": [inline_pictures.photo_data_url(images[i]) for i in list(indices)[:_THUMBS]],
    }


def _unexplained_shares_before_and_after(story: HuskyStory) -> dict[str, Any]:
    """Return the unexplained share of every class before and after, on one scale."""
    before, after = story.before.unexplained, story.after.unexplained
    scale = scale_around(
        [v for shares in (before, after) for s in shares.values() for v in s], 0.0, 0.6
    )
    return {
        "scale": scale,
        "rows": [
            {
                "name": name,
                "before": PlottedShare(*before[name]) if name in before else None,
                "after": PlottedShare(*after[name]) if name in after else None,
            }
            for name in dict.fromkeys((*before, *after))
        ],
    }
