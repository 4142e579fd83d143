"""Run z on D′: outputs, responses of its annotated units, and where these are active."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.cards.card import Card
from circuitz.labelling.tasks.pack import Sighting
from circuitz.labelling.tasks.shifted_pictures import View
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
HEAT = 16
"""Most positions along a side of a map: more tell a person nothing."""
# A unit is off in the half of the concept set with its lowest peaks, on in the 15 % with its
# highest, as where its drive is measured.
_OFF, _ON = 0.25, 0.925
_HALF = 0.5
# Below this difference between pictures with and without it, labels of a concept tell nothing.
_LEAST = 0.1


@dataclass(frozen=True, eq=False)
class Outputs:
    """What z puts out on pictures.

    Parameters
    ----------
    logits
        ``(n, k)`` float32.
    responses
        ``(n, u)`` float32: mean responses of the annotated units of the cut.
    units
        Their ids.
    """

    logits: F32
    responses: F32
    units: tuple[str, ...]


def annotated_units_of_cut(z: AnnotatedModel) -> tuple[str, ...]:
    """Return the cut's units that somebody wrote words on."""
    found = {str(t) for t in z.effective() if t.startswith(f"{z.cut[0]}:")}
    return tuple(sorted(found, key=lambda t: Unit.parse(t).sort_key))


def run_model_on_pictures(
    z: AnnotatedModel, files: Sequence[Path], view: View, progress: Progress | None = None
) -> Outputs:
    """Run z on picture files.

    Raises
    ------
    InputsError
        Naming a picture that cannot be read.
    """
    from circuitz.models.run.layer_specs import flatten_unit_maps  # noqa: PLC0415
    from circuitz.models.run.open_runtime import runtime  # noqa: PLC0415 - opening a pack needs no network

    units = annotated_units_of_cut(z)
    index = [Unit.parse(u).index for u in units]
    spec = next(s for s in z.layers if s.name == z.cut[0])
    network = runtime(z)
    logits: list[F32] = []
    responses: list[F32] = []
    for _, images in view.read_picture_batches(files, progress):
        for _, acts, out in network.read(images, [spec.name]):
            logits.append(out.float().cpu().numpy())
            responses.append(flatten_unit_maps(spec, acts[spec.name]).mean(2).float().cpu().numpy())
    return Outputs(np.concatenate(logits), np.concatenate(responses)[:, index], units)


def find_active_cues_and_maps(
    z: AnnotatedModel,
    card: Card,
    files: Sequence[Path],
    view: View,
    progress: Progress | None = None,
) -> tuple[list[tuple[Sighting, ...]], npt.NDArray[np.uint8]]:
    """Return which cues of the card are active on each picture, and where.

    A cue is as active as its units are on average, each between the peaks it has where it is off
    and those where it is on in the concept set. It counts as seen when that is nearer to the
    concept set's pictures that show the cue's concept than to those that do not. Nothing of it
    says which class z would choose.

    Returns
    -------
    The cues of each picture, clearest first, and ``(m, h, w)`` uint8 maps, 255 = the units'
    largest peak in the concept set.
    """
    from circuitz.models.run.layer_specs import flatten_unit_maps  # noqa: PLC0415
    from circuitz.models.run.open_runtime import runtime  # noqa: PLC0415
    from circuitz.models.run.picture_maps import fold_onto_picture  # noqa: PLC0415

    detectors = _calibrate_cue_detectors(z, card)
    if not detectors:
        return [() for _ in files], np.zeros((0, 1, 1), np.uint8)
    spec = next(s for s in z.layers if s.name == z.cut[0])
    found: list[tuple[Sighting, ...]] = []
    heat: list[npt.NDArray[np.uint8]] = []
    network = runtime(z)
    for _, images in view.read_picture_batches(files, progress):
        for _, acts, _ in network.read(images, [spec.name]):
            maps = flatten_unit_maps(spec, acts[spec.name]).float().cpu().numpy()
            for one in maps:
                here: list[Sighting] = []
                for detector in detectors:
                    mine = one[detector.units]
                    each = detector.activity_between_off_and_on(mine.max(1)[None])[0]
                    level = detector.activity_between_without_and_with(float(each.mean()))
                    if level < _HALF:
                        continue
                    joint = (mine / detector.top[:, None]).max(0)
                    heat.append(_shrink_map_to_uint8(fold_onto_picture(spec, joint)))
                    order = np.argsort(-each, kind="stable")
                    names = tuple(f"{z.cut[0]}:{detector.units[i]}" for i in order if each[i] > 0)
                    level = round(float(np.clip(level, 0, 1)), 3)
                    here.append(Sighting(detector.words, names, level, len(heat) - 1))
                found.append(tuple(sorted(here, key=lambda s: (-s.level, s.words))))
    empty = np.zeros((0, 1, 1), np.uint8)
    return found, np.stack(heat) if heat else empty


