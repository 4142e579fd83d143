"""What a row of a network's outputs is, found out by running it a few times."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from circuitz.errors import (
    BatchDependenceError,
    CircuitzError,
    LayerError,
    NetworkError,
    RandomNetworkError,
)
from circuitz.models.run.layer_rows import (
    AGAIN,
    ALONE,
    BESIDE,
    dependent_layer_error,
    problem_with_layer,
    random_layer_error,
    results_differ,
)
from circuitz.models.run.random_draws import extreme_draws, random_number_states
from circuitz.models.run.restore_state import random_state_and_buffers_kept

if TYPE_CHECKING:
    from circuitz.models.run.runtime import Runtime

# More runs of a network that draws random numbers; copies of three inputs in the larger batch,
# twelve of them: many enough for what looks at eight or at groups of four.
_MORE_RUNS, _COPIES = 20, 4

Outputs = tuple[dict[str, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class NetworkProbe:
    """What running a network told.

    Parameters
    ----------
    acts
        Outputs of the layers for two inputs.
    logits
        ``(2, k)``.
    unusable
        Layers whose rows are not inputs, or not the same every time, and why.
    remarks
        What people should be told.
    """

    acts: dict[str, torch.Tensor]
    logits: torch.Tensor
    unusable: dict[str, LayerError] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def check_layers_usable(self) -> None:
        """Raise what is wrong with the first layer with which something is."""
        for problem in self.unusable.values():
            raise problem


def probe_network(runtime: Runtime, x: torch.Tensor, layers: Sequence[str] = ()) -> NetworkProbe:
    """Run a network on two inputs, again, beside another input, on one, and on twelve.

    Four passes over one or two inputs and one over twelve; where random numbers are drawn, up to
    22 more over two. The network, its buffers and the state of random number generators are left
    as they were.

    Parameters
    ----------
    runtime
        The network.
    x
        Prepared inputs ``(n, ...)``, at least one; the first three are used. Where there are fewer,
        others are made of them.
    layers
        Layers to look at, each called once.

    Raises
    ------
    RandomNetworkError
        If the same inputs do not give the same logits twice.
    BatchDependenceError
        If an input's logits depend on what else is in the batch.
    NetworkError
        If there is not one row of logits an input, or the network fails.
    LayerError
        If a layer does not exist, is not called exactly once, or gives no tensor.
    """
    first, second, third = _three_inputs(runtime.cast_inputs(x))
    pair = torch.cat([first, second])
    with random_state_and_buffers_kept(runtime.module):
        before = random_number_states(runtime.module)
        whole = _run_and_copy(runtime, pair, layers)
        again = _run_and_copy(runtime, pair, layers)
        beside = _run_and_copy(runtime, torch.cat([first, third]), layers)
        try:
            alone = _run_and_copy(runtime, first, layers)
        except CircuitzError as problem:
            raise _number_of_inputs_error(problem, "one by itself") from (
                problem.__cause__ or problem
            )
        _check_row_per_input(whole[1], alone[1])
        if results_differ(whole[1], again[1], AGAIN):
            raise _random_network_error(runtime)
        unusable: dict[str, LayerError] = {}
        remarks: list[str] = []
        if random_number_states(runtime.module) != before:
            # First of all: what is random now and then looks like dependence on the batch.
            unusable |= _find_rare_randomness(runtime, pair, layers, whole)
            remarks.append(_DRAWS)
        other = results_differ(whole[1][:1], beside[1][:1], BESIDE)
        if other or results_differ(whole[1][:1], alone[1], ALONE):
            raise _batch_dependence_error(runtime)
        for name in layers:
            runs = (one[0][name] for one in (whole, again, beside, alone))
            problem = None if name in unusable else problem_with_layer(name, *runs)
            if problem is not None:
                unusable[name] = problem
        del again, alone
        three = torch.cat([first, second, third])
        sound = [name for name in layers if name not in unusable]
        expected = _first_two_and_third(whole, beside, sound)
        try:
            unusable |= _find_dependence_on_many(runtime, three, sound, expected)
        except CircuitzError as problem:
            if not isinstance(problem.__cause__, torch.OutOfMemoryError | MemoryError):
                raise
            remarks.append(_NO_MEMORY)
    in_order = {name: unusable[name] for name in layers if name in unusable}
    return NetworkProbe(whole[0], whole[1], in_order, tuple(remarks))


def _find_rare_randomness(
    runtime: Runtime, pair: torch.Tensor, layers: Sequence[str], before: Outputs
) -> dict[str, LayerError]:
    """Run a network that draws numbers more often, and refuse it if one of them counts."""
    unusable: dict[str, LayerError] = {}
    for i in range(2 + _MORE_RUNS):
        try:
            with extreme_draws(largest=i == 0) if i < 2 else nullcontext():
                acts, logits = runtime.run(pair, layers)
        except CircuitzError:
            if i < 2:  # what runs as it is need not run with what is drawn exchanged
                continue
            raise
        if results_differ(before[1], logits, AGAIN):
            raise _random_network_error(runtime)
        for name in layers:
            if results_differ(before[0][name], acts[name], AGAIN):
                unusable[name] = random_layer_error(name)
    return unusable


def _first_two_and_third(whole: Outputs, beside: Outputs, layers: Sequence[str]) -> Outputs:
    acts = {name: torch.cat([whole[0][name], beside[0][name][1:]]) for name in layers}
    return acts, torch.cat([whole[1], beside[1][1:]])


def _find_dependence_on_many(
    runtime: Runtime, three: torch.Tensor, layers: Sequence[str], expected: Outputs
) -> dict[str, LayerError]:
    """Run copies of three inputs in one batch, and refuse a network that makes another thing of them."""
    many = torch.cat([three] * _COPIES)
    try:
        acts, logits = runtime.run(many, layers)
    except CircuitzError as problem:
        if isinstance(problem.__cause__, torch.OutOfMemoryError | MemoryError):
            raise
        raise _number_of_inputs_error(problem, f"{len(many)}") from (problem.__cause__ or problem)
    if _differ_among_copies(logits, expected[1]):
        raise _batch_dependence_error(runtime)
    return {
        name: dependent_layer_error(name)
        for name in layers
        if _differ_among_copies(acts[name], expected[0][name])
    }


def _differ_among_copies(many: torch.Tensor, three: torch.Tensor) -> bool:
    """Whether copies of three inputs differ from each other, or from what the three were."""
    if len(many) != _COPIES * len(three):
        return True
    for i in range(0, len(many), len(three)):
        copy = many[i : i + len(three)]
        if results_differ(copy, three, ALONE) or results_differ(copy, many[: len(three)], BESIDE):
            return True
    return False


def _three_inputs(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return three inputs ``(1, ...)``, the second and third unlike each other."""
    first = x[:1]
    second = x[1:2] if len(x) > 1 else _other_input(first)
    third = x[2:3] if len(x) > 2 else _other_input(second)
    if torch.equal(second, third):
        third = _other_input(second)
    return first, second, third


