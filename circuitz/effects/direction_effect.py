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

from circuitz.effects.arguments import class_index, data_of, estimated, source_rows
from circuitz.errors import InputsError, UnitError
from circuitz.models.run.basis_space import place_of
from circuitz.models.run.layer_specs import folded, unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import Place
from circuitz.patching.from_cut import margins
from circuitz.patching.source_rows import Sources, draw_sources
from circuitz.patching.trials import scale_of
from circuitz.z.check_z import check_z
from circuitz.z.effect import Effect
from circuitz.z.unit import OUTPUT, Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Along = Literal["sufficiency", "necessity", "ablate", "clamp"]

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


def direction_effect(
    z: AnnotatedModel,
    unit: str | Unit,
    target: str,
    *,
    how: Along = "sufficiency",
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
    how
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
    check_z(z)
    parsed = Unit.parse(unit)
    place = place_of(z, f"{parsed.layer}@{parsed.basis}" if parsed.basis else parsed.layer)
    if parsed.index >= place.spec.size:
        raise UnitError(f"There is no {parsed}.", f"{place.name} has {place.spec.size} units.")
    k = class_index(z, target)
    if how not in ("sufficiency", "necessity", "ablate", "clamp"):
        raise InputsError(
            f"There is no effect {how!r}.", "Use sufficiency, necessity, ablate or clamp."
        )
    if (how == "clamp") != (value is not None) or (value is not None and not np.isfinite(value)):
        raise InputsError("Only clamp takes a value, and it must be finite.", "Pass value=.")
    data = data_of(z)
    drawn = draw_sources(data, z.classes, per_split=images, donors=donors, seed=seed, head=z.head)
    rows = source_rows(z, drawn, k, how, split)
    job = _Job(runtime(z), place, parsed.index, np.asarray(data.images[drawn.index]))
    scale = job.scale(drawn, k, z.classes[k])
    chosen = drawn.take(rows)
    sign = 1.0 if how == "sufficiency" else -1.0
    lent = chosen.donors[:, k] if how in ("sufficiency", "necessity") else None

    def run(direction: torch.Tensor) -> F64:
        return sign * job.change(chosen.row, lent, value or 0.0, k, direction) / scale

    direction = job.direction()
    reader, rank = job.reading()
    kept = reader @ (reader.T @ direction)
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(randoms, len(direction), generator=draw).to(direction.device)
    noise *= direction.norm() / noise.norm(dim=1, keepdim=True)
    plain = Effect(
        sources=(str(parsed),),
        target=f"{OUTPUT}:{z.classes[k]}",
        how="sufficiency" if how == "sufficiency" else "necessity",
        intervention="resample" if lent is not None else how,
        value={"ablate": "zero", "clamp": f"{value}"}.get(how, "as on lending inputs"),
        baseline="inputs of other classes" if how == "sufficiency" else "inputs of the class",
        held=f"rest of {place.layer.name}",
        level=level,
        delta=delta,
        split=split,
        inputs_hash=z.data_hash,
        weights_hash=z.weights_hash,
        seed=seed,
    )
    whole = estimated(plain, run(direction), chosen.scene)
    part = estimated(plain, run(kept), chosen.scene)
    ratio = part.estimate / whole.estimate if whole.estimate else float("nan")
    return DirectionEffect(
        effect=whole,
        read=part,
        survives=ratio,
        null_share=float(1 - (kept.norm() / direction.norm()) ** 2),
        random=np.array([run(row).mean() for row in noise]),
        rank=rank,
    )


class _Job:
    """The layer's activations on the drawn inputs, and the network after it."""

    def __init__(
        self, run: Runtime, place: Place, unit: int, images: npt.NDArray[np.uint8]
    ) -> None:
        self._run = run
        self._place = place
        self._unit = unit
        parts: list[torch.Tensor] = []
        with torch.no_grad():
            for i in range(0, len(images), _BATCH):
                x = run.prepare(images[i : i + _BATCH])
                parts.append(run.forward_to(place.layer.name, x).clone())
        self.acts = torch.cat(parts)
        self._margins = torch.cat(
            [self._read(self.acts[i : i + _BATCH]) for i in range(0, len(self.acts), _BATCH)]
        )

    def direction(self) -> torch.Tensor:
        """Return what one unit of the coordinate adds to the layer's units, ``(d,)``."""
        size, basis = self._place.layer.size, self._place.basis
        if basis is None:
            return torch.eye(size, device=self.acts.device)[self._unit]
        return torch.from_numpy(basis.directions[self._unit]).to(self.acts.device)

    def scale(self, drawn: Sources, k: int, name: str) -> float:
        """Return the margin on inputs of the class less that on others, as for other effects."""
        return scale_of(self._margins[:, k].cpu().numpy()[drawn.row], drawn, k, name)

    def reading(self) -> tuple[torch.Tensor, int]:
        """Return an orthonormal basis ``(d, rank)`` of what margins read, and its rank.

        The main axes of the margins' gradients over inputs and positions, but for a thousandth
        of their energy.
        """
        acts = self.acts[:: max(1, len(self.acts) // _GRADIENTS)].clone().requires_grad_(True)
        size = self._place.layer.size
        energy = torch.zeros(size, size, dtype=torch.float64, device=acts.device)
        with torch.enable_grad():
            out = margins(self._run.resume(self._place.layer.name, acts).float(), self._run.head)
            for k in range(out.shape[1]):
                grad = torch.autograd.grad(
                    out[:, k].sum(), acts, retain_graph=True, materialize_grads=True
                )[0]
                flat = unit_maps(self._place.layer, grad).movedim(1, 2).flatten(0, 1).double()
                energy += flat.T @ flat
        values, axes = torch.linalg.eigh(energy)
        share = values.flip(0).clamp(min=0).cumsum(0) / values.clamp(min=0).sum().clamp(min=1e-30)
        rank = int((share < 1 - TOLERANCE).sum()) + 1
        return axes.flip(1)[:, :rank].float(), rank

    def change(
        self, rows: I64, lent: I64 | None, value: float, k: int, direction: torch.Tensor
    ) -> F64:
        """Return how class k's margin changes, ``(n,)``, averaged over lending inputs.

        Parameters
        ----------
        rows
            ``(n,)`` inputs that are changed.
        lent
            ``(n, r)`` inputs whose coordinates they take; ``None``: it becomes ``value``.
        direction
            ``(d,)`` along which activations move, by as much as the coordinate changes.
        """
        n, many = (len(rows), 1) if lent is None else lent.shape
        source = np.repeat(rows, many)
        found = np.empty(len(source))
        for i in range(0, len(source), _BATCH):
            at = torch.from_numpy(source[i : i + _BATCH]).to(self.acts.device)
            act = self.acts[at]
            now, to = self._coordinate(act), value
            if lent is not None:
                other = torch.from_numpy(lent.ravel()[i : i + _BATCH]).to(self.acts.device)
                to = self._coordinate(self.acts[other])
            flat = unit_maps(self._place.layer, act).float()
            added = (to - now)[:, None] * direction[:, None]
            basis = self._place.basis
            if basis is not None:
                added = added * basis.scale(flat)
            moved = folded(self._place.layer, flat + added, act)
            after = self._read(moved)[:, k] - self._margins[at, k]
            found[i : i + _BATCH] = after.cpu().numpy()
        return found.reshape(n, many).mean(1)

    def _coordinate(self, act: torch.Tensor) -> torch.Tensor:
        return self._place.maps(act).flatten(2)[:, self._unit].float()

    def _read(self, act: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            logits = self._run.resume(self._place.layer.name, act)
        return margins(logits.float(), self._run.head)