@dataclass(frozen=True, eq=False)
class _Detector:
    """When a cue counts as seen.

    Parameters
    ----------
    words, units
        The cue, and the indices of its units.
    off, on, top
        ``(u,)`` peaks where each unit is off and on, and its largest.
    without, shows
        Mean activity of the concept set's pictures without the concept, and with it.
    """

    words: str
    units: list[int]
    off: F32
    on: F32
    top: F32
    without: float = 0.0
    shows: float = 1.0

    def activity_between_off_and_on(self, peaks: F32) -> F32:
        """Return how active each unit is, 0 to 1, for ``(n, u)`` peaks."""
        return np.clip((peaks - self.off) / (self.on - self.off), 0, 1).astype(np.float32)

    def activity_between_without_and_with(self, mean: float) -> float:
        """Return 0 for pictures like those without the concept, 1 for those like with it."""
        return (mean - self.without) / (self.shows - self.without)


def _calibrate_cue_detectors(z: AnnotatedModel, card: Card) -> list[_Detector]:
    measured = z.measurements.layers.get(z.cut[0]) if z.measurements is not None else None
    if measured is None or not len(measured.peaks):
        return []
    found: list[_Detector] = []
    for words, (concepts, units) in _concepts_and_units_by_cue(card, z.cut[0]).items():
        peaks = measured.peaks[:, units]
        off, on = np.quantile(peaks, [_OFF, _ON], axis=0)
        live = on - off > 1e-9
        if not live.any():
            continue
        kept = [u for u, alive in zip(units, live, strict=True) if alive]
        made = _Detector(
            words, kept, off[live].astype(np.float32), on[live].astype(np.float32),
            np.maximum(peaks[:, live].max(0), 1e-9).astype(np.float32),
        )  # fmt: skip
        mean = made.activity_between_off_and_on(peaks[:, live]).mean(1)
        found.append(replace(made, **_mean_activity_without_and_with(z, concepts, mean)))
    return found


def _mean_activity_without_and_with(
    z: AnnotatedModel, concepts: tuple[str, ...], mean: F32
) -> dict[str, float]:
    """Return mean activity without a concept and with it, where labels tell; else by rank."""
    known = z.concept_set
    if known is not None and known.concepts is not None and len(known.concepts) == len(mean):
        for concept in concepts:
            if concept not in known.concept_names:
                continue
            labels = known.concepts[:, known.concept_names.index(concept)]
            present, absent = mean[labels == 1], mean[labels == 0]
            if len(present) and len(absent):
                low, high = float(absent.mean()), float(present.mean())
                if high - low >= _LEAST:
                    return {"without": low, "shows": high}
    low, high = (float(v) for v in np.quantile(mean, [_OFF, _ON]))
    return {"without": low, "shows": max(high, low + _LEAST)}


def _concepts_and_units_by_cue(
    card: Card, layer: str
) -> dict[str, tuple[tuple[str, ...], list[int]]]:
    """Return concepts, and units of the cut, by the words the card has for them."""
    found: dict[str, tuple[tuple[str, ...], dict[int, None]]] = {}
    for entry in card.classes:
        for cue in entry.cues:
            _, units = found.setdefault(cue.words, (cue.concepts, {}))
            for unit in cue.units:
                parsed = Unit.parse(unit)
                if parsed.layer == layer and not parsed.basis:
                    units[parsed.index] = None
    return {words: (concepts, list(units)) for words, (concepts, units) in found.items() if units}


def _shrink_map_to_uint8(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    whole = np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
    if max(whole.shape) <= HEAT:
        return whole
    height, width = (max(1, min(HEAT, side)) for side in whole.shape)
    return np.asarray(Image.fromarray(whole).resize((width, height), Image.Resampling.BOX))
