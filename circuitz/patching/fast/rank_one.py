"""How a change of one unit goes through one step of a network.

Through a step that looks at each unit by itself the change stays confined to the unit; through
a convolution or a linear layer it spreads to all units, but the sum of what went in has changed
by one unit's share only, so that no more than this share is computed anew (a rank-one update).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from circuitz.patching.fast.traced_steps import Step
from circuitz.patching.fast.unit_slice import UnitSlice
from circuitz.patching.fast.winograd import SmallMapConv, conv_as_matmul

Env = Mapping[fx.Node, Any]


def unit_result_or_none_if_spreading(step: Step, changed: Env, base: Env) -> UnitSlice | None:
    """Return the step's result where the change stays with its unit; ``None`` where it spreads.

    Parameters
    ----------
    step
        The step; every argument of it that changed is a :class:`UnitSlice` in ``changed``.
    changed, base
        Results with the change, and without.
    """
    source = step.first_argument_node
    unit = changed.get(source) if source is not None else None
    if step.kind in ("two", "cat"):
        return (
            _unit_through_binary_op(step, changed, base)
            if step.kind == "two"
            else _unit_through_concat(step, changed, base)
        )
    rule = _LOCAL_UPDATES.get(step.kind)
    others = [n for n in step.node.all_input_nodes if n is not source]
    if rule is None or source is None or others or not isinstance(unit, UnitSlice):
        return None
    return rule(step, unit, base[source])


def _unit_through_elementwise(step: Step, unit: UnitSlice, _base: Any) -> UnitSlice:
    return unit.with_value(step.run(unit.value, *step.args[1:], **step.kwargs))


def _unit_through_batch_norm(step: Step, unit: UnitSlice, _base: Any) -> UnitSlice | None:
    found = batch_norm_scale_shift(step.module)
    if found is None or unit.axis != 1 or unit.block != 1:
        return None
    size = (-1, *[1] * (unit.value.ndim - 1))
    scale, shift = (t[unit.index].view(size) for t in found)
    return unit.with_value(unit.value * scale + shift)


def batch_norm_scale_shift(norm: nn.Module | None) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return what batch norm multiplies and adds, a unit; ``None`` if it uses the batch's own."""
    if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
        return None
    if norm.running_mean is None or norm.running_var is None:
        return None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    scale = scale if norm.weight is None else scale * norm.weight  # pyright: ignore[reportUnnecessaryComparison]
    shift = -norm.running_mean * scale
    return scale, shift if norm.bias is None else shift + norm.bias  # pyright: ignore[reportUnnecessaryComparison]


def _unit_through_pool(step: Step, unit: UnitSlice, _base: Any) -> UnitSlice | None:
    if unit.axis != 1 or unit.block != 1 or unit.value.ndim != 4:
        return None
    found = step.run(unit.value.flatten(0, 1).unsqueeze(1), *step.args[1:], **step.kwargs)
    if not isinstance(found, torch.Tensor):
        return None
    return unit.with_value(found.squeeze(1).unflatten(0, unit.value.shape[:2]))


def _unit_through_mean(step: Step, unit: UnitSlice, base: torch.Tensor) -> UnitSlice | None:
    given = dict(step.kwargs)
    dims = given.pop("dim", step.args[1] if len(step.args) > 1 else None)
    keep = bool(given.pop("keepdim", step.args[2] if len(step.args) > 2 else False))
    if dims is None or given or unit.block != 1:
        return None
    over = {d % base.ndim for d in ((dims,) if isinstance(dims, int) else dims)}
    if 0 in over or unit.axis in over:
        return None
    # In the value the axis of units is gone and the axis of changes comes first.
    there = [d + 1 if d < unit.axis else d for d in over]
    axis = unit.axis if keep else unit.axis - sum(d < unit.axis for d in over)
    return unit.with_value(unit.value.mean(there, keepdim=keep), axis)


def _unit_through_flatten(step: Step, unit: UnitSlice, base: torch.Tensor) -> UnitSlice | None:
    if isinstance(step.module, nn.Flatten):
        start, end = step.module.start_dim, step.module.end_dim
    else:
        start = step.args[1] if len(step.args) > 1 else step.kwargs.get("start_dim", 0)
        end = step.args[2] if len(step.args) > 2 else step.kwargs.get("end_dim", -1)
    if start != 1 or end % base.ndim != base.ndim - 1 or unit.axis != 1 or unit.block != 1:
        return None
    value = unit.value.flatten(2) if unit.value.ndim > 2 else unit.value.unsqueeze(2)
    block = value.shape[2]
    return UnitSlice(value.squeeze(2) if block == 1 else value, unit.index, 1, block)


