"""Effects along a direction, and whether they could be an illusion.

Moving activations along a direction may act through a part of it that nothing downstream reads
on real inputs, waking a dormant pathway (Makelov, Lange & Nanda 2023). So every effect is run
again without the direction's component in the downstream null space, and beside random
directions of equal norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch

from circuitz.deprecation import renamed_keywords
from circuitz.effects.arguments import class_index, estimate_effect, require_data, source_rows
from circuitz.errors import InputsError, UnitError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.gradient_checks import (
    check_gradient_finite,
    check_hands_gradients_on,
    gradient_losses_refused,
)
from circuitz.models.run.layer_specs import flatten_unit_maps, unflatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.from_cut import class_margins
from circuitz.patching.source_rows import Sources, draw_sources
from circuitz.patching.trials import class_margin_scale
from circuitz.z.check_z import check_annotated_model
from circuitz.z.effect import Effect
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
DirectionIntervention = Literal["sufficiency", "necessity", "ablate", "clamp"]

_BATCH = 64
#: Share of the gradients' energy that the null space may hold.
TOLERANCE = 1e-3
_GRADIENTS = 64


@dataclass(frozen=True, eq=False)
class DirectionEffect:
    """The effect of moving activations along a direction.

    Parameters
    ----------
    effect
        The effect itself, in shares of what resampling the whole layer does.
    read
        The same without the direction's component in the downstream null space.
    survives
        ``read`` as a share of ``effect``: near 1 unless the effect needs what nothing reads.
    null_share
        Share of the direction's squared norm in the null space: directions to which no margin
        has a gradient on any of the inputs, up to a thousandth of the gradients' energy.
    random
        ``(r,)`` effects of random directions of equal norm, moved by as much.
    rank
        Dimensions that are read.
    """

    effect: Effect
    read: Effect
    survives: float
    null_share: float
    random: F64
    rank: int

    @property
    def beyond_random(self) -> float:
        """Share of random directions whose effect is smaller in size."""
        return float((np.abs(self.random) < abs(self.effect.estimate)).mean())

    def __str__(self) -> str:
        e = self.effect
        return (
            f"{'+'.join(e.sources)} -> {e.target}: {e.estimate:+.3f} [{e.low:+.3f}, {e.high:+.3f}]"
            f" ({e.how}); without its null-space part {self.read.estimate:+.3f}"
            f" ({self.survives:.0%} survives); random directions {self.random.mean():+.3f}"
            f" ± {self.random.std():.3f}"
        )


@outside_inference_mode
@renamed_keywords(how="intervention")
def direction_effect(
    z: AnnotatedModel,
    unit: str | Unit,
    target: str,
    *,
    intervention: DirectionIntervention = "sufficiency",
    value: float | None = None,
    split: str = "test",
    images: int = 240,
    donors: int = 2,
    randoms: int = 20,
    delta: float = 0.1,
    level: float = 0.95,
    seed: int = 0,
) -> DirectionEffect:
    """Move activations along one direction and read a class.

    Parameters
    ----------
    z
        Annotated model with D at hand.
    unit
        A direction, ``conv4@nmf:5``; a neuron is a direction too.
    target
        Class, as ``output:husky`` or by name.
    intervention
        ``sufficiency``, ``necessity``: the direction's coordinate, position by position, is
        taken from inputs of the class, or of others (see :func:`circuitz.effects.unit_effect.effect`).
        ``ablate``: it becomes zero, ``clamp``: it becomes ``value``, on inputs of the class;
        positive = the class loses.
    split, images, donors, delta, level, seed
        As for :func:`circuitz.effects.unit_effect.effect`.
    randoms
        Random directions to compare with.

    Raises
    ------
    UnitError
        If the unit or class does not exist.
    BasisError
        If the basis does not fit its layer.
    InputsError
        If D is missing, or no image is left to measure on.
    MeasurementError
        If the network does not tell the class from others.
    LayerError
        If paths run around the layer.
    """
    check_annotated_model(z)
    parsed = Unit.parse(unit)
    place = resolve_unit_space(
        z, f"{parsed.layer}@{parsed.basis}" if parsed.basis else parsed.layer
    )
    if parsed.index >= place.spec.size:
        raise UnitError(f"There is no {parsed}.", f"{place.name} has {place.spec.size} units.")
    k = class_index(z, target)
    if intervention not in ("sufficiency", "necessity", "ablate", "clamp"):
        raise InputsError(
            f"There is no effect {intervention!r}.", "Use sufficiency, necessity, ablate or clamp."
        )
    if (intervention == "clamp") != (value is not None) or (
        value is not None and not np.isfinite(value)
    ):
        raise InputsError("Only clamp takes a value, and it must be finite.", "Pass value=.")
    data = require_data(z)
    drawn = draw_sources(data, z.classes, per_split=images, donors=donors, seed=seed, head=z.head)
    rows = source_rows(z, drawn, k, intervention, split)
    job = _DirectionRun(runtime(z), place, parsed.index, np.asarray(data.images[drawn.index]))
    scale = job.margin_scale_of_class(drawn, k, z.classes[k])
    chosen = drawn.take(rows)
    sign = 1.0 if intervention == "sufficiency" else -1.0
    lent = chosen.donors[:, k] if intervention in ("sufficiency", "necessity") else None

    def effects_along(direction: torch.Tensor) -> F64:
        return (
            sign
            * job.margin_change_along_direction(chosen.row, lent, value or 0.0, k, direction)
            / scale
        )

    direction = job.direction_of_unit()
    reader, rank = job.gradient_subspace()
    kept = reader @ (reader.T @ direction)
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(randoms, len(direction), generator=draw).to(direction.device)
    noise *= direction.norm() / noise.norm(dim=1, keepdim=True)
    plain = Effect(
        sources=(str(parsed),),
        target=f"{OUTPUT}:{z.classes[k]}",
        how="sufficiency" if intervention == "sufficiency" else "necessity",
        intervention="resample" if lent is not None else intervention,
        value={"ablate": "zero", "clamp": f"{value}"}.get(intervention, "as on lending inputs"),
        baseline="inputs of other classes"
        if intervention == "sufficiency"
        else "inputs of the class",
        held=f"rest of {place.layer.name}",
        level=level,
        delta=delta,
        split=split,
        inputs_hash=z.data_hash,
        weights_hash=z.weights_hash,
        seed=seed,
    )
    whole = estimate_effect(plain, effects_along(direction), chosen.scene)
    part = estimate_effect(plain, effects_along(kept), chosen.scene)
    ratio = part.estimate / whole.estimate if whole.estimate else float("nan")
    return DirectionEffect(
        effect=whole,
        read=part,
        survives=ratio,
        null_share=float(1 - (kept.norm() / direction.norm()) ** 2),
        random=np.array([effects_along(row).mean() for row in noise]),
        rank=rank,
    )


class _DirectionRun:
    """The layer's activations on the drawn inputs, and the network after it."""

    def __init__(
        self, runtime: Runtime, place: UnitSpace, unit: int, images: npt.NDArray[np.uint8]
    ) -> None:
        self._runtime = runtime
        self._place = place
        self._unit = unit
        parts: list[torch.Tensor] = []
        with torch.no_grad():
            for i in range(0, len(images), _BATCH):
                x = runtime.prepare(images[i : i + _BATCH])
                parts.append(runtime.forward_to(place.layer.name, x).clone())
        self.acts = torch.cat(parts)
        self._margins = torch.cat(
            [
                self._margins_resumed_from_layer(self.acts[i : i + _BATCH])
                for i in range(0, len(self.acts), _BATCH)
            ]
        )

    def direction_of_unit(self) -> torch.Tensor:
        """Return what one unit of the coordinate adds to the layer's units, ``(d,)``."""
        size, basis = self._place.layer.size, self._place.basis
        if basis is None:
            return torch.eye(size, device=self.acts.device)[self._unit]
        return torch.from_numpy(basis.directions[self._unit]).to(self.acts.device)

    def margin_scale_of_class(self, sources: Sources, k: int, name: str) -> float:
        """Return the margin on inputs of the class less that on others, as for other effects."""
        return class_margin_scale(self._margins[:, k].cpu().numpy()[sources.row], sources, k, name)

    def gradient_subspace(self) -> tuple[torch.Tensor, int]:
        """Return an orthonormal basis ``(d, rank)`` of what margins read, and its rank.

        The main axes of the margins' gradients over inputs and positions, but for a thousandth
        of their energy.
        """
        acts = self.acts[:: max(1, len(self.acts) // _GRADIENTS)].clone().requires_grad_(True)
        size = self._place.layer.size
        energy = torch.zeros(size, size, dtype=torch.float64, device=acts.device)
        with gradient_losses_refused(self._runtime.module):
            out = class_margins(
                self._runtime.resume(self._place.layer.name, acts).float(), self._runtime.head
            )
            check_hands_gradients_on(out)
            for k in range(out.shape[1]):
                grad = torch.autograd.grad(
                    out[:, k].sum(), acts, retain_graph=True, materialize_grads=True
                )[0]
                check_gradient_finite(grad)
                flat = (
                    flatten_unit_maps(self._place.layer, grad).movedim(1, 2).flatten(0, 1).double()
                )
                energy += flat.T @ flat
        values, axes = torch.linalg.eigh(energy)
        share = values.flip(0).clamp(min=0).cumsum(0) / values.clamp(min=0).sum().clamp(min=1e-30)
        rank = int((share < 1 - TOLERANCE).sum()) + 1
        return axes.flip(1)[:, :rank].float(), rank

    def margin_change_along_direction(
        self, rows: I64, donor_rows: I64 | None, value: float, k: int, direction: torch.Tensor
    ) -> F64:
        """Return how class k's margin changes, ``(n,)``, averaged over lending inputs.

        Parameters
        ----------
        rows
            ``(n,)`` inputs that are changed.
        donor_rows
            ``(n, r)`` inputs whose coordinates they take; ``None``: it becomes ``value``.
        direction
            ``(d,)`` along which activations move, by as much as the coordinate changes.
        """
        n, many = (len(rows), 1) if donor_rows is None else donor_rows.shape
        source = np.repeat(rows, many)
        found = np.empty(len(source))
        for i in range(0, len(source), _BATCH):
            at = torch.from_numpy(source[i : i + _BATCH]).to(self.acts.device)
            act = self.acts[at]
            now, to = self._coordinate_values(act), value
            if donor_rows is not None:
                other = torch.from_numpy(donor_rows.ravel()[i : i + _BATCH]).to(self.acts.device)
                to = self._coordinate_values(self.acts[other])
            flat = flatten_unit_maps(self._place.layer, act).float()
            added = (to - now)[:, None] * direction[:, None]
            basis = self._place.basis
            if basis is not None:
                added = added * basis.normalisation_scale(flat)
            moved = unflatten_unit_maps(self._place.layer, flat + added, act)
            after = self._margins_resumed_from_layer(moved)[:, k] - self._margins[at, k]
            found[i : i + _BATCH] = after.cpu().numpy()
        return found.reshape(n, many).mean(1)

    def _coordinate_values(self, act: torch.Tensor) -> torch.Tensor:
        return self._place.maps_of_units(act).flatten(2)[:, self._unit].float()

    def _margins_resumed_from_layer(self, act: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            logits = self._runtime.resume(self._place.layer.name, act)
        return class_margins(logits.float(), self._runtime.head)
