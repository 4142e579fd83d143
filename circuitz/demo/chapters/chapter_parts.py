"""What several chapters need: who the story is about, findings, predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.world import ShortcutWords, World
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.demo import inline_pictures
from circuitz.demo.plotted_shares import (
    PlottedShare,
    Scale,
    p_value_as_text,
    percent_as_text,
    scale_around,
    share_with_interval,
)
from circuitz.evaluation.evaluation_sets import SHORTCUT_CLASS
from circuitz.models.run.open_runtime import runtime
from circuitz.z.finding import Finding
from circuitz.z.measurements import Measurements
from circuitz.z.model import AnnotatedModel

if TYPE_CHECKING:
    from circuitz.demo.husky_story import HuskyStory

_CLOSE = 0.7
DRIVER = "implausible-driver"


@dataclass(frozen=True)
class PicturePrediction:
    """What a network says of one picture."""

    name: str
    share: str
    right: bool


def story_shortcut_class(story: HuskyStory) -> str:
    """Return the class that has the shortcut (``husky``, say)."""
    return story.shifted.truth.classes[SHORTCUT_CLASS]


def story_world(story: HuskyStory) -> World:
    """Return the rendered world of the story."""
    return world_by_name(str(story.summary.get("world", "dogs"))).world


def shortcut_in_words(story: HuskyStory) -> ShortcutWords:
    """Return the words of its shortcut."""
    return story_world(story).ties[str(story.summary.get("shortcut", "ground"))]


def story_shortcut_cell(story: HuskyStory) -> str:
    """Return the cell of D′ in which the shortcut is, such as *snow*."""
    return story.shifted.truth.cells[story.shifted.truth.home]


def phrase_for_all_cells(story: HuskyStory) -> str:
    """Return how all cells are called together, after *the same dogs*."""
    truth = story.shifted.truth
    if truth.cells == truth.grounds:
        return "on every ground"
    return f"with and without {shortcut_in_words(story).what}"


def predict_classes_of_pictures(
    z: AnnotatedModel, images: npt.NDArray[np.uint8], label: str
) -> list[PicturePrediction]:
    """Run a network on pictures of one class."""
    if not len(images):
        return []
    logits = runtime(z).logits(images).astype(np.float64)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    best = shares.argmax(1)
    return [
        PicturePrediction(z.classes[k], percent_as_text(float(row[k])), z.classes[k] == label)
        for row, k in zip(shares, best, strict=True)
    ]


def accuracies_with_intervals(story: HuskyStory, which: str) -> dict[str, PlottedShare]:
    """Return the figures of *before*, *after* or *oracle*, with intervals where n is known."""
    row, truth = story.summary[which], story.shifted.truth
    off = (truth.labels == SHORTCUT_CLASS) & (truth.cell != truth.home)
    sizes = {
        "d_accuracy": held_out_image_count(story.husky),
        "d_prime_accuracy": len(story.shifted),
    }
    found = {name: share_with_interval(float(row[name]), n) for name, n in sizes.items()}
    found["d_prime_worst_group"] = worst_group_accuracy_with_interval(
        story, float(row["d_prime_worst_group"]), row
    )
    found["husky_off_snow"] = share_with_interval(float(row["husky_off_snow"]), int(off.sum()))
    return found


def held_out_image_count(z: AnnotatedModel) -> int:
    """Return how many images of D were kept out of training; 0 when not known."""
    if z.data is None or z.data.split is None:
        return 0
    return int((z.data.split > 0).sum())


def worst_group_accuracy_with_interval(
    story: HuskyStory, value: float, row: dict[str, Any] | None = None
) -> PlottedShare:
    """Return the accuracy of a worst group with the interval of that group by itself."""
    for group in (row or {}).get("by_group", []):
        if math.isclose(float(group["accuracy"]), value):
            return PlottedShare(value, float(group["low"]), float(group["high"]), int(group["n"]))
    truth = story.shifted.truth
    groups = truth.labels * len(truth.cells) + truth.cell
    sizes = set(np.unique(groups, return_counts=True)[1].tolist())
    # Only where all groups are of one size is the size of the worst one known.
    return share_with_interval(value, sizes.pop() if len(sizes) == 1 else 0)


def class_name_of_target(target: str) -> str:
    """``output:husky`` as ``husky``."""
    return target.removeprefix("output:")


def finding_as_page_values(
    finding: Finding, scale: Scale, measurements: Measurements | None, most: int
) -> dict[str, Any]:
    """Return a finding as the page shows it."""
    strips, shown = _evidence_strips_and_unit_count(finding, measurements, most)
    first = finding.effects[0] if finding.effects else None
    return {
        "id": finding.id,
        "kind": finding.kind.replace("-", " ").capitalize(),
        "target": class_name_of_target(finding.target),
        "verdict": finding.verdict,
        "sentence": finding.sentence,
        "decide": finding.decide,
        "figure": PlottedShare(finding.estimate, *finding.ci),
        "delta": finding.delta,
        "scale": scale,
        "q": p_value_as_text(finding.q),
        "family": finding.family,
        "power": percent_as_text(finding.power),
        "n": first.n if first else 0,
        "scenes": first.clusters if first else 0,
        "split": first.split if first else "",
        "units": list(finding.units),
        "chain": list(finding.chain),
        "remedies": [remedy.label for remedy in finding.remedies],
        "strips": strips,
        "shown": shown,
        "waiver": finding.waiver,
    }


def _evidence_strips_and_unit_count(
    finding: Finding, measurements: Measurements | None, most: int
) -> tuple[list[tuple[str, str]], int]:
    """Return pictures of a finding's units at work, and how many units they show.

    Evidence is drawn for some sets of units, and a finding is given the nearest; one that is
    mostly made of other units is none.
    """
    if measurements is None:
        return [], 0
    for key, hashes in measurements.group_pictures.items():
        if not set(hashes) & set(finding.pictures):
            continue
        names = set(key.rpartition("->")[0].split("+"))
        if len(names & set(finding.units)) >= _CLOSE * len(names | set(finding.units)):
            held = [measurements.pictures[h] for h in hashes if h in measurements.pictures][:most]
            drawn = [
                halves
                for png in held
                if (halves := inline_pictures.strip_half_data_urls(png)) is not None
            ]
            return drawn, len(names)
    return [], 0


def common_scale_of_findings(findings: list[Finding]) -> Scale:
    """Return one scale for several findings."""
    return scale_around([v for f in findings for v in (f.estimate, *f.ci, f.delta, -f.delta)])
