"""3: the card of z*, what it leaves unexplained, and what was decided on *audit*."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.card.card import Cue
from circuitz.demo import inline_pictures as pictures
from circuitz.demo.scale_figures import Figure, around, number
from circuitz.labelling.export import card_of

if TYPE_CHECKING:
    from circuitz.demo.husky_story import Story

_THUMBS = 3


def exported(story: Story) -> dict[str, Any]:
    """Return what the third chapter shows."""
    card = card_of(story.zstar) or story.study.cards["zstar"]
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
                "speaks": [_cue(story, c, strongest) for c in entry.cues if c.speaks_for],
                "against": [_cue(story, c, strongest) for c in entry.cues if not c.speaks_for],
                "unexplained": Figure(*entry.unexplained) if entry.unexplained else None,
            }
            for entry in card.classes
        ],
        "counts": {
            name: verdicts.get(name, 0) for name in ("flagged", "supported", "inconclusive")
        },
        "claims": len(story.zstar.findings),
        "waived": waived,
        "unexplained": _unexplained(story),
        "bound": float(story.after.settings.get("unexplained_bound", 0.5)),
    }


def _cue(story: Story, cue: Cue, strongest: float) -> dict[str, Any]:
    concepts = story.zstar.concept_set
    images = concepts.images if concepts is not None else np.zeros((0, 1, 1, 3), np.uint8)
    indices = dict.fromkeys(i for e in cue.exemplars for i in e.indices if 0 <= i < len(images))
    return {
        "words": cue.words,
        "grade": cue.grade,
        "strength": number(cue.strength),
        "long": round(100 * min(abs(cue.strength) / max(strongest, 1e-9), 1.0), 1),
        "units": list(cue.units),
        "thumbs": [pictures.photo(images[i]) for i in list(indices)[:_THUMBS]],
    }


def _unexplained(story: Story) -> dict[str, Any]:
    """Return the unexplained share of every class before and after, on one scale."""
    before, after = story.before.unexplained, story.after.unexplained
    scale = around([v for shares in (before, after) for s in shares.values() for v in s], 0.0, 0.6)
    return {
        "scale": scale,
        "rows": [
            {
                "name": name,
                "before": Figure(*before[name]) if name in before else None,
                "after": Figure(*after[name]) if name in after else None,
            }
            for name in dict.fromkeys((*before, *after))
        ],
    }
