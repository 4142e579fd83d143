"""1: what the network learned from, and what the check found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.demo import inline_pictures as pictures
from circuitz.demo.chapters.chapter_parts import (
    DRIVER,
    accuracies,
    class_of,
    finding,
    hero,
    spread,
)  # fmt: skip
from circuitz.demo.scale_figures import percent
from circuitz.z.finding import Finding

if TYPE_CHECKING:
    from circuitz.demo.husky_story import Story

_MINE, _OTHERS, _SHOWN, _STRIPS, _UNITS, _EXEMPLARS = 10, 20, 4, 3, 6, 5


def caught(story: Story) -> dict[str, Any]:
    """Return what the first chapter shows."""
    flagged = _worst_first(story)
    scale = spread(flagged)
    measured = story.husky.measurements
    return {
        "samples": _samples(story),
        "figures": accuracies(story, "before"),
        "driven": any(f.kind == DRIVER and class_of(f.target) == hero(story) for f in flagged),
        "flagged": [
            finding(f, scale, measured, _STRIPS if i == 0 else 1)
            for i, f in enumerate(flagged[:_SHOWN])
        ],
        "more": [finding(f, scale, None, 0) for f in flagged[_SHOWN:]],
        "units": _units(story, flagged[0]) if flagged else [],
        "units_in_all": len(flagged[0].units) if flagged else 0,
        "drivers": drivers(story),
        "split": story.before.split,
    }


def _worst_first(story: Story) -> list[Finding]:
    """Return what stands against the network; what drives the class of the story goes first."""
    mine = hero(story)
    return sorted(
        story.before.flagged,
        key=lambda f: (f.kind != DRIVER, class_of(f.target) != mine, -abs(f.estimate)),
    )


def drivers(story: Story) -> dict[str, Any]:
    """Return every claim about what is no part of the subject and a class, before and after the repair."""
    before, after = story.before.of(DRIVER), story.after.of(DRIVER)
    scale = spread([*before, *after])
    return {
        "scale": scale,
        "before": [finding(f, scale, None, 0) for f in before],
        "after": [finding(f, scale, None, 0) for f in after],
        "delta": float(story.before.settings["delta"]),
    }


def _samples(story: Story) -> dict[str, Any]:
    """Return pictures of D in the order they lie there, not chosen."""
    data = story.husky.data
    if data is None or data.labels is None:
        return {"mine": [], "others": []}
    k = list(data.classes).index(hero(story))
    mine = np.flatnonzero(data.labels == k)[:_MINE]
    each = -(-_OTHERS // max(len(data.classes) - 1, 1))
    rest = [
        int(i)
        for turn in range(each)
        for c in range(len(data.classes))
        if c != k
        for i in np.flatnonzero(data.labels == c)[turn : turn + 1]
    ][:_OTHERS]
    return {
        "mine": [pictures.photo(data.images[i]) for i in mine],
        "others": [
            {"src": pictures.photo(data.images[i]), "name": data.classes[int(data.labels[i])]}
            for i in rest
        ],
    }


def _units(story: Story, found: Finding) -> list[dict[str, Any]]:
    """Return the units a finding names that drive its class most, and what they see."""
    z = story.husky
    measured = z.measurements
    if measured is None or measured.effects is None or z.concept_set is None:
        return []
    effects, words = measured.effects, z.effective()
    k = list(effects.targets).index(class_of(found.target)) if found.target else 0
    place = {unit: i for i, unit in enumerate(effects.units)}
    drive = {u: float(effects.drive[place[u], k]) for u in found.units if u in place}
    rows: list[dict[str, Any]] = []
    for unit in sorted(drive, key=lambda u: (-drive[u], u))[:_UNITS]:
        layer, _, name = unit.rpartition(":")
        seen = measured.layers.get(layer)
        if seen is None or not name.isdecimal():
            continue
        index = int(name)
        said = words.get(unit)
        views = seen.visualisations
        rows.append(
            {
                "id": unit,
                "words": said.text if said else "",
                "author": said.author_kind if said else "",
                "drive": percent(drive[unit]),
                "view": pictures.photo(views[index]) if views is not None else "",
                "exemplars": [
                    pictures.photo(image)
                    for image in pictures.exemplars(seen, index, z.concept_set.images, _EXEMPLARS)
                ],
            }
        )
    return rows
