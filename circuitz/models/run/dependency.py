"""Which weights a layer's output is made from, so that an edit elsewhere leaves it standing.

Every operation of one forward pass is watched, and what went into a tensor is handed on to all
that is made of it: data flow, as in taint analysis. Unlike a walk along gradients it also sees
buffers, integers and whatever is detached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from circuitz.disk.hashing import array_digest, json_hash
from circuitz.models.run.network_facts import class_name_for_hashes
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

Names = frozenset[str]


def upstream_weight_names(runtime: Runtime, layers: Collection[str]) -> dict[str, Names]:
    """Return the parameters and buffers that each layer's output is made from.

    Parameters
    ----------
    runtime
        The network; it is run once, on a blank input.
    layers
        Dotted names of modules.

    Returns
    -------
    By layer: dotted names, as in ``named_parameters`` and ``named_buffers``. Too many rather than
    too few: all of them, where the network cannot be watched, where values come from elsewhere, or
    where they decide what is done. What is done for another number of inputs, or hands values on
    outside torch (to a file, to text), is not seen.
    """
    held = _parameters_and_buffers(runtime)
    everything = frozenset(held)
    watch = _DependencyTracker(held)
    x = runtime.blank_inputs(2)
    watch.record_weights_behind_tensor(x, frozenset())
    try:
        with watch, _ValueEscapeWatch(watch):
            acts, _ = runtime.run(x, tuple(layers))
        return {name: watch.weight_names_behind_tensor(act) for name, act in acts.items()}
    # What runs is anybody's code, and some of torch's own refuses to be watched (TorchScript).
    except Exception:
        return dict.fromkeys(layers, everything)


def hash_upstream_values(
    runtime: Runtime, layers: Collection[str], network: Sequence[Any] = ()
) -> dict[str, str]:
    """Return a hash a layer of all that is known to lie behind its outputs.

    Parameters
    ----------
    runtime
        The network.
    layers
        Dotted names of modules.
    network
        JSON values that tell architectures apart: builder and its arguments.
    """
    held = _parameters_and_buffers(runtime)
    behind = upstream_weight_names(runtime, layers)
    digests = {name: _tensor_digest(held[name]) for name in frozenset().union(*behind.values())}
    about = [
        "values 1",
        _preprocessing_facts(runtime.preprocessing),
        class_name_for_hashes(runtime.module),
        *network,
    ]
    # State that is neither parameter nor buffer may be behind anything.
    state = runtime.module.state_dict()
    about += [[name, _tensor_digest(state[name])] for name in sorted(set(state) - set(held))]
    return {
        layer: json_hash([*about, layer, {name: digests[name] for name in names}])
        for layer, names in behind.items()
    }


def _preprocessing_facts(preprocessing: Preprocessing) -> dict[str, Any]:
    """Return what decides values; padding where it is known, or hashes of before would change."""
    facts = asdict(preprocessing)
    if preprocessing.masking == "none":
        del facts["padding"], facts["masking"]
    del facts["padded_at"]  # what may come in, and not what is made of it
    return facts


def _parameters_and_buffers(runtime: Runtime) -> dict[str, torch.Tensor]:
    net = runtime.module
    return dict(net.named_parameters()) | dict(net.named_buffers())


def _tensor_digest(tensor: torch.Tensor) -> str:
    plain = tensor.detach().cpu()
    # numpy has no bfloat16; float32 holds each of its values.
    plain = plain.float() if plain.dtype is torch.bfloat16 else plain
    return array_digest(np.asarray(plain)).hex()


class _DependencyTracker(TorchDispatchMode):
    """Hands on, from storage to storage, the names of the weights that went into each.

    By storage, for views share theirs: what is written through one is read through all. Where
    values decide what ``forward`` does next, what it might have done is not seen: then all
    weights are behind everything.
    """

    # A constant written down in forward(), which comes from nowhere.
    _FRESH: ClassVar[frozenset[str]] = frozenset({"aten::lift_fresh", "aten::lift_fresh_copy"})
    _DECIDES: ClassVar[frozenset[torch.Tag]] = frozenset(
        {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
    )

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self._all_names = frozenset(tensors)
        self._names: dict[int, Names] = {}
        # An address that was freed would be used again for something else.
        self._alive: list[torch.UntypedStorage] = []
        self.data_dependent = False
        # Whether a tensor is being made of plain numbers.
        self.making_constant = False
        for name, tensor in tensors.items():
            self.record_weights_behind_tensor(tensor, frozenset({name}))

    def record_weights_behind_tensor(self, tensor: torch.Tensor, names: Names) -> None:
        """Remember that these went into a tensor, besides what did before."""
        storage = tensor.untyped_storage()
        self._alive.append(storage)
        key = storage.data_ptr()
        self._names[key] = self._names.get(key, frozenset()) | names

    def weight_names_behind_tensor(self, tensor: torch.Tensor) -> Names:
        """Return what went into a tensor; everything, of one whose making was not seen."""
        if self.data_dependent:
            return self._all_names
        if not tensor.numel():
            return frozenset()
        return self._names.get(tensor.untyped_storage().data_ptr(), self._all_names)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and note what its results are made of."""
        kwargs = kwargs or {}
        fresh = self.making_constant and func._schema.name in self._FRESH
        names = frozenset[str]().union(
            *map(self.weight_names_behind_tensor, [] if fresh else _iter_tensors(args, kwargs))
        )
        out = func(*args, **kwargs)
        given = dict(zip((a.name for a in func._schema.arguments), args, strict=False)) | kwargs
        written = [
            given[a.name] for a in func._schema.arguments if _is_argument_written_to(a, given)
        ]
        for tensor in _iter_tensors(out, written):
            self.record_weights_behind_tensor(tensor, names)
        self.data_dependent |= bool(self._DECIDES & set(func.tags))
        return out


class _ValueEscapeWatch(TorchFunctionMode):
    """Notices values that leave torch, or enter it, by a way on which no operation is run."""

    _OUT: ClassVar[frozenset[Any]] = frozenset(
        {
            torch.Tensor.numpy,
            torch.Tensor.tolist,
            torch.Tensor.__array__,
            torch.Tensor.__dlpack__,
        }
    )
    _IN: ClassVar[frozenset[Any]] = frozenset(
        {torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor}
    )

    def __init__(self, tracker: _DependencyTracker) -> None:
        super().__init__()
        self._tracker = tracker

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function of torch's."""
        kwargs = kwargs or {}
        self._tracker.data_dependent |= func in self._OUT
        if func not in self._IN:
            return func(*args, **kwargs)
        data = args[1:] if func is torch.Tensor.new_tensor else args
        self._tracker.making_constant = not any(True for _ in _iter_tensors(data, kwargs))
        try:
            return func(*args, **kwargs)
        finally:
            self._tracker.making_constant = False


def _is_argument_written_to(argument: Any, bound: Mapping[str, Any]) -> bool:
    alias = argument.alias_info
    return alias is not None and alias.is_write and argument.name in bound


def _iter_tensors(*values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, Mapping):
            yield from _iter_tensors(*value.values())
        elif isinstance(value, list | tuple):
            yield from _iter_tensors(*value)
