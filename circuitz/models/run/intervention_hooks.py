"""Interventions on a running network: what each hook writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from circuitz.errors import BasisError, InterventionError, UnitError
from circuitz.models.run.basis import Basis, check_basis_fits, load_basis
from circuitz.models.run.unit_axes import UnitAxis
from circuitz.z.intervention import Intervention

#: Kinds that write what the layer puts out elsewhere.
DONOR_KINDS = ("mean", "resample", "patch")


def bases_of_interventions(
    interventions: Sequence[Intervention], arrays: Mapping[str, Any]
) -> dict[str, Basis]:
    """Return the bases that interventions name, by place (``conv4@nmf``).

    Parameters
    ----------
    interventions
        The interventions.
    arrays
        A z's arrays of bases.

    Raises
    ------
    UnitError
        If there is no such basis.
    """
    return {how.layer: load_basis(arrays, how.layer) for how in interventions if how.basis}


def apply_intervention(
    axis: int,
    intervention: Intervention,
    act: torch.Tensor,
    donor_values: torch.Tensor | None,
    basis: Basis | None = None,
) -> torch.Tensor:
    """Return a layer's output with an intervention done to it; ``act`` stays as it is.

    Parameters
    ----------
    axis
        Of the layer's units.
    intervention
        The intervention.
    act
        The layer's output ``(n, ...)``.
    donor_values
        What the layer puts out where values are lent, ``(m, ...)``.
    basis
        Where directions are meant.

    Raises
    ------
    UnitError
        If a unit or position does not exist.
    InterventionError
        If what is lent does not fit.
    BasisError
        If the basis does not fit the layer, or lies over attention heads.
    """
    if basis is None:
        return _output_with_edited_units(intervention, axis, act, donor_values)
    if act.ndim == 4 and axis == 2:
        raise BasisError(
            f"{intervention.layer!r} is a basis of how much heads gather, along which none can be moved.",
            "Name the heads themselves, or a basis over another layer.",
        )
    check_basis_fits(basis, act.shape[axis], intervention.module)
    flat = _flatten_positions(act, axis).float()
    now = basis.coordinates(flat)
    new = _output_with_edited_units(
        intervention,
        1,
        now,
        None if donor_values is None else basis.coordinates(_flatten_positions(donor_values, axis)),
    )
    moved = flat + basis.activation_change(new - now, flat)
    return moved.reshape(act.movedim(axis, 1).shape).movedim(1, axis).to(act.dtype)


def _flatten_positions(act: torch.Tensor, axis: int) -> torch.Tensor:
    """Return ``(n, units, positions)``."""
    moved = act.movedim(axis, 1)
    return moved.flatten(2) if moved.ndim > 2 else moved.unsqueeze(2)


def _output_with_edited_units(
    intervention: Intervention, axis: int, act: torch.Tensor, donor_values: torch.Tensor | None
) -> torch.Tensor:
    """Return what units put out with an intervention done to some of them."""
    size = act.shape[axis]
    _check_indices_below_size(
        "direction" if intervention.basis else "unit", intervention.layer, intervention.units, size
    )
    out = act.clone()
    # (n, units, positions), a view of the copy.
    moved = out.movedim(axis, 1)
    places = moved.unsqueeze(2) if moved.ndim == 2 else moved
    count = int(places.shape[2:].numel())
    _check_indices_below_size("position", intervention.layer, intervention.positions, count)
    units = torch.tensor(intervention.units, device=act.device)
    at = torch.tensor(intervention.positions or range(count), device=act.device)
    grid = [a.reshape(-1) for a in torch.unravel_index(at, tuple(places.shape[2:]))]
    index = (slice(None), units[:, None], *(g[None] for g in grid))
    places[index] = _values_to_write(intervention, axis, act, donor_values, index)
    return out


def _values_to_write(
    intervention: Intervention,
    axis: int,
    act: torch.Tensor,
    donor_values: torch.Tensor | None,
    index: tuple[Any, ...],
) -> torch.Tensor:
    def select_edited(whole: torch.Tensor) -> torch.Tensor:
        moved = whole.movedim(axis, 1)
        return (moved.unsqueeze(2) if moved.ndim == 2 else moved)[index]

    now = select_edited(act)
    if intervention.kind == "zero":
        return torch.zeros_like(now)
    if intervention.kind in ("clamp", "steer"):
        value = act.new_tensor(intervention.value).view(1, -1, 1)
        return (now + value) if intervention.kind == "steer" else value.expand_as(now)
    assert donor_values is not None
    if donor_values.shape[1:] != act.shape[1:]:
        raise InterventionError(
            f"{intervention.layer!r} puts out {tuple(donor_values.shape[1:])} on the donors, "
            f"{tuple(act.shape[1:])} on the inputs.",
            "Donors must be inputs of the same size.",
        )
    if intervention.kind == "mean":
        return select_edited(donor_values.mean(0, keepdim=True)).expand_as(now)
    return select_edited(
        donor_values[_donor_rows(intervention, len(act), len(donor_values)).to(act.device)]
    )


def _donor_rows(intervention: Intervention, n: int, m: int) -> torch.Tensor:
    """Return which lending input each input takes from."""
    if intervention.kind == "resample":
        if n < 2:
            raise InterventionError(
                "One input has no other to take values from.", "Run two inputs or more."
            )
        order = torch.randperm(n, generator=torch.Generator().manual_seed(intervention.seed))
        # Each takes from the next in a ring, so that none keeps its own.
        rows = torch.empty_like(order)
        rows[order] = order.roll(-1)
        return rows
    donors = intervention.donors or tuple(range(n))
    if len(donors) not in (1, n) or max(donors) >= m:
        raise InterventionError(
            f"Donors {donors[:6]} do not fit {n} inputs and {m} that lend.",
            "Name one an input, or one for all, among those that lend.",
        )
    return torch.tensor(donors).expand(n)


def _check_indices_below_size(what: str, layer: str, indices: Sequence[int], size: int) -> None:
    bad = [i for i in indices if i >= size]
    if bad:
        raise UnitError(
            f"{layer!r} has no {what} {bad[0]}.", f"It has {size} {what}s, counted from 0."
        )


Hook = Callable[[nn.Module, Any, Any], torch.Tensor]


def make_intervention_hooks(
    axes: Mapping[str, UnitAxis],
    modules: Mapping[str, nn.Module],
    interventions: Sequence[Intervention],
    donor_values: Mapping[str, torch.Tensor],
    check_output: Callable[[str, Any], torch.Tensor],
    bases: Mapping[str, Basis],
) -> tuple[dict[nn.Module, Hook], dict[str, int]]:
    """Return a hook a module that does what is asked of it, in the order asked, and a count of calls.

    Parameters
    ----------
    axes
        Where the units of these modules lie.
    modules
        Those named by the interventions.
    interventions
        The interventions.
    donor_values
        Outputs of layers that lend values.
    check_output
        Returns a layer's output if it is one tensor.
    bases
        See :func:`bases_of_interventions`.
    """
    calls = dict.fromkeys(modules, 0)
    by_module: dict[nn.Module, list[str]] = {}
    for name, module in modules.items():
        by_module.setdefault(module, []).append(name)

    def edit_output(module: nn.Module, _args: Any, out: Any) -> torch.Tensor:
        names = by_module[module]
        for name in names:
            calls[name] += 1
            out = check_output(name, out)
        for how in interventions:
            if how.module in names:
                out = apply_intervention(
                    axes[how.module].axis,
                    how,
                    out,
                    donor_values.get(how.module),
                    bases.get(how.layer),
                )
        return out

    return dict.fromkeys(by_module, edit_output), calls
