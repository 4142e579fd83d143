"""The effect of units on a class, divided into what runs through others and what runs around."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import torch

from circuitz.deprecation import renamed_keywords
from circuitz.effects.arguments import (
    Subset,
    Units,
    class_index,
    estimate_effect,
    require_data,
    resolve_units,
    source_rows,
    spaces_of_units,
)
from circuitz.effects.edge.exact_edges import layers_in_call_order
from circuitz.effects.mediation import PARTS, change_parts_by_path
from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_cut import class_margins
from circuitz.patching.patch import UnitSet
from circuitz.patching.source_rows import draw_sources
from circuitz.patching.trials import class_margin_scale
from circuitz.plausibility.unit_groups import Group, shorten_unit_list, sort_unit_group
from circuitz.z.bases import basis_sizes
from circuitz.z.check_z import check_annotated_model
from circuitz.z.effect import Effect
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[int, int], None]
_BATCH = 64


@dataclass(frozen=True, eq=False)
class PathEffect:
    """An effect and the parts it falls into.

    Parameters
    ----------
    total, through, around, rest
        See :mod:`circuitz.effects.mediation`; the first is the sum of the others. In shares of what
        resampling everything does to the class.
    mediators, held
        Units of the two sets.
    direct
        Whether only what goes straight from sources to mediators counts.
    """

    total: Effect
    through: Effect
    around: Effect
    rest: Effect
    mediators: Group
    held: Group
    direct: bool

    @property
    def frame(self) -> pd.DataFrame:
        """Return one row a part, in shares.

        Columns: ``path`` (total, through, around, rest), ``effect``, ``low``, ``high``, ``n``,
        ``clusters`` and ``p`` of "the effect is at most delta".
        """
        found = [getattr(self, name) for name in PARTS]
        return pd.DataFrame(
            {
                "path": PARTS,
                "effect": [e.estimate for e in found],
                "low": [e.low for e in found],
                "high": [e.high for e in found],
                "n": [e.n for e in found],
                "clusters": [e.clusters for e in found],
                "p": [e.p for e in found],
            }
        )

    def __str__(self) -> str:
        parts = [
            f"{name} {e.estimate:+.3f} [{e.low:+.3f}, {e.high:+.3f}]"
            for name, e in ((name, getattr(self, name)) for name in PARTS)
        ]
        ways = f"{shorten_unit_list(self.total.sources)} -> {self.total.target}"
        return f"{ways} by way of {shorten_unit_list(self.mediators)}: {', '.join(parts)}"


@outside_inference_mode
@renamed_keywords(sources="units", where="subset", how="intervention")
def path_effect(
    z: AnnotatedModel,
    units: Units,
    target: str | Unit,
    through: Units,
    *,
    held: Units = (),
    direct: bool = False,
    intervention: Literal["sufficiency", "necessity"] = "sufficiency",
    subset: Subset = None,
    split: str = "test",
    images: int = 240,
    donors: int = 2,
    delta: float = 0.1,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> PathEffect:
    """Divide the effect of units on a class into what runs through others and what runs around.

    Parameters
    ----------
    z
        Annotated model with D at hand.
    units
        Units of any layers, which take values from other inputs together: ``conv2:3``,
        ``blocks.0.attn.hook_z:1@pos4``, ``group:a,b``; or directions, ``conv2@nmf:3``.
    target
        Class.
    through
        Mediators: units or directions that come after a source, of any layers. The name of a layer
        stands for all its units, that of a basis for all its directions (not for what it does not
        explain of its layer).
    held
        Units (or layers) that keep the values they have on the source input in every run: paths
        through them are closed.
    direct
        Close paths from sources to mediators by way of other units of z's layers, as path
        patching does.
    intervention, subset, split, images, donors, delta, level, seed
        As for :func:`circuitz.effects.unit_effect.effect`; equal settings give equal totals.
    progress
        Called with trials done, and in all.

    Raises
    ------
    UnitError
        If a unit or class does not exist, or a unit is in two of the sets.
    LayerError
        If no source comes before a mediator, or a layer is not called exactly once.
    InputsError
        If D is missing or unlabelled, or no source image is left.
    MeasurementError
        If the network does not tell the class from others.
    """
    check_annotated_model(z)
    if intervention not in ("sufficiency", "necessity"):
        raise InputsError(f"There is no effect {intervention!r}.", "Use sufficiency or necessity.")
    k = class_index(z, target)
    sets = [_expand_layers_into_units(z, given) for given in (units, through, held)]
    _check_unit_sets_disjoint(*sets)
    specs = {s.name: s for s in z.layers}
    moved, via, kept = (UnitSet(units, spaces_of_units(z, units)) for units in sets)
    data, run = require_data(z), runtime(z)
    drawn = draw_sources(data, z.classes, per_split=images, donors=donors, seed=seed, head=z.head)
    rows = source_rows(z, drawn, k, intervention, split, subset)
    chosen = drawn.take(rows)
    shown = np.asarray(data.images[drawn.index])
    _check_mediators_come_later(run, moved, via, run.prepare(shown[:1]))
    others = [f"{s.name}:{u}" for s in z.layers for u in range(s.size)] if direct else []
    quiet = UnitSet(others, specs, excluding=via)

    def class_margin(logits: torch.Tensor) -> torch.Tensor:
        return class_margins(logits.float(), run.head)[:, k]

    margin = np.concatenate(
        [
            class_margin(run.forward(run.prepare(shown[i : i + _BATCH]))).detach().cpu().numpy()
            for i in range(0, len(shown), _BATCH)
        ]
    )
    scale = class_margin_scale(margin, drawn, k, z.classes[k])
    lent = chosen.donors[:, k]
    source, donor = np.repeat(chosen.row, lent.shape[1]), lent.ravel()
    found = np.zeros((len(PARTS), len(source)), np.float32)
    for i in range(0, len(source), _BATCH):
        at = slice(i, i + _BATCH)
        x, other = (run.prepare(np.asarray(shown[rows[at]])) for rows in (source, donor))
        found[:, at] = change_parts_by_path(
            run, x, other, moved, via, class_margin, held=kept, quiet=quiet
        )
        if progress is not None:
            progress(min(i + _BATCH, len(source)), len(source))
    sign = -1.0 if intervention == "necessity" else 1.0
    shares = sign * found.reshape(len(PARTS), *lent.shape).mean(2) / scale
    own, rest = f"inputs of {z.classes[k]}", "inputs of other classes"
    plain = Effect(
        sources=sets[0],
        target=f"{OUTPUT}:{z.classes[k]}",
        how=intervention,
        value=f"as on {own if intervention == 'sufficiency' else rest}",
        baseline=rest if intervention == "sufficiency" else own,
        held=shorten_unit_list(sets[2]),
        level=level,
        delta=delta,
        split=split,
        inputs_hash=z.data_hash,
        weights_hash=z.weights_hash,
        seed=seed,
    )
    via_text, kept_text = shorten_unit_list(sets[1]), f"{plain.held}; " if plain.held else ""
    told = {
        "total": plain,
        "through": replace(plain, value=f"{via_text} as the sources make them"),
        "around": replace(plain, held=f"{kept_text}{via_text}"),
        "rest": replace(plain, value="total less through and around"),
    }
    parts = {
        name: estimate_effect(told[name], values, chosen.scene)
        for name, values in zip(PARTS, shares, strict=True)
    }
    return PathEffect(**parts, mediators=sets[1], held=sets[2], direct=direct)


def _expand_layers_into_units(z: AnnotatedModel, units: Units) -> Group:
    """Return ids; the name of a layer or basis stands for all its units."""
    sizes = {s.name: s.size for s in z.layers} | basis_sizes(z.bases)
    items = [units] if isinstance(units, str | Unit) else list(units)
    found: list[str | Unit] = []
    for item in items:
        if isinstance(item, str) and item in sizes:
            found += [f"{item}:{u}" for u in range(sizes[item])]
        else:
            found.append(item)
    return sort_unit_group(resolve_units(z, found))


def _check_unit_sets_disjoint(source_units: Group, through: Group, held: Group) -> None:
    for name, units in (("sources", source_units), ("mediators", through)):
        if not units:
            raise UnitError(f"There are no {name}.", "Name at least one unit, as conv4:7.")
    for one, other in ((source_units, through), (source_units, held), (through, held)):
        a, b = _positions_by_unit(one), _positions_by_unit(other)
        for unit in sorted(a.keys() & b.keys()):
            if a[unit] & b[unit] or None in a[unit] | b[unit]:
                raise UnitError(
                    f"{unit} is in two of sources, mediators and held units.", "Name it in one."
                )


def _positions_by_unit(units: Group) -> dict[str, set[int | None]]:
    """Return positions of each unit; ``None`` where all are meant."""
    found: dict[str, set[int | None]] = {}
    for unit in map(Unit.parse, units):
        found.setdefault(f"{unit.place}:{unit.name}", set()).add(unit.position)
    return found


def _check_mediators_come_later(
    runtime: Runtime, source_units: UnitSet, through: UnitSet, x: torch.Tensor
) -> None:
    order = layers_in_call_order(
        runtime, list(dict.fromkeys([*source_units.layers, *through.layers])), x
    )
    first = min(order.index(name) for name in source_units.layers)
    early = [name for name in through.layers if order.index(name) <= first]
    if early:
        raise LayerError(
            f"{early[0]!r} does not come after {order[first]!r}.",
            "Mediators are units that come after a source.",
        )
