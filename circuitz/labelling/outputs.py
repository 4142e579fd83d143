"""Run z on D′: outputs, responses of its annotated units, and where these are active."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.labelling.pack import Sighting
from circuitz.labelling.shifted import View
from circuitz.raters.cues import Card
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
HEAT = 16
"""Most positions along a side of a map: more tell a person nothing."""
# Inactive is the half of the concept set with the lowest peaks, active the 15 % with the highest,
# as where a unit's drive is measured; in between, the nearer one counts.
_OFF, _ON = 0.25, 0.925
_HALF = 0.5


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


def annotated_units(z: AnnotatedModel) -> tuple[str, ...]:
    """Return the cut's units that somebody wrote words on."""
    found = {str(t) for t in z.effective() if t.startswith(f"{z.cut[0]}:")}
    return tuple(sorted(found, key=lambda t: Unit.parse(t).sort_key))


def outputs(
    z: AnnotatedModel, files: Sequence[Path], view: View, progress: Progress | None = None
) -> Outputs:
    """Run z on picture files.

    Raises
    ------
    InputsError
        Naming a picture that cannot be read.
    """
    from circuitz.models.open import runtime  # noqa: PLC0415 - opening a pack needs no network
    from circuitz.models.specs import unit_maps  # noqa: PLC0415

    units = annotated_units(z)
    index = [Unit.parse(u).index for u in units]
    spec = next(s for s in z.layers if s.name == z.cut[0])
    network = runtime(z)
    logits: list[F32] = []
    responses: list[F32] = []
    for _, images in view.arrays(files, progress):
        for _, acts, out in network.read(images, [spec.name]):
            logits.append(out.float().cpu().numpy())
            responses.append(unit_maps(spec, acts[spec.name]).mean(2).float().cpu().numpy())
    return Outputs(np.concatenate(logits), np.concatenate(responses)[:, index], units)


def sightings(
    z: AnnotatedModel,
    card: Card,
    files: Sequence[Path],
    view: View,
    progress: Progress | None = None,
) -> tuple[list[tuple[Sighting, ...]], npt.NDArray[np.uint8]]:
    """Return which cues of the card are active on each picture, and where.

    A unit is active on a picture when its peak is nearer to those it has where it is active in
    the concept set than to those where it is not. Nothing of it says which class z would choose.

    Returns
    -------
    The cues of each picture, clearest first, and ``(m, h, w)`` uint8 maps, 255 = the unit's
    largest peak in the concept set.
    """
    from circuitz.models.open import runtime  # noqa: PLC0415
    from circuitz.models.specs import unit_maps  # noqa: PLC0415

    cues = _cues(card, z.cut[0])
    measured = z.measurements.layers.get(z.cut[0]) if z.measurements is not None else None
    if not cues or measured is None or not len(measured.peaks):
        return [() for _ in files], np.zeros((0, 1, 1), np.uint8)
    units = sorted({u for members in cues.values() for u in members})
    off, on = np.quantile(measured.peaks[:, units], [_OFF, _ON], axis=0)
    span = np.where(on - off > 1e-9, on - off, np.inf)
    top = np.maximum(measured.peaks[:, units].max(0), 1e-9)
    column = {u: i for i, u in enumerate(units)}
    spec = next(s for s in z.layers if s.name == z.cut[0])
    shape = [spec.shape[a - 1] for a in spec.spatial_axes]
    shape = shape if len(shape) == 2 else [1, 1]
    found: list[tuple[Sighting, ...]] = []
    heat: list[npt.NDArray[np.uint8]] = []
    network = runtime(z)
    for _, images in view.arrays(files, progress):
        for _, acts, _ in network.read(images, [spec.name]):
            maps = unit_maps(spec, acts[spec.name])[:, units].float().cpu().numpy()
            for one in maps:
                level = (one.max(1) - off) / span
                here: list[Sighting] = []
                for words, members in cues.items():
                    active = [u for u in members if level[column[u]] >= _HALF]
                    if not active:
                        continue
                    active.sort(key=lambda u: -float(level[column[u]]))
                    rows = [column[u] for u in active]
                    joint = (one[rows] / top[rows, None]).max(0)
                    heat.append(_small(joint.reshape(shape) if joint.size > 1 else joint[:1, None]))
                    here.append(
                        Sighting(
                            words,
                            tuple(f"{z.cut[0]}:{u}" for u in active),
                            round(float(np.clip(level[column[active[0]]], 0, 1)), 3),
                            len(heat) - 1,
                        )
                    )
                found.append(tuple(sorted(here, key=lambda s: (-s.level, s.words))))
    empty = np.zeros((0, 1, 1), np.uint8)
    return found, np.stack(heat) if heat else empty


def _cues(card: Card, layer: str) -> dict[str, list[int]]:
    """Return units of the cut by the words the card has for them."""
    found: dict[str, dict[int, None]] = {}
    for entry in card.classes:
        for cue in entry.cues:
            for unit in cue.units:
                parsed = Unit.parse(unit)
                if parsed.layer == layer and not parsed.basis:
                    found.setdefault(cue.words, {})[parsed.index] = None
    return {words: list(units) for words, units in found.items() if units}


def _small(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    whole = np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
    if max(whole.shape) <= HEAT:
        return whole
    scale = HEAT / max(whole.shape)
    height, width = (max(1, round(side * scale)) for side in whole.shape)
    return np.asarray(Image.fromarray(whole).resize((width, height), Image.Resampling.BOX))
