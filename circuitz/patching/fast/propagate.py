"""Following a change of one unit through a traced network, computing only what changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import fx
from torch.fx.node import map_arg

from circuitz.errors import LayerError
from circuitz.models.run.fx_graph import steps_needed
from circuitz.patching.fast.rank_one import unit_result_or_none_if_spreading
from circuitz.patching.fast.traced_program import BaselineRun, nodes_depending_on
from circuitz.patching.fast.traced_steps import Step
from circuitz.patching.fast.unit_slice import UnitSlice

# Bytes of the largest result of a step: what is larger leaves the processor's cache, and is
# mapped anew by the operating system each time.
_BYTES = 8 * 2**20
# Steps whose result is never a view of what they read.
_COPYING = frozenset({"norm", "pool", "mean", "two", "cat", "conv", "linear"})


class LayerChange:
    """Where a change at one layer goes.

    Parameters
    ----------
    base
        What there is without it.
    layer
        Name of the layer.
    axis
        Axis of its units.
    """

    def __init__(self, base: BaselineRun, layer: str, axis: int) -> None:
        self.base = base
        program = base.program
        self.node = program.graph.node_calling_module(layer)
        self.axis = axis
        order, output = program.graph.order, program.graph.output
        reached = nodes_depending_on([self.node], order)
        if output not in reached:
            raise LayerError(f"Nothing that {layer!r} puts out reaches the output.")
        self.folded = {n: s for n, s in program.folded.items() if s.node is not self.node}
        passed = {s.node for s in self.folded.values()} | {self.node}
        wanted = (reached & steps_needed(output, self.node)) - passed
        self._steps = [s for n, s in program.steps.items() if n in wanted]
        self._reached = reached

    def propagate_locally(
        self, units: torch.Tensor, donor_values: torch.Tensor | None
    ) -> LocalChanges:
        """Change units one by one, as far as each change stays with its unit.

        Parameters
        ----------
        units
            ``(b,)`` units of the layer.
        donor_values
            ``(n, ...)`` outputs of the layer the units take their values from; ``None``: zero.
        """
        act = self.base.env[self.node]
        unit = UnitSlice(act.new_zeros(0), units, self.axis)
        value = (
            torch.zeros_like(unit.unit_values_in(act))
            if donor_values is None
            else unit.unit_values_in(donor_values)
        )
        env: dict[fx.Node, UnitSlice] = {self.node: unit.with_value(value)}
        rest: list[Step] = []
        for step in self._steps:
            changed = [n for n in step.node.all_input_nodes if n in self._reached]
            stays = step.node not in self.folded and all(n in env for n in changed)
            found = unit_result_or_none_if_spreading(step, env, self.base.env) if stays else None
            if found is None:
                rest.append(step)
            else:
                env[step.node] = found
        return LocalChanges(self, env, rest)


@dataclass(frozen=True)
class NearSteps:
    """How far a change goes before it spreads a second time.

    Parameters
    ----------
    steps
        Steps after it spreads for the first time.
    nodes
        What the steps beyond read.
    """

    steps: list[Step]
    nodes: list[fx.Node]


class LocalChanges:
    """Changes of single units up to where they spread.

    Parameters
    ----------
    change
        Where they come from.
    env
        Results to which each change stays confined to its unit.
    rest
        Steps to which it spreads.
    """

    def __init__(
        self, change: LayerChange, env: dict[fx.Node, UnitSlice], rest: list[Step]
    ) -> None:
        self._base = change.base
        self._folded = change.folded
        self._steps = change.base.program.steps
        self._rest = rest
        self._output = change.base.program.graph.output
        read = {n for step in rest for n in self._nodes_read_by(step)} | set(
            self._output.all_input_nodes
        )
        self._env = {n: unit for n, unit in env.items() if n in read}
        self.units = env[change.node].index
        # The last step that reads each result.
        self._last: dict[fx.Node, fx.Node] = {}
        for step in rest:
            for node in self._nodes_read_by(step):
                self._last[node] = step.node
        for node in self._output.all_input_nodes:
            self._last[node] = self._output

    @cached_property
    def steps_before_second_spread(self) -> NearSteps:
        """The changes up to where they would spread a second time."""
        level: dict[fx.Node, int] = dict.fromkeys(self._env, 0)
        for step in self._rest:
            spreads = step.kind in ("conv", "linear", "other") or step.node in self._folded
            below = max((level.get(n, 0) for n in self._nodes_read_by(step)), default=0)
            level[step.node] = below + spreads
        steps = [s for s in self._rest if level[s.node] <= 1]
        beyond = [self._nodes_read_by(s) for s in self._rest if level[s.node] > 1]
        read = {n for nodes in [*beyond, self._output.all_input_nodes] for n in nodes}
        return NearSteps(steps, [n for n in level if level[n] <= 1 and n in read])

    def results_before_second_spread(
        self, which: torch.Tensor, near: NearSteps
    ) -> dict[fx.Node, Any]:
        """Return near results of some of the changes: confined to the unit, or whole.

        Parameters
        ----------
        which
            ``(b,)`` positions among the changes.
        near
            See :attr:`steps_before_second_spread`.
        """
        env = self._unit_slices_of_changes(which)
        fresh: set[fx.Node] = set()
        for step in near.steps:
            env[step.node] = self._run_spread_step(step, env, len(which), fresh)
            fresh.difference_update(near.nodes)  # what is asked for is not overwritten
        return {n: env[n] for n in near.nodes}

    def _unit_slices_of_changes(self, which: torch.Tensor) -> dict[fx.Node, Any]:
        return {
            n: replace(u, value=u.value[which], index=u.index[which]) for n, u in self._env.items()
        }

    def _nodes_read_by(self, step: Step) -> list[fx.Node]:
        return self._folded.get(step.node, step).node.all_input_nodes

    def nonzero_change_mask(self) -> torch.Tensor:
        """Return ``(b,)`` which changes are any change at all where they begin to spread."""
        moved = torch.zeros(len(self.units), dtype=torch.bool, device=self.units.device)
        for node, unit in self._env.items():
            moved |= (unit.difference_from(self._base.env[node]) != 0).flatten(1).any(1)
        return moved

    def max_changes_per_batch(self) -> int:
        """Return how many changes fit into memory together."""
        sizes = [
            t.numel() * t.element_size()
            for step in self._rest
            for t in [self._base.env[step.node]]
            if isinstance(t, torch.Tensor)
        ]
        return max(1, _BYTES // max([1, *sizes]))

    def network_outputs_for_changes(self, which: torch.Tensor) -> Any:
        """Return the network's outputs ``(b * n, ...)`` for some of the changes.

        Parameters
        ----------
        which
            ``(b,)`` positions among the changes.
        """
        b = len(which)
        env = self._unit_slices_of_changes(which)
        fresh: set[fx.Node] = set()
        for step in self._rest:
            env[step.node] = self._run_spread_step(step, env, b, fresh)
            for node in self._nodes_read_by(step):
                if self._last[node] is step.node:
                    env.pop(node, None)
        return map_arg(self._output.args[0], lambda n: self._full_result_of_node(n, env, b))

    def _full_result_of_node(self, node: fx.Node, env: dict[fx.Node, Any], b: int) -> Any:
        if node not in env:
            return self._base.repeat_result_per_change(node, b)
        found = env[node]
        return (
            found.full_outputs_per_unit(self._base.env[node])
            if isinstance(found, UnitSlice)
            else found
        )

    def _run_spread_step(
        self, step: Step, env: dict[fx.Node, Any], b: int, fresh: set[fx.Node]
    ) -> Any:
        program, base = self._base.program, self._base.env
        inner = self._folded.get(step.node)
        mix = program.linear_op_or_none(step.node, folded=inner is not None)
        if mix is not None:
            fresh.add(step.node)
            source = (inner or step).first_argument_node
            assert source is not None
            found = env.get(source)
            if isinstance(found, UnitSlice):
                sparse = mix.outputs_after_unit_change(found, base[source], base[step.node])
                if sparse is not None:
                    return sparse
            return mix.apply(self._full_result_of_node(source, env, b))
        if step.kind == "two":
            found = self._try_add_in_place(step, env, b, fresh)
            if found is not None:
                fresh.add(step.node)
                return found
        source = step.first_argument_node
        if (
            source is not None
            and step.is_relu
            and self._can_overwrite_result(source, step, env, fresh)
        ):
            fresh.add(step.node)
            return env[source].relu_()
        return step.run_on_looked_up_arguments(lambda n: self._full_result_of_node(n, env, b))

    def _can_overwrite_result(
        self, node: fx.Node, step: Step, env: dict[fx.Node, Any], fresh: set[fx.Node]
    ) -> bool:
        """Whether a step may overwrite a result: made here, read by nobody later, no view of it."""
        if node not in fresh or self._last[node] is not step.node:
            return False
        if not isinstance(env.get(node), torch.Tensor):
            return False
        others = [self._steps.get(user) for user in node.users if user is not step.node]
        return all(other is not None and other.kind in _COPYING for other in others)

    def _try_add_in_place(
        self, step: Step, env: dict[fx.Node, Any], b: int, fresh: set[fx.Node]
    ) -> torch.Tensor | None:
        """Add to a result nobody else reads, instead of making whole copies of the other."""
        if getattr(step.run, "__name__", "") != "add" or len(step.args) != 2 or step.kwargs:
            return None
        if not all(isinstance(a, fx.Node) for a in step.args) or step.args[0] is step.args[1]:
            return None
        for one, other in (step.args, step.args[::-1]):
            if not self._can_overwrite_result(one, step, env, fresh):
                continue
            out = env[one]
            if other in env and isinstance(env[other], torch.Tensor):
                return out.add_(env[other]) if env[other].shape == out.shape else None
            without = self._base.env[other]
            if not isinstance(without, torch.Tensor) or without.shape[1:] != out.shape[1:]:
                continue
            if len(without) != self._base.n or other not in self._base.program.reads_input:
                continue
            out.unflatten(0, (b, -1)).add_(without)
            if other in env:
                env[other].add_difference_in_place(out, without)
            return out
        return None