def _unit_through_depthwise_conv(step: Step, unit: UnitSlice, _base: Any) -> UnitSlice | None:
    how = step.module
    if not isinstance(how, nn.Conv2d) or not how.groups == how.in_channels == how.out_channels:
        return None
    if how.groups == 1 or how.padding_mode != "zeros" or unit.axis != 1 or unit.block != 1:
        return None
    bias = None if how.bias is None else how.bias[unit.index]
    found = functional.conv2d(
        unit.value.transpose(0, 1), how.weight[unit.index], bias, how.stride, how.padding,
        how.dilation, groups=len(unit.index),
    )  # fmt: skip
    return unit.with_value(found.transpose(0, 1))


_LOCAL_UPDATES: dict[str, Callable[[Step, UnitSlice, Any], UnitSlice | None]] = {
    "each": _unit_through_elementwise,
    "norm": _unit_through_batch_norm,
    "pool": _unit_through_pool,
    "mean": _unit_through_mean,
    "flatten": _unit_through_flatten,
    "conv": _unit_through_depthwise_conv,
}


def _unit_through_binary_op(step: Step, changed: Env, base: Env) -> UnitSlice | None:
    if len(step.args) != 2:
        return None
    units = [changed[a] for a in step.args if isinstance(a, fx.Node) and a in changed]
    first: UnitSlice = units[0]
    if any((u.axis, u.block) != (first.axis, first.block) for u in units):
        return None
    if any(u.index is not first.index and not torch.equal(u.index, first.index) for u in units):
        return None
    values: list[Any] = []
    for arg in step.args:
        if not isinstance(arg, fx.Node):
            values.append(arg)
        elif arg in changed:
            values.append(changed[arg].value)
        else:
            other = base[arg]
            own = next(base[a] for a in step.args if a in changed)
            # A gate (n, c, 1, 1) or a sum of equals; whatever broadcasts otherwise spreads.
            if not isinstance(other, torch.Tensor) or other.shape[:2] != own.shape[:2]:
                return None
            if other.ndim != own.ndim or other.shape[first.axis] != own.shape[first.axis]:
                return None
            values.append(first.unit_values_in(other))
    return first.with_value(step.run(*values, **step.kwargs))


def _unit_through_concat(step: Step, changed: Env, base: Env) -> UnitSlice | None:
    parts = step.args[0] if step.args else ()
    dim = step.kwargs.get("dim", step.args[1] if len(step.args) > 1 else 0)
    moved = [p for p in parts if p in changed]
    if len(moved) != 1:
        return None
    unit: UnitSlice = changed[moved[0]]
    axis = dim % base[moved[0]].ndim
    if axis != unit.axis or unit.block != 1:
        return None
    before = sum(base[p].shape[axis] for p in parts[: parts.index(moved[0])])
    return UnitSlice(unit.value, unit.index + before, axis)


