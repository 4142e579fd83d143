"""Interventions on a running network: what each hook writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from circuitz.errors import BasisError, InterventionError, UnitError
from circuitz.models.run.basis import Basis, basis_of, check_fits
from circuitz.models.run.network_facts import axis_of_units
from circuitz.z.intervention import Intervention

#: Kinds that write what the layer puts out elsewhere.
LENDING = ("mean", "resample", "patch")


def bases_of(done: Sequence[Intervention], kept: Mapping[str, Any]) -> dict[str, Basis]:
    """Return the bases that interventions name, by place (``conv4@nmf``).

    Parameters
    ----------
    done
        The interventions.
    kept
        A z's arrays of bases.

    Raises
    ------
    UnitError
        If there is no such basis.
    """
    return {how.layer: basis_of(kept, how.layer) for how in done if how.basis}


def write(
    net: nn.Module,
    how: Intervention,
    act: torch.Tensor,
    lent: torch.Tensor | None,
    basis: Basis | None = None,
) -> torch.Tensor:
    """Return a layer's output with an intervention done to it; ``act`` stays as it is.

    Parameters
    ----------
    net
        The network the layer is of.
    how
        The intervention.
    act
        The layer's output ``(n, ...)``.
    lent
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
    axis = axis_of_units(net, how.module, act)
    if basis is None:
        return _edited(how, axis, act, lent)
    if act.ndim == 4 and axis == 2:
        raise BasisError(
            f"{how.layer!r} is a basis of how much heads gather, along which none can be moved.",
            "Name the heads themselves, or a basis over another layer.",
        )
    check_fits(basis, act.shape[axis], how.module)
    flat = _flat(act, axis).float()
    now = basis.read(flat)
    new = _edited(how, 1, now, None if lent is None else basis.read(_flat(lent, axis)))
    moved = flat + basis.write(new - now, flat)
    return moved.reshape(act.movedim(axis, 1).shape).movedim(1, axis).to(act.dtype)


def _flat(act: torch.Tensor, axis: int) -> torch.Tensor:
    """Return ``(n, units, positions)``."""
    moved = act.movedim(axis, 1)
    return moved.flatten(2) if moved.ndim > 2 else moved.unsqueeze(2)


def _edited(
    how: Intervention, axis: int, act: torch.Tensor, lent: torch.Tensor | None
) -> torch.Tensor:
    """Return what units put out with an intervention done to some of them."""
    size = act.shape[axis]
    _check_range("direction" if how.basis else "unit", how.layer, how.units, size)
    out = act.clone()
    # (n, units, positions), a view of the copy.
    moved = out.movedim(axis, 1)
    places = moved.unsqueeze(2) if moved.ndim == 2 else moved
    count = int(places.shape[2:].numel())
    _check_range("position", how.layer, how.positions, count)
    units = torch.tensor(how.units, device=act.device)
    at = torch.tensor(how.positions or range(count), device=act.device)
    grid = [a.reshape(-1) for a in torch.unravel_index(at, tuple(places.shape[2:]))]
    index = (slice(None), units[:, None], *(g[None] for g in grid))
    places[index] = _values(how, axis, act, lent, index)
    return out


def _values(
    how: Intervention,
    axis: int,
    act: torch.Tensor,
    lent: torch.Tensor | None,
    index: tuple[Any, ...],
) -> torch.Tensor:
    def pick(whole: torch.Tensor) -> torch.Tensor:
        moved = whole.movedim(axis, 1)
        return (moved.unsqueeze(2) if moved.ndim == 2 else moved)[index]

    now = pick(act)
    if how.kind == "zero":
        return torch.zeros_like(now)
    if how.kind in ("clamp", "steer"):
        value = act.new_tensor(how.value).view(1, -1, 1)
        return (now + value) if how.kind == "steer" else value.expand_as(now)
    assert lent is not None
    if lent.shape[1:] != act.shape[1:]:
        raise InterventionError(
            f"{how.layer!r} puts out {tuple(lent.shape[1:])} on the donors, "
            f"{tuple(act.shape[1:])} on the inputs.",
            "Donors must be inputs of the same size.",
        )
    if how.kind == "mean":
        return pick(lent.mean(0, keepdim=True)).expand_as(now)
    return pick(lent[_rows(how, len(act), len(lent)).to(act.device)])


def _rows(how: Intervention, n: int, m: int) -> torch.Tensor:
    """Return which lending input each input takes from."""
    if how.kind == "resample":
        if n < 2:
            raise InterventionError(
                "One input has no other to take values from.", "Run two inputs or more."
            )
        order = torch.randperm(n, generator=torch.Generator().manual_seed(how.seed))
        # Each takes from the next in a ring, so that none keeps its own.
        rows = torch.empty_like(order)
        rows[order] = order.roll(-1)
        return rows
    donors = how.donors or tuple(range(n))
    if len(donors) not in (1, n) or max(donors) >= m:
        raise InterventionError(
            f"Donors {donors[:6]} do not fit {n} inputs and {m} that lend.",
            "Name one an input, or one for all, among those that lend.",
        )
    return torch.tensor(donors).expand(n)


def _check_range(what: str, layer: str, asked: Sequence[int], size: int) -> None:
    bad = [i for i in asked if i >= size]
    if bad:
        raise UnitError(
            f"{layer!r} has no {what} {bad[0]}.", f"It has {size} {what}s, counted from 0."
        )


Hook = Callable[[nn.Module, Any, Any], torch.Tensor]


def hooks(
    net: nn.Module,
    modules: Mapping[str, nn.Module],
    done: Sequence[Intervention],
    lent: Mapping[str, torch.Tensor],
    check: Callable[[str, Any], torch.Tensor],
    bases: Mapping[str, Basis],
) -> tuple[dict[nn.Module, Hook], dict[str, int]]:
    """Return a hook a module that does what is asked of it, in the order asked, and a count of calls.

    Parameters
    ----------
    net
        The network.
    modules
        Those named by the interventions.
    done
        The interventions.
    lent
        Outputs of layers that lend values.
    check
        Returns a layer's output if it is one tensor.
    bases
        See :func:`bases_of`.
    """
    calls = dict.fromkeys(modules, 0)
    by_module: dict[nn.Module, list[str]] = {}
    for name, module in modules.items():
        by_module.setdefault(module, []).append(name)

    def hook(module: nn.Module, _args: Any, out: Any) -> torch.Tensor:
        names = by_module[module]
        for name in names:
            calls[name] += 1
            out = check(name, out)
        for how in done:
            if how.module in names:
                out = write(net, how, out, lent.get(how.module), bases.get(how.layer))
        return out

    return dict.fromkeys(by_module, hook), calls
