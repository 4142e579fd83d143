"""Which interventions to show, and the pictures of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.measurement.before_after_image import BeforeAfterImage, render_before_after
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.picture_maps import fold_onto_picture
from circuitz.patching.from_cut import Downstream
from circuitz.patching.source_rows import Sources
from circuitz.plausibility.unit_groups import Group, group_picture_key
from circuitz.responses.token_grid import TokenPictures, lay_out_in_grid
from circuitz.z.inputs import SPLITS
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import EffectMeasurements

F32 = npt.NDArray[np.float32]
Hashes = tuple[str, ...]
Chosen = dict[str, tuple[Group, int]]

# At most this many pictures, three for a set of units and a class, besides those asked for.
MOST = 36
_EACH = 3
# Sets that raise a class by less than this are not worth a picture.
_LARGE = 0.1


@dataclass(frozen=True, eq=False)
class InterventionPictures:
    """What pictures are drawn from.

    Parameters
    ----------
    spec, downstream, sources, effects
        The cut, its activations on the sources, the sources, and their effects.
    images
        D's images, or pictures of its texts; only those shown are read.
    """

    spec: LayerSpec
    downstream: Downstream
    sources: Sources
    effects: EffectMeasurements
    images: Any

    def draw_missing_pictures(
        self, chosen: Chosen, existing: Mapping[str, Hashes]
    ) -> dict[str, list[bytes]]:
        """Draw sets of units at work.

        Parameters
        ----------
        chosen
            Sets of units and classes by key, see :func:`groups_to_picture`.
        existing
            Keys of pictures that are there already.

        Returns
        -------
        PNG by ``"unit+unit->class"``.
        """
        return {
            key: [
                render_before_after(self._compose_image(group, k, i))
                for i in _three_sources_of_large_effect(self.effects, group, k)
            ]
            for key, (group, k) in chosen.items()
            if key not in existing
        }

    def _compose_image(self, group: Group, k: int, i: int) -> BeforeAfterImage:
        classes, sources = self.effects.targets, self.sources
        units = [self.effects.units.index(u) for u in group]
        donor = int(sources.donors[i, k, 0])
        before, after = self.downstream.probabilities(i, donor, units)
        value = self.effects.group_sufficiency[self.effects.groups.index(group), i, k]
        return BeforeAfterImage(
            source=np.asarray(self.images[sources.index[i]]),
            donor=np.asarray(self.images[sources.index[donor]]),
            heat=self._donor_heat(donor, units),
            before=before,
            after=after,
            classes=classes,
            target=k,
            titles=(
                _classes_in_words(sources.shows[i], classes),
                f"{_unit_count_in_words(units)} as in this {classes[k]}",
                f"{classes[k]}: {float(value):+.0%} of its effect",
            ),
        )

    def _donor_heat(self, donor: int, units: Sequence[int]) -> F32:
        heat = _mean_response_of_units(self.spec, self.downstream.acts[donor : donor + 1], units)
        # Tokens are laid out line by line, as they are shown.
        if isinstance(self.images, TokenPictures):
            return lay_out_in_grid(heat)
        return fold_onto_picture(self.spec, heat)


def groups_to_picture(
    effects: EffectMeasurements,
    groups: Sequence[Group],
    requested: Sequence[tuple[Group, int]] = (),
) -> Chosen:
    """Return sets and classes worth a picture by key, and those asked about.

    Largest mean sufficiency for its number of units first (divided by the root of the number):
    what a few units do tells more than what all of them do together.
    """
    found: list[tuple[float, int, Group, int]] = []
    seen = _mask_of_showable_rows(effects)
    for group in groups:
        values = effects.group_sufficiency[effects.groups.index(group)][seen]
        for k in range(len(effects.targets)):
            known = values[:, k][~np.isnan(values[:, k])]
            if len(known) and known.mean() >= _LARGE:
                found.append((-float(known.mean()) / len(group) ** 0.5, len(group), group, k))
    chosen = [*((group, k) for _, _, group, k in sorted(found)[: MOST // _EACH]), *requested]
    return {group_picture_key(group, effects.targets[k]): (group, k) for group, k in chosen}


def _mask_of_showable_rows(effects: EffectMeasurements) -> npt.NDArray[np.bool_]:
    """Return source images that may be shown: of *test*, or else all but *audit*."""
    for rows in (effects.split == SPLITS.index("test"), effects.split != SPLITS.index("audit")):
        if rows.any():
            return rows
    return np.ones(len(effects.split), bool)


def _three_sources_of_large_effect(effects: EffectMeasurements, group: Group, k: int) -> list[int]:
    """Return three sources: upper-quartile effects rather than the largest, of several kinds."""
    values = effects.group_sufficiency[effects.groups.index(group), :, k]
    rows = np.flatnonzero(_mask_of_showable_rows(effects) & ~np.isnan(values))
    order = rows[np.argsort(-values[rows], kind="stable")]
    return [int(order[int(q * (len(order) - 1))]) for q in (0.1, 0.25, 0.5)][:_EACH]


def _classes_in_words(shows: npt.NDArray[np.bool_], classes: Sequence[str]) -> str:
    names = [name for name, yes in zip(classes, shows, strict=True) if yes]
    return f"a {', '.join(names)}" if names else "none of the classes"


def _unit_count_in_words(units: Sequence[int]) -> str:
    return "1 unit" if len(units) == 1 else f"{len(units)} units"


def _mean_response_of_units(spec: LayerSpec, act: torch.Tensor, units: Sequence[int]) -> F32:
    """Return how active units are at each position on one input, ``(positions,)``, 1 = most."""
    maps = flatten_unit_maps(spec, act)[0, list(units)].float().clamp(min=0)
    # Each unit counts alike, however large its values.
    peak = maps.amax(1, keepdim=True).clamp(min=1e-9)
    heat = (maps / peak).mean(0)
    found: F32 = (heat / heat.max().clamp(min=1e-9)).cpu().numpy()
    return found