class LinearOp:
    """A convolution or a linear layer, batch norm after it folded in.

    Parameters
    ----------
    module
        The convolution or linear layer.
    norm
        Batch norm that alone reads its output.
    """

    def __init__(self, module: nn.Module, norm: nn.Module | None = None) -> None:
        assert isinstance(module, nn.Conv2d | nn.Linear)
        self.module = module
        weight, bias = module.weight.detach(), module.bias
        found = batch_norm_scale_shift(norm)
        if found is not None:
            scale, shift = found
            weight = weight * scale.view(-1, *[1] * (weight.ndim - 1))
            bias = shift if bias is None else bias * scale + shift
        self.bias = None if bias is None else bias.detach()
        self.conv = isinstance(module, nn.Conv2d)
        self.weight = weight
        self._small: dict[int, SmallMapConv] = {}
        self._narrow = False
        if isinstance(module, nn.Conv2d):
            how = (module.kernel_size, module.stride, module.dilation)
            padded = module.padding in ((1, 1), "same")
            self._narrow = padded and how == ((3, 3), (1, 1), (1, 1))
            self.weight = weight.to(memory_format=torch.channels_last)
            # What each input unit adds: (in, kernel, out).
            self._shares = weight.flatten(2).permute(1, 2, 0).contiguous()
        else:
            self._shares = weight.T.contiguous()

    def _has_tiny_output(self, x: torch.Tensor) -> bool:
        """Whether the output has four positions or fewer, too few for a library convolution."""
        how = self.module
        assert isinstance(how, nn.Conv2d)
        if how.dilation != (1, 1) or isinstance(how.padding, str):
            return False
        padded = [s + 2 * p for s, p in zip(x.shape[2:], how.padding, strict=True)]
        parts = zip(padded, how.kernel_size, how.stride, strict=True)
        sides = [(size - kernel) // stride + 1 for size, kernel, stride in parts]
        return 1 <= sides[0] * sides[1] <= 4

    def _cached_small_map_conv(self, side: int) -> SmallMapConv:
        if side not in self._small:
            self._small[side] = SmallMapConv(self.weight, side)
        return self._small[side]

    @staticmethod
    def supports_module(module: nn.Module | None) -> bool:
        """Whether the change of one input unit is the sum of one share."""
        if isinstance(module, nn.Conv2d):
            return module.groups == 1 and module.padding_mode == "zeros"
        return isinstance(module, nn.Linear)

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs for whole inputs."""
        if isinstance(self.module, nn.Conv2d):
            how = self.module
            if self._narrow and SmallMapConv.supports_maps(x):
                out = self._cached_small_map_conv(x.shape[2])(x)
                return out if self.bias is None else out + self.bias.view(-1, 1, 1)
            pad = how.padding
            if not isinstance(pad, str) and self._has_tiny_output(x):
                out = conv_as_matmul(x, self.weight, how.stride, pad)
                return out if self.bias is None else out + self.bias.view(-1, 1, 1)
            return functional.conv2d(
                x, self.weight, self.bias, how.stride, how.padding, how.dilation
            )
        return functional.linear(x, self.weight, self.bias)

    def outputs_after_unit_change(
        self, unit: UnitSlice, base: torch.Tensor, out: torch.Tensor
    ) -> torch.Tensor | None:
        """Return the outputs ``(b * n, ...)`` when one input unit changes.

        Parameters
        ----------
        unit
            The changed unit of the input.
        base, out
            Input and output without the change.

        Returns
        -------
        ``None`` where units do not lie along the axis that is summed over.
        """
        change = unit.difference_from(base)
        b = len(unit.index)
        if isinstance(self.module, nn.Conv2d):
            if unit.axis != 1 or unit.block != 1 or base.ndim != 4:
                return None
            how = self.module
            pad = how.padding
            if isinstance(pad, str):
                return None
            columns = _unfold_changes_into_columns(
                change, how.kernel_size, how.stride, pad, how.dilation
            )
            last = out.permute(0, 2, 3, 1)
            found = torch.baddbmm(
                last.flatten(0, 2).expand(b, -1, -1), columns, self._shares[unit.index]
            )
            return found.view(-1, *last.shape[1:]).permute(0, 3, 1, 2)
        if unit.block > 1 or (base.ndim == 2 and unit.axis == 1):
            shares = self._shares.unflatten(0, (-1, unit.block))[unit.index]
            change = change if unit.block > 1 else change.unsqueeze(2)
        elif unit.axis == base.ndim - 1:
            shares = self._shares[unit.index].unsqueeze(1)
            change = change.flatten(1).unsqueeze(2)
        else:
            return None
        flat = out.flatten(0, -2)
        found = torch.baddbmm(flat.expand(b, -1, -1), change, shares)
        return found.view(b * out.shape[0], *out.shape[1:])


def _unfold_changes_into_columns(
    change: torch.Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pad: tuple[int, ...],
    dilation: tuple[int, ...],
) -> torch.Tensor:
    """Return what each output position sees of changes ``(b, n, h, w)``: ``(b, n * p, kernel)``."""
    wide = functional.pad(change, (pad[1], pad[1], pad[0], pad[0]))
    for axis in (0, 1):
        span = dilation[axis] * (kernel[axis] - 1) + 1
        wide = wide.unfold(2 + axis, span, stride[axis])[..., :: dilation[axis]]
    return wide.flatten(4).flatten(1, 3)
