"""2: how the search went, and what the network can do before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.demo import inline_pictures
from circuitz.demo.chapters.chapter_parts import (
    accuracies_with_intervals,
    phrase_for_all_cells,
    predict_classes_of_pictures,
    shortcut_in_words,
    story_shortcut_class,
    story_world,
    worst_group_accuracy_with_interval,
)
from circuitz.demo.plotted_shares import number_as_text, percent_as_text, whole_percent_as_text
from circuitz.evaluation.evaluation_sets import SHORTCUT_CLASS
from circuitz.evaluation.world_truth import render_in_every_cell

if TYPE_CHECKING:
    from circuitz.demo.husky_story import HuskyStory

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


def repaired_chapter_context(story: HuskyStory) -> dict[str, Any]:
    """Return what the second chapter shows."""
    search = story.summary.get("search") or story.search_result.z.notes.get("search", {})
    return {
        "rounds": _search_round_rows(story),
        "lam": number_as_text(float(search.get("settings", {}).get("lam", 1.0)), 2),
        "sweep": [(lam, int(i)) for lam, i in search.get("sweep", {}).items()],
        "best": story.search_result.best,
        "lost": _forgot_much_of_data(story),
        "edited": list(search.get("edited", [])),
        "regions": {name: made["source"] for name, made in search.get("regions", {}).items()},
        "bars": _accuracy_bars(story),
        "worst": _worst_group_rows(story),
        "dogs": _dogs_with_predictions_by_cell(story),
        "groups": {
            which: _group_accuracy_table(story.summary[which].get("by_group", []))
            for which in ("before", "after")
        },
    }


def _forgot_much_of_data(story: HuskyStory) -> bool:
    """Whether what was kept forgot much of what D teaches."""
    before, after = (float(story.summary[w]["d_accuracy"]) for w in ("before", "after"))
    return after < before - _FORGOTTEN


def _search_round_rows(story: HuskyStory) -> list[dict[str, Any]]:
    """Return one row a z that was visited; all terms an image of D, so that they compare."""
    settings = (story.summary.get("search") or {}).get("settings", {})
    lam = float(settings.get("lam", 1.0))
    rows: list[dict[str, Any]] = []
    scores = story.search_result.scores
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
                "accuracy": percent_as_text(score.accuracy),
                "kept": i == story.search_result.best,
                "terms": [
                    {
                        "name": name,
                        "text": number_as_text(values[i]),
                        "long": round(100 * min(max(values[i] / lowest, 0.0), 1.0), 1),
                    }
                    for name, values in terms.items()
                ],
            }
        )
    return rows


def _accuracy_bars(story: HuskyStory) -> list[dict[str, Any]]:
    figures = {which: accuracies_with_intervals(story, which) for which, _ in NETWORKS}
    mine, kind = story_shortcut_class(story), story_world(story).kind
    questions = (
        ("d_accuracy", "D, held out", "new pictures of the kind it was trained on"),
        ("d_prime_accuracy", "D′", f"every {kind} {phrase_for_all_cells(story)}"),
        ("d_prime_worst_group", "D′, worst group", f"the {kind} and group it does worst on"),
        ("husky_off_snow", f"{mine} {shortcut_in_words(story).off}", "of D′"),
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


def _worst_group_rows(story: HuskyStory) -> list[dict[str, Any]]:
    """Return the worst group of every network, the controls between before and after."""
    known = {
        which: worst_group_accuracy_with_interval(
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
        rows.append(
            {
                "name": name,
                "style": "control",
                "figure": worst_group_accuracy_with_interval(story, float(value)),
            }
        )
    rows += [
        {"name": names[which], "style": which, "figure": known[which]}
        for which in ("after", "oracle")
    ]
    return rows


def _dogs_with_predictions_by_cell(story: HuskyStory) -> dict[str, Any]:
    """Return dogs of D′ in every cell and what both networks say of each."""
    truth, mine = story.shifted.truth, story_shortcut_class(story)
    rows = np.flatnonzero(truth.labels == SHORTCUT_CLASS)[:_DOGS]
    made = render_in_every_cell(story.shifted.inputs, rows)
    same = made is not None
    if made is None:
        made = _first_dog_images_by_cell(story)
    m, g = made.shape[:2]
    flat = made.reshape(m * g, *made.shape[2:])
    before, after = (
        predict_classes_of_pictures(story.husky, flat, mine),
        predict_classes_of_pictures(story.zstar, flat, mine),
    )
    dogs = [
        [
            {
                "src": inline_pictures.photo_data_url(flat[i * g + j]),
                "ground": truth.cells[j],
                "before": before[i * g + j],
                "after": after[i * g + j],
            }
            for j in range(g)
        ]
        for i in range(m)
    ]
    return {"rows": dogs, "same": same, "grounds": list(truth.cells)}


def _first_dog_images_by_cell(story: HuskyStory) -> Any:
    """Return the first dogs of D′ in each cell, as far as there are such."""
    truth, images = story.shifted.truth, story.shifted.inputs.images
    found = [
        np.flatnonzero((truth.labels == SHORTCUT_CLASS) & (truth.cell == c))[:_DOGS]
        for c in range(len(truth.cells))
    ]
    m = min((len(rows) for rows in found), default=0)
    return np.stack([images[rows[:m]] for rows in found], 1)


def _group_accuracy_table(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return accuracy over class × ground as a table."""
    columns = list(dict.fromkeys(str(r["cell"]) for r in records))
    cells = {(str(r["class"]), str(r["cell"])): r for r in records}
    rows = [
        {
            "name": name,
            "cells": [
                {
                    "text": percent_as_text(float(cells[name, c]["accuracy"])),
                    "share": round(float(cells[name, c]["accuracy"]), 3),
                    "interval": f"{whole_percent_as_text(float(cells[name, c]['low']))} to "
                    f"{whole_percent_as_text(float(cells[name, c]['high']))}",
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
