"""What several chapters need: who the story is about, findings, predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from circuitz.data.worlds.world import Tie, World
from circuitz.data.worlds.world_by_name import world_of
from circuitz.demo import inline_pictures as pictures
from circuitz.demo.scale_figures import Figure, Scale, around, counted, percent, small
from circuitz.evaluation.evaluation_sets import SHORTCUT_CLASS
from circuitz.models.run.open_runtime import runtime
from circuitz.z.finding import Finding
from circuitz.z.measurements import Measurements
from circuitz.z.model import AnnotatedModel

if TYPE_CHECKING:
    from circuitz.demo.husky_story import Story

_CLOSE = 0.7
DRIVER = "implausible-driver"


@dataclass(frozen=True)
class Said:
    """What a network says of one picture."""

    name: str
    share: str
    right: bool


def hero(story: Story) -> str:
    """Return the class that has the shortcut (``husky``, say)."""
    return story.shifted.truth.classes[SHORTCUT_CLASS]


def world(story: Story) -> World:
    """Return the rendered world of the story."""
    return world_of(str(story.summary.get("world", "dogs"))).world


def tie(story: Story) -> Tie:
    """Return the words of its shortcut."""
    return world(story).ties[str(story.summary.get("shortcut", "ground"))]


def home(story: Story) -> str:
    """Return the cell of D′ in which the shortcut is, such as *snow*."""
    return story.shifted.truth.cells[story.shifted.truth.home]


def everywhere(story: Story) -> str:
    """Return how all cells are called together, after *the same dogs*."""
    truth = story.shifted.truth
    if truth.cells == truth.grounds:
        return "on every ground"
    return f"with and without {tie(story).what}"


def said(z: AnnotatedModel, images: npt.NDArray[np.uint8], label: str) -> list[Said]:
    """Run a network on pictures of one class."""
    if not len(images):
        return []
    logits = runtime(z).logits(images).astype(np.float64)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    best = shares.argmax(1)
    return [
        Said(z.classes[k], percent(float(row[k])), z.classes[k] == label)
        for row, k in zip(shares, best, strict=True)
    ]


def accuracies(story: Story, which: str) -> dict[str, Figure]:
    """Return the figures of *before*, *after* or *oracle*, with intervals where n is known."""
    row, truth = story.summary[which], story.shifted.truth
    off = (truth.labels == SHORTCUT_CLASS) & (truth.cell != truth.home)
    sizes = {"d_accuracy": held_out(story.husky), "d_prime_accuracy": len(story.shifted)}
    found = {name: counted(float(row[name]), n) for name, n in sizes.items()}
    found["d_prime_worst_group"] = worst(story, float(row["d_prime_worst_group"]), row)
    found["husky_off_snow"] = counted(float(row["husky_off_snow"]), int(off.sum()))
    return found


def held_out(z: AnnotatedModel) -> int:
    """Return how many images of D were kept out of training; 0 when not known."""
    if z.data is None or z.data.split is None:
        return 0
    return int((z.data.split > 0).sum())


def worst(story: Story, value: float, row: dict[str, Any] | None = None) -> Figure:
    """Return the accuracy of a worst group with the interval of that group by itself."""
    for group in (row or {}).get("by_group", []):
        if math.isclose(float(group["accuracy"]), value):
            return Figure(value, float(group["low"]), float(group["high"]), int(group["n"]))
    truth = story.shifted.truth
    groups = truth.labels * len(truth.cells) + truth.cell
    sizes = set(np.unique(groups, return_counts=True)[1].tolist())
    # Only where all groups are of one size is the size of the worst one known.
    return counted(value, sizes.pop() if len(sizes) == 1 else 0)


def class_of(target: str) -> str:
    """``output:husky`` as ``husky``."""
    return target.removeprefix("output:")


def finding(
    found: Finding, scale: Scale, measured: Measurements | None, most: int
) -> dict[str, Any]:
    """Return a finding as the page shows it."""
    strips, shown = _evidence(found, measured, most)
    first = found.effects[0] if found.effects else None
    return {
        "id": found.id,
        "kind": found.kind.replace("-", " ").capitalize(),
        "target": class_of(found.target),
        "verdict": found.verdict,
        "sentence": found.sentence,
        "decide": found.decide,
        "figure": Figure(found.estimate, *found.ci),
        "delta": found.delta,
        "scale": scale,
        "q": small(found.q),
        "family": found.family,
        "power": percent(found.power),
        "n": first.n if first else 0,
        "scenes": first.clusters if first else 0,
        "split": first.split if first else "",
        "units": list(found.units),
        "chain": list(found.chain),
        "remedies": [remedy.label for remedy in found.remedies],
        "strips": strips,
        "shown": shown,
        "waiver": found.waiver,
    }


def _evidence(
    found: Finding, measured: Measurements | None, most: int
) -> tuple[list[tuple[str, str]], int]:
    """Return pictures of a finding's units at work, and how many units they show.

    Evidence is drawn for some sets of units, and a finding is given the nearest; one that is
    mostly made of other units is none.
    """
    if measured is None:
        return [], 0
    for key, hashes in measured.group_pictures.items():
        if not set(hashes) & set(found.pictures):
            continue
        names = set(key.rpartition("->")[0].split("+"))
        if len(names & set(found.units)) >= _CLOSE * len(names | set(found.units)):
            held = [measured.pictures[h] for h in hashes if h in measured.pictures][:most]
            drawn = [halves for png in held if (halves := pictures.strip(png)) is not None]
            return drawn, len(names)
    return [], 0


def spread(findings: list[Finding]) -> Scale:
    """Return one scale for several findings."""
    return around([v for f in findings for v in (f.estimate, *f.ci, f.delta, -f.delta)])