def _other_input(x: torch.Tensor) -> torch.Tensor:
    """Return an input like this one, but another."""
    if x.is_floating_point():
        # Smaller and the other way round: pictures stay within what a network may take.
        return x.flip(-1) * 0.7 if bool(x.any()) else x + 0.1
    other = x.flip(-1)
    return other if not torch.equal(other, x) else x.roll(1, -1)


def _run_and_copy(runtime: Runtime, x: torch.Tensor, layers: Sequence[str]) -> Outputs:
    acts, logits = runtime.run(x, layers)
    # Without copies one run could write over what another returned.
    return {name: act.clone() for name, act in acts.items()}, logits.clone()


def _check_row_per_input(two: torch.Tensor, one: torch.Tensor) -> None:
    if (len(one), len(two)) != (1, 2):
        raise NetworkError(
            f"The network returns {len(one)} rows for one input and {len(two)} for two, not one row "
            "an input.",
            "Wrap it in a module that returns one row of class scores an input (the mean over crops "
            "or frames, say).",
        )


def _random_network_error(runtime: Runtime) -> RandomNetworkError:
    names = _names_of_kinds(runtime, ("Dropout", "DropPath", "Noise", "Stochastic"))
    return RandomNetworkError(
        "The network is random: the same inputs give other logits when it is run again.",
        "Take out what draws numbers in eval mode, such as functional.dropout without "
        "training=self.training" + (f" (it has {names})." if names else "."),
    )


def _batch_dependence_error(runtime: Runtime) -> BatchDependenceError:
    names = _names_of_kinds(runtime, ("BatchNorm",), without_statistics=True)
    return BatchDependenceError(
        "What the network makes of an input depends on what else is in the batch.",
        "Its normalisation must use running statistics (track_running_stats=True), and nothing may "
        "attend, be averaged or be given out up to a capacity over the batch axis (of torch's "
        "attention: batch_first=True)" + (f"; look at {names}." if names else "."),
    )


def _names_of_kinds(
    runtime: Runtime, kinds: tuple[str, ...], without_statistics: bool = False
) -> str:
    """Return up to three names of modules whose class has one of these words in its name."""
    found = [
        name
        for name, module in runtime.module.named_modules()
        if any(kind in type(module).__name__ for kind in kinds)
        and not (without_statistics and getattr(module, "running_mean", None) is not None)
    ]
    return ", ".join(repr(name) for name in found[:3]) + (" and others" if len(found) > 3 else "")


def _number_of_inputs_error(problem: CircuitzError, number: str) -> BatchDependenceError:
    return BatchDependenceError(
        f"The network runs two inputs but not {number}: {problem.message}",
        "What it makes of an input must not depend on others: give normalisations running "
        "statistics, and keep the batch axis where outputs are squeezed.",
    )


_DRAWS = (
    "The network draws random numbers in eval mode. Its logits were the same in all of "
    f"{_MORE_RUNS} more runs, so they are taken for harmless; that they always are is not proven."
)
_NO_MEMORY = (
    "There is not enough memory for a batch of 12 inputs: whether the network depends on what else "
    "is in larger batches was not tried."
)
