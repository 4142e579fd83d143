"""1: what the network learned from, and what the check found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.demo import inline_pictures
from circuitz.demo.chapters.chapter_parts import (
    DRIVER,
    accuracies_with_intervals,
    class_name_of_target,
    common_scale_of_findings,
    finding_as_page_values,
    story_shortcut_class,
)  # fmt: skip
from circuitz.demo.plotted_shares import percent_as_text
from circuitz.z.finding import Finding

if TYPE_CHECKING:
    from circuitz.demo.husky_story import HuskyStory

_MINE, _OTHERS, _SHOWN, _STRIPS, _UNITS, _EXEMPLARS = 10, 20, 4, 3, 6, 5


def caught_chapter_context(story: HuskyStory) -> dict[str, Any]:
    """Return what the first chapter shows."""
    flagged = _rank_flagged_findings(story)
    scale = common_scale_of_findings(flagged)
    measured = story.husky.measurements
    return {
        "samples": _sample_pictures_of_data(story),
        "figures": accuracies_with_intervals(story, "before"),
        "driven": any(
            f.kind == DRIVER and class_name_of_target(f.target) == story_shortcut_class(story)
            for f in flagged
        ),
        "flagged": [
            finding_as_page_values(f, scale, measured, _STRIPS if i == 0 else 1)
            for i, f in enumerate(flagged[:_SHOWN])
        ],
        "more": [finding_as_page_values(f, scale, None, 0) for f in flagged[_SHOWN:]],
        "units": _rows_of_strongest_units(story, flagged[0]) if flagged else [],
        "units_in_all": len(flagged[0].units) if flagged else 0,
        "drivers": driver_claims_before_and_after(story),
        "split": story.before.split,
    }


def _rank_flagged_findings(story: HuskyStory) -> list[Finding]:
    """Return what stands against the network; what drives the class of the story goes first."""
    mine = story_shortcut_class(story)
    return sorted(
        story.before.flagged,
        key=lambda f: (f.kind != DRIVER, class_name_of_target(f.target) != mine, -abs(f.estimate)),
    )


def driver_claims_before_and_after(story: HuskyStory) -> dict[str, Any]:
    """Return every claim about what is no part of the subject and a class, before and after the repair."""
    before, after = story.before.of(DRIVER), story.after.of(DRIVER)
    scale = common_scale_of_findings([*before, *after])
    return {
        "scale": scale,
        "before": [finding_as_page_values(f, scale, None, 0) for f in before],
        "after": [finding_as_page_values(f, scale, None, 0) for f in after],
        "delta": float(story.before.settings["delta"]),
    }


def _sample_pictures_of_data(story: HuskyStory) -> dict[str, Any]:
    """Return pictures of D in the order they lie there, not chosen."""
    data = story.husky.data
    if data is None or data.labels is None:
        return {"mine": [], "others": []}
    k = list(data.classes).index(story_shortcut_class(story))
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
        "mine": [inline_pictures.photo_data_url(data.images[i]) for i in mine],
        "others": [
            {
                "src": inline_pictures.photo_data_url(data.images[i]),
                "name": data.classes[int(data.labels[i])],
            }
            for i in rest
        ],
    }


def _rows_of_strongest_units(story: HuskyStory, finding: Finding) -> list[dict[str, Any]]:
    """Return the units a finding names that drive its class most, and what they see."""
    z = story.husky
    measured = z.measurements
    if measured is None or measured.effects is None or z.concept_set is None:
        return []
    effects, words = measured.effects, z.effective()
    k = list(effects.targets).index(class_name_of_target(finding.target)) if finding.target else 0
    place = {unit: i for i, unit in enumerate(effects.units)}
    drive = {u: float(effects.drive[place[u], k]) for u in finding.units if u in place}
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
                "drive": percent_as_text(drive[unit]),
                "view": inline_pictures.photo_data_url(views[index]) if views is not None else "",
                "exemplars": [
                    inline_pictures.photo_data_url(image)
                    for image in inline_pictures.lit_exemplars(
                        seen, index, z.concept_set.images, _EXEMPLARS
                    )
                ],
            }
        )
    return rows
