"""2: how the search went, and what the network can do before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.demo import inline_pictures as pictures
from circuitz.demo.chapters.chapter_parts import (
    accuracies,
    everywhere,
    hero,
    said,
    tie,
    world,
    worst,
)
from circuitz.demo.scale_figures import number, percent, whole
from circuitz.evaluation.evaluation_sets import SHORTCUT_CLASS
from circuitz.evaluation.world_truth import in_every_cell

if TYPE_CHECKING:
    from circuitz.demo.husky_story import Story

_DOGS = 3
_FORGOTTEN = 0.1
_CONTROLS = {
    "random_regions": "same training, regions at random places",
    "no_annotations": "same training, annotations removed",
}
NETWORKS = (
    ("before", "as trained on D"),
    ("after", "z*, repaired"),
    ("oracle", "oracle: trained without the shortcut"),
)


def repaired(story: Story) -> dict[str, Any]:
    """Return what the second chapter shows."""
    search = story.summary.get("search") or story.found.z.notes.get("search", {})
    return {
        "rounds": _rounds(story),
        "lam": number(float(search.get("settings", {}).get("lam", 1.0)), 2),
        "sweep": [(lam, int(i)) for lam, i in search.get("sweep", {}).items()],
        "best": story.found.best,
        "lost": _lost(story),
        "edited": list(search.get("edited", [])),
        "regions": {name: made["source"] for name, made in search.get("regions", {}).items()},
        "bars": _bars(story),
        "worst": _worst(story),
        "dogs": _dogs(story),
        "groups": {
            which: _groups(story.summary[which].get("by_group", []))
            for which in ("before", "after")
        },
    }


def _lost(story: Story) -> bool:
    """Whether what was kept forgot much of what D teaches."""
    before, after = (float(story.summary[w]["d_accuracy"]) for w in ("before", "after"))
    return after < before - _FORGOTTEN


def _rounds(story: Story) -> list[dict[str, Any]]:
    """Return one row a z that was visited; all terms an image of D, so that they compare."""
    settings = (story.summary.get("search") or {}).get("settings", {})
    lam = float(settings.get("lam", 1.0))
    rows: list[dict[str, Any]] = []
    scores = story.found.scores
    terms = {
        "prior": [lam * s.prior for s in scores],
        "likelihood": [s.likelihood / max(s.n, 1) for s in scores],
        "posterior": [s.posterior(lam) / max(s.n, 1) for s in scores],
    }
    lowest = min([-1e-9, *(v for values in terms.values() for v in values)])
    for i, score in enumerate(scores):
        rows.append(
            {
                "name": "as trained" if i == 0 else f"round {i}",
                "flagged": score.flagged,
                "accuracy": percent(score.accuracy),
                "kept": i == story.found.best,
                "terms": [
                    {
                        "name": name,
                        "text": number(values[i]),
                        "long": round(100 * min(max(values[i] / lowest, 0.0), 1.0), 1),
                    }
                    for name, values in terms.items()
                ],
            }
        )
    return rows


def _bars(story: Story) -> list[dict[str, Any]]:
    figures = {which: accuracies(story, which) for which, _ in NETWORKS}
    mine, kind = hero(story), world(story).kind
    questions = (
        ("d_accuracy", "D, held out", "new pictures of the kind it was trained on"),
        ("d_prime_accuracy", "D′", f"every {kind} {everywhere(story)}"),
        ("d_prime_worst_group", "D′, worst group", f"the {kind} and group it does worst on"),
        ("husky_off_snow", f"{mine} {tie(story).off}", "of D′"),
    )
    return [
        {
            "title": title,
            "note": note,
            "rows": [
                {"name": name, "style": which, "figure": figures[which][key]}
                for which, name in NETWORKS
            ],
        }
        for key, title, note in questions
    ]


def _worst(story: Story) -> list[dict[str, Any]]:
    """Return the worst group of every network, the controls between before and after."""
    known = {
        which: worst(
            story, float(story.summary[which]["d_prime_worst_group"]), story.summary[which]
        )
        for which, _ in NETWORKS
    }
    names = dict(NETWORKS)
    rows: list[dict[str, Any]] = [
        {"name": names["before"], "style": "before", "figure": known["before"]}
    ]
    for key, value in story.summary.get("controls", {}).items():
        name = f"control: {_CONTROLS.get(key, str(key).replace('_', ' '))}"
        rows.append({"name": name, "style": "control", "figure": worst(story, float(value))})
    rows += [
        {"name": names[which], "style": which, "figure": known[which]}
        for which in ("after", "oracle")
    ]
    return rows


def _dogs(story: Story) -> dict[str, Any]:
    """Return dogs of D′ in every cell and what both networks say of each."""
    truth, mine = story.shifted.truth, hero(story)
    rows = np.flatnonzero(truth.labels == SHORTCUT_CLASS)[:_DOGS]
    made = in_every_cell(story.shifted.inputs, rows)
    same = made is not None
    if made is None:
        made = _as_they_are(story)
    m, g = made.shape[:2]
    flat = made.reshape(m * g, *made.shape[2:])
    before, after = said(story.husky, flat, mine), said(story.zstar, flat, mine)
    dogs = [
        [
            {
                "src": pictures.photo(flat[i * g + j]),
                "ground": truth.cells[j],
                "before": before[i * g + j],
                "after": after[i * g + j],
            }
            for j in range(g)
        ]
        for i in range(m)
    ]
    return {"rows": dogs, "same": same, "grounds": list(truth.cells)}


def _as_they_are(story: Story) -> Any:
    """Return the first dogs of D′ in each cell, as far as there are such."""
    truth, images = story.shifted.truth, story.shifted.inputs.images
    found = [
        np.flatnonzero((truth.labels == SHORTCUT_CLASS) & (truth.cell == c))[:_DOGS]
        for c in range(len(truth.cells))
    ]
    m = min((len(rows) for rows in found), default=0)
    return np.stack([images[rows[:m]] for rows in found], 1)


def _groups(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return accuracy over class × ground as a table."""
    columns = list(dict.fromkeys(str(r["cell"]) for r in records))
    cells = {(str(r["class"]), str(r["cell"])): r for r in records}
    rows = [
        {
            "name": name,
            "cells": [
                {
                    "text": percent(float(cells[name, c]["accuracy"])),
                    "share": round(float(cells[name, c]["accuracy"]), 3),
                    "interval": f"{whole(float(cells[name, c]['low']))} to "
                    f"{whole(float(cells[name, c]['high']))}",
                    "n": int(cells[name, c]["n"]),
                }
                if (name, c) in cells
                else None
                for c in columns
            ],
        }
        for name in dict.fromkeys(str(r["class"]) for r in records)
    ]
    sizes = sorted({int(r["n"]) for r in records})
    n = f"n = {sizes[0]:,}" + (f" to {sizes[-1]:,}" if len(sizes) > 1 else "") if sizes else ""
    return {"columns": columns, "rows": rows, "n": n}
