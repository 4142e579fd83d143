"""Would the same be flagged on other scenes? Scenes are drawn again, with replacement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from circuitz.plausibility.check import check
from circuitz.z.inputs import SPLITS
from circuitz.z.measurements import ConceptEffects
from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]
_AUDIT = SPLITS.index("audit")


def flag_jaccards_on_resamples(z: AnnotatedModel, resamples: int, seed: int) -> list[float]:
    """Return the overlap (Jaccard) of what is flagged with what is flagged on resampled scenes."""
    draw = np.random.default_rng([seed, 51])
    first = _flagged_finding_ids(z)
    found: list[float] = []
    for _ in range(resamples):
        again = _flagged_finding_ids(resample_scenes(z, draw))
        both = first | again
        found.append(len(first & again) / len(both) if both else 1.0)
    return found


def resample_scenes(z: AnnotatedModel, rng: np.random.Generator) -> AnnotatedModel:
    """Return z as if measured on scenes drawn with replacement within each split; nothing is run."""
    known, measured = z.concept_set, z.measurements
    assert known is not None
    assert measured is not None
    assert known.split is not None
    assert known.concepts is not None
    scene = known.scene if known.scene is not None else np.arange(len(known))
    drawn, scenes = _bootstrap_rows_and_scenes(scene, known.split, rng)
    # Originals stay, at the end and on audit, for what is stored by image: pairs of concepts.
    first = len(drawn)
    rows = np.concatenate([drawn, np.arange(len(known))])
    again = replace(
        known, images=known.images[rows], concepts=known.concepts[rows],
        split=np.concatenate([known.split[drawn], np.full(len(known), _AUDIT)]).astype(np.uint8),
        scene=np.concatenate([scenes, scene + scenes.max() + 1]),
        masks=None, pairs=_pairs_within_drawn_scenes(known.pairs, drawn, scenes),
    )  # fmt: skip
    layers = {
        name: replace(layer, responses=layer.responses[rows], peaks=layer.peaks[rows])
        for name, layer in measured.layers.items()
    }
    effects = measured.effects
    if effects is not None:
        at, scenes = _bootstrap_rows_and_scenes(effects.scene, effects.split, rng)
        effects = replace(
            effects, sufficiency=effects.sufficiency[at], necessity=effects.necessity[at],
            split=effects.split[at], scene=scenes, source=effects.source[at],
            margin=None if effects.margin is None else effects.margin[at],
            group_sufficiency=effects.group_sufficiency[:, at],
            group_necessity=effects.group_necessity[:, at],
            concepts=_resample_concept_effects(effects.concepts, first, rng),
        )  # fmt: skip
    return z.with_(
        concept_set=again, measurements=replace(measured, layers=layers, effects=effects)
    )


def _resample_concept_effects(
    effects: ConceptEffects | None, offset: int, rng: np.random.Generator
) -> ConceptEffects | None:
    """Return effects of concepts on pairs drawn again; originals begin at ``offset``."""
    if effects is None:
        return None
    at, scenes = _bootstrap_rows_and_scenes(effects.scene, effects.split, rng)
    return replace(
        effects, of=effects.of[at], present=offset + effects.present[at], absent=offset + effects.absent[at],
        split=effects.split[at], scene=scenes, whole=effects.whole[at], rest=effects.rest[at],
    )  # fmt: skip


def _bootstrap_rows_and_scenes(
    scene: I64, split: npt.NDArray[np.uint8], rng: np.random.Generator
) -> tuple[I64, I64]:
    """Return rows, and new scene numbers: a scene drawn twice is two scenes."""
    rows: list[I64] = []
    numbers: list[I64] = []
    members = {int(s): np.flatnonzero(scene == s) for s in np.unique(scene)}
    count = 0
    for part in np.unique(split):
        own = np.unique(scene[split == part])
        for s in rng.choice(own, len(own)).tolist():
            mine = members[s][split[members[s]] == part]
            rows.append(mine)
            numbers.append(np.full(len(mine), count))
            count += 1
    return np.concatenate(rows), np.concatenate(numbers).astype(np.int64)


def _pairs_within_drawn_scenes(pairs: I64 | None, rows: I64, scenes: I64) -> I64 | None:
    """Return pairs of the rows that were drawn, within one drawing of their scene."""
    if pairs is None:
        return None
    place = {(int(s), int(r)): i for i, (s, r) in enumerate(zip(scenes, rows, strict=True))}
    drawn: dict[int, list[int]] = {}
    for s, r in zip(scenes.tolist(), rows.tolist(), strict=True):
        drawn.setdefault(r, []).append(s)
    found = [
        (place[s, a], place[s, b], c)
        for a, b, c in pairs.tolist()
        for s in drawn.get(a, ())
        if (s, b) in place
    ]
    return np.array(found, np.int64).reshape(-1, 3)


def _flagged_finding_ids(z: AnnotatedModel) -> set[str]:
    return {f.id for f in check(z).findings if f.verdict == "flagged"}
